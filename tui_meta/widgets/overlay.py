"""Overlays of a drawn chart: a cursor, and marks of events."""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_BLANK = " \u2800"
_CURSOR = Style(bold=True)


def put(strips: list[Strip], column: int, row: int, text: str, style: Style) -> None:
    """Replace the content of one cell, if it exists."""
    if not 0 <= row < len(strips) or not 0 <= column < strips[row].cell_length:
        return
    strip = strips[row]
    put = Strip([Segment(text, style)])
    strips[row] = Strip.join([strip.crop(0, column), put, strip.crop(column + 1)])


def put_label(
    strips: list[Strip], column: int, row: int, rows: range, label: str, below: int
) -> bool:
    """Put the name of a line after its end or beside it, where nothing is drawn; say whether.

    ``column`` is the one after the end, in ``row``; nearer rows are tried first. Farther than
    ``below`` names that may be between, it would seem to be that of another line.
    """
    text = f" {label}"
    edge = strips[row].cell_length - 1 if row in rows else 0
    before = min(column, edge) - len(text)
    after = ((near, column) for near in (row, row - 1, row + 1))
    beside = ((near, before) for near in (*range(row - 1, row - 3 - below, -1), row + 1, row + 2))
    for near, start in (*after, *beside):
        if near not in rows or start < 0:
            continue
        room = strips[near].crop(start, start + len(text) + 1)
        if room.cell_length > len(text) and not room.text.strip(_BLANK):
            strip = strips[near]
            name = Strip([Segment(text)])
            rest = strip.crop(start + len(text))
            strips[near] = Strip.join([strip.crop(0, start), name, rest])
            return True
    return False


def put_cursor(strips: list[Strip], column: int, rows: Iterable[int], *, ascii: bool) -> None:
    """Draw a vertical line through ``rows``; what is there already is shown reversed."""
    for row in rows:
        here = strips[row].crop(column, column + 1)
        if here.text in _BLANK:
            put(strips, column, row, ":" if ascii else "│", _CURSOR)
        else:
            style = next((segment.style for segment in here if segment.style), Style())
            put(strips, column, row, here.text, style + Style(reverse=True))
