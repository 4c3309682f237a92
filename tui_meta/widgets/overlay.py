"""What is laid over a drawn chart: a cursor, and marks where something happened."""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_BLANK = " \u2800"
_CURSOR = Style(bold=True)


def put(strips: list[Strip], column: int, row: int, text: str, style: Style) -> None:
    """Replace what stands in one cell, where there is such a cell."""
    if not 0 <= row < len(strips) or not 0 <= column < strips[row].cell_length:
        return
    strip = strips[row]
    put = Strip([Segment(text, style)])
    strips[row] = Strip.join([strip.crop(0, column), put, strip.crop(column + 1)])


def put_label(strips: list[Strip], column: int, row: int, rows: range, label: str) -> None:
    """A line's name after its end, in ``row`` or beside it, where nothing else is drawn."""
    text = f" {label}"
    for beside in (row, row - 1, row + 1):
        if beside in rows:
            room = strips[beside].crop(column, column + len(text) + 1)
            if room.cell_length > len(text) and not room.text.strip(_BLANK):
                strip = strips[beside]
                name = Strip([Segment(text)])
                after = strip.crop(column + len(text))
                strips[beside] = Strip.join([strip.crop(0, column), name, after])
                return


def put_cursor(strips: list[Strip], column: int, rows: Iterable[int], *, ascii: bool) -> None:
    """A vertical line through ``rows``; what is drawn there already shows on it, reversed."""
    for row in rows:
        here = strips[row].crop(column, column + 1)
        if here.text in _BLANK:
            put(strips, column, row, ":" if ascii else "│", _CURSOR)
        else:
            style = next((segment.style for segment in here if segment.style), Style())
            put(strips, column, row, here.text, style + Style(reverse=True))
