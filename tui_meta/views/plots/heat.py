"""The scale of heat maps: ordered colours, or characters where there are none."""

import math
from collections.abc import Sequence

from tui_meta.views.text import Span

Ramp = Sequence[Span]
"""Cells from the smallest value to the largest."""

COLORS: Ramp = tuple(Span("█", f"color({number})") for number in (54, 61, 31, 36, 77, 148, 227))
"""From dark violet to light yellow, of the 256-colour palette.

Every step is lighter than the one before, whatever the theme and the kind of colour vision.
Terminals with sixteen colours show five steps of them in the same order.
"""

SHADES: Ramp = tuple(map(Span, "·░▒▓█"))
ASCII: Ramp = tuple(map(Span, ".:-=+*#"))


def ramp(*, color: bool, ascii: bool) -> Ramp:
    """Return the cells for a terminal; characters alone tell them apart where they must."""
    if ascii:
        return ASCII
    return COLORS if color else SHADES


def heat_cell(ramp: Ramp, value: float, limits: tuple[float, float]) -> Span:
    """Return the cell of a positive value, the decimal logarithms of the limits being the ends."""
    low, high = limits
    if value <= 0 or high <= low:
        return ramp[0]
    share = (math.log10(value) - low) / (high - low)
    return ramp[max(0, min(len(ramp) - 1, int(share * len(ramp))))]
