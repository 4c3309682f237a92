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

_CERTAIN = 2.0
"""Standard errors of the difference that are taken for more than noise."""


def trend(curve: Curve) -> Trend | None:
    """The newest tenth of the curve beside the tenth before; None where that says nothing."""
    tenth = len(curve.losses) // 10
    if len(curve.losses) < LEAST_POINTS:
        return None
    before, after = curve.losses[-2 * tenth : -tenth], curve.losses[-tenth:]
    change = _mean(after) - _mean(before)
    noise = math.sqrt((_variance(before) + _variance(after)) / tenth)
    if not math.isfinite(change) or not math.isfinite(noise):
        return None
    if abs(change) <= max(_CERTAIN * noise, LEAST_CHANGE * abs(_mean(before))):
        return "level"
    return "falling" if change < 0 else "rising"


def _mean(losses: Sequence[float]) -> float:
    return sum(losses) / len(losses)


def _variance(losses: Sequence[float]) -> float:
    mean = _mean(losses)
    # A power would raise where a product is infinite, as of losses that diverge.
    return sum((loss - mean) * (loss - mean) for loss in losses) / (len(losses) - 1)
