"""Statistics of losses over many tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

DIVERGED_RATIO = 100.0
"""A loss of so many times the mean before adaptation has diverged, as one that is not finite has:
a single one decides on the mean."""


@dataclass(frozen=True)
class Statistics:
    """Mean with its 95 % interval, and median, of a loss over ``n`` tasks; ``diverged`` of them.

    Tasks that diverged are part of the mean.
    """

    n: int
    mean: float
    low: float
    high: float
    median: float
    diverged: int = 0

    @classmethod
    def of(cls, losses: NDArray[np.float64]) -> Statistics:
        """Summarize ``losses`` ``(n,)``; the interval is mean ± 1.96 standard errors."""
        # A loss that diverged makes the mean infinite or NaN, which says enough.
        with np.errstate(all="ignore"):
            mean, median = float(losses.mean()), float(np.median(losses))
            margin = 1.96 * float(losses.std(ddof=1)) / len(losses) ** 0.5 if len(losses) > 1 else 0
        return cls(len(losses), mean, mean - margin, mean + margin, median)

    @classmethod
    def per_step(cls, losses: NDArray[np.float64]) -> list[Statistics]:
        """Summarize ``losses`` ``(n_tasks, steps + 1)`` over the tasks, before and after steps."""
        counts = has_diverged(losses, losses[:, 0]).sum(axis=0).tolist()
        return [
            replace(cls.of(column), diverged=count)
            for column, count in zip(losses.T, counts, strict=True)
        ]


def has_diverged(losses: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of ``losses`` have diverged, given those ``before`` adaptation ``(n,)``."""
    with np.errstate(all="ignore"):
        sound: NDArray[np.bool_] = np.isfinite(losses) & (losses <= DIVERGED_RATIO * before.mean())
    return ~sound


def number(value: float) -> float | None:
    """Return ``value``, or None if it is not finite: JSON has no number for it."""
    return float(value) if np.isfinite(value) else None


def numbers(values: NDArray[np.floating]) -> tuple[float | None, ...]:
    """Return the ``values`` ``(n,)``, None for those that are not finite."""
    plain: list[float] = values.tolist()
    return tuple(plain if np.isfinite(values).all() else map(number, plain))
