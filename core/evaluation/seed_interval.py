"""The mean of a number that a few seeds give, with its interval."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEVEL = 0.95
"""Level of the interval over seeds, and of all differences of a table together."""

_LARGEST_EXACT = 1e100
"""Larger values are scaled."""


@dataclass(frozen=True)
class SeedInterval:
    """Mean of a number that each of ``n`` seeds gives, with its interval at ``level``.

    The interval is that of Student's t: seeds are few. Without two seeds there is none, and ``low``
    and ``high`` are NaN.
    """

    n: int
    mean: float
    low: float
    high: float
    level: float = LEVEL

    @classmethod
    def of(cls, values: Sequence[float], level: float = LEVEL) -> SeedInterval:
        """Summarize at least one value."""
        n = len(values)
        # Python raises where a sum or a square is too large, as of losses that diverged.
        scale = max(1.0, max(map(abs, values)) / _LARGEST_EXACT)
        scaled = [one / scale for one in values]
        mean = math.fsum(scaled) / n
        margin = math.nan
        if n > 1:
            deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in scaled) / (n - 1))
            margin = students_t(level, n - 1) * deviation / math.sqrt(n)
        return cls(n, mean * scale, (mean - margin) * scale, (mean + margin) * scale, level)

    @property
    def margin(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


def seed_differences(
    losses: Mapping[str, Mapping[int, float]], best: str
) -> dict[str, SeedInterval]:
    """Return how much higher the loss of each group is than that of the ``best``, seed by seed.

    ``losses`` has the loss of each seed of each group. Those that share fewer than two seeds with
    the best are left out. All intervals hold together with ``LEVEL`` (Bonferroni), and have the
    level of each.
    """
    of_best = losses[best]
    found = {
        group: [of_group[seed] - of_best[seed] for seed in sorted(of_group.keys() & of_best.keys())]
        for group, of_group in losses.items()
        if group != best
    }
    compared = {group: values for group, values in found.items() if len(values) > 1}
    level = 1 - (1 - LEVEL) / max(1, len(compared))
    return {group: SeedInterval.of(values, level) for group, values in compared.items()}


@functools.lru_cache(maxsize=1024)
def students_t(level: float, freedom: int) -> float:
    """Return the t with P(|T| <= t) = ``level`` for ``freedom`` degrees of freedom.

    Bisection of the distribution, which is a finite sum (Abramowitz and Stegun 1964, 26.7.3-4).
    """
    low, high = 0.0, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        if _within(middle, freedom) < level:
            low = middle
        else:
            high = middle
    return math.tan(high) * math.sqrt(freedom)


def _within(angle: float, freedom: int) -> float:
    """Return P(|T| <= t) for t = sqrt(freedom) tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= cosine**2 * k / (k + 1)
    total *= sine
    return 2 / math.pi * (angle + total) if odd else total
