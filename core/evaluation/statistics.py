"""Statistics of losses over many tasks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
        return cls._of_rows(losses[None], [0])[0]

    @classmethod
    def per_step(cls, losses: NDArray[np.float64]) -> list[Statistics]:
        """Summarize ``losses`` ``(n_tasks, steps + 1)`` over the tasks, before and after steps."""
        return cls._of_rows(losses.T, has_diverged(losses, losses[:, 0]).sum(axis=0).tolist())

    @classmethod
    def _of_rows(cls, losses: NDArray[np.float64], diverged: Sequence[int]) -> list[Statistics]:
        """Summarize each row of ``losses`` ``(rows, n)``, to the bit as if it were the only one."""
        rows = np.ascontiguousarray(losses)  # the order of a sum depends on it
        n = rows.shape[1]
        # A loss that diverged makes the mean infinite or NaN, which says enough.
        with np.errstate(all="ignore"):
            means = rows.sum(axis=1) / n
            squares = np.square(rows - means[:, None]).sum(axis=1)
            margins = 1.96 * np.sqrt(squares / (n - 1)) / n**0.5 if n > 1 else np.zeros(len(rows))
            columns = (means, means - margins, means + margins, _medians(rows))
        mean, low, high, median = (column.tolist() for column in columns)
        return [cls(n, *row) for row in zip(mean, low, high, median, diverged, strict=True)]


def has_diverged(losses: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of ``losses`` have diverged, given those ``before`` adaptation ``(n,)``."""
    with np.errstate(all="ignore"):
        sound: NDArray[np.bool_] = np.isfinite(losses) & (losses <= DIVERGED_RATIO * before.mean())
    return ~sound


def _medians(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``np.median(rows, axis=1)``, to the bit, in a fraction of the time."""
    ordered, n = np.sort(rows, axis=1), rows.shape[1]
    medians: NDArray[np.float64] = ordered[:, (n - 1) // 2 : n // 2 + 1].mean(axis=1)
    return np.where(np.isnan(ordered[:, -1]), np.nan, medians)


def number(value: float) -> float | None:
    """Return ``value``, or None if it is not finite: JSON has no number for it."""
    return float(value) if math.isfinite(value) else None


def numbers(values: NDArray[np.floating]) -> tuple[float | None, ...]:
    """Return the ``values`` ``(n,)``, None for those that are not finite."""
    plain: list[float] = values.tolist()
    return tuple(plain if np.isfinite(values).all() else map(number, plain))
