"""Which runs' pictures stand side by side in the geometry, for any size of a terminal."""

from __future__ import annotations

_PICTURE_CELLS = 60
_NUMBER_ROWS = 6
_CHART_ROWS = 6


def side_by_side(width: int, runs: int, chosen: int) -> range:
    """The runs that have room beside one another, number ``chosen`` among them."""
    room = max(1, min(runs, width // _PICTURE_CELLS))
    first = max(0, min(chosen, runs - room))
    return range(first, first + room)


def number_rows(height: int, lines: int) -> int:
    """Rows for so many ``lines`` of numbers below a picture, in ``height`` rows for both."""
    return min(lines, _NUMBER_ROWS, max(0, height - _CHART_ROWS))
