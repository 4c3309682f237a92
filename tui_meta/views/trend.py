"""Whether a run is learning: where its training loss goes, as far as its noise lets one say."""

import math
from collections.abc import Sequence
from typing import Literal

from core.events import Curve

Trend = Literal["falling", "level", "rising"]

LEAST_POINTS = 50
"""Points of a curve below which nothing is said."""

LEAST_CHANGE = 0.02
"""A share of the loss: less is level, however certain."""

LEAST_CERTAIN = 0.05
"""A share of the loss: with more noise than this, what does not change may still do so."""

_CERTAIN = 2.0
"""Standard errors of the difference that are taken for more than noise."""

_PARTS = (10, 4)
"""The newest tenth shows first where a loss goes; a quarter shows it through more noise."""


def trend(curve: Curve) -> Trend | None:
    """The newest part of the curve beside the part before; None where that says nothing."""
    if len(curve.losses) < LEAST_POINTS:
        return None
    noise, size = 0.0, 0.0
    for parts in _PARTS:
        points = len(curve.losses) // parts
        before, after = curve.losses[-2 * points : -points], curve.losses[-points:]
        size = abs(_mean(before))
        change = _mean(after) - _mean(before)
        noise = _CERTAIN * math.sqrt((_variance(before) + _variance(after)) / points)
        if not math.isfinite(change) or not math.isfinite(noise):
            return None
        if abs(change) > max(noise, LEAST_CHANGE * size):
            return "falling" if change < 0 else "rising"
    return "level" if noise <= LEAST_CERTAIN * size else None


def _mean(losses: Sequence[float]) -> float:
    return sum(losses) / len(losses)


def _variance(losses: Sequence[float]) -> float:
    mean = _mean(losses)
    # A power would raise where a product is infinite, as of losses that diverge.
    return sum((loss - mean) * (loss - mean) for loss in losses) / (len(losses) - 1)
