"""Statistics of losses over many tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Statistics:
    """Mean with its 95 % interval, and median, of a loss over ``n`` tasks."""

    n: int
    mean: float
    low: float
    high: float
    median: float

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
        return [cls.of(column) for column in losses.T]
