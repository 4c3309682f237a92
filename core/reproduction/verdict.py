"""The verdict on a number of ours beside a published one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["agrees", "better", "worse", "protocol unclear", "diverged"]
"""How our loss compares with a published one."""

ASSUMED_MARGIN = 0.1
"""Half the interval of a published loss that is printed without one, as a share of the loss: what
the publications that print an interval have."""


@dataclass(frozen=True)
class Interval:
    """An interval of a mean loss."""

    low: float
    high: float

    def overlaps(self, other: Interval) -> bool:
        """Return True if both have a value in common."""
        return self.low <= other.high and other.low <= self.high


def verdict(published: Interval, ours: Interval, *, diverged: int, is_clear: bool) -> Verdict:
    """Compare the interval of ``ours`` with the ``published`` one.

    They agree if they overlap. If they do not, the lower loss is better, unless it is not clear
    how the other was measured. Where any adaptation ``diverged`` there is no mean to compare.
    """
    if diverged:
        return "diverged"
    if ours.overlaps(published):
        return "agrees"
    if not is_clear:
        return "protocol unclear"
    return "better" if ours.high < published.low else "worse"
