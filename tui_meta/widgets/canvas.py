"""The curves of a plot as rows of text.

plotext draws the lines; points, one character each, are put over them here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_meta.upstream.plotext import LIMITS, cell, draw_lines
from tui_meta.views.plots.axis import Axis
from tui_meta.views.plots.dashes import Pattern, dashed
from tui_meta.views.plots.lines import (
    Vertex,
    crossings,
    decimate,
    heads,
    straighten,
)
from tui_meta.views.plots.plot import LINE_MARKS, SAMPLES, Marker, Plot, Series
from tui_meta.views.text import wrap
from tui_meta.widgets.overlay import put

FRAME = Style(dim=True)

_DASHES: Mapping[Marker, Pattern] = {
    "solid": (),
    "dashed": (8, 4),
    "short": (3, 3),
    "dash-dot": (8, 4, 1, 3),
    "dotted": (1, 2),
}
"""Dots of braille, of which a cell has two by four."""

_ASCII_MARKERS: Mapping[Marker, str] = {
    "solid": "*",
    "dashed": "#",
    "short": "+",
    "dash-dot": "=",
    "dotted": ".",
    "•": ".",
    "+": "+",
    "●": "o",
    "○": "0",
    "◆": "@",
}
_MARKS_FIRST, _MARKS_APART, _MARKS_STAGGERED = 3, 15, 4
"""Columns before the first mark, between two of a line, and between those of two lines."""

_HEADS = "→↗↑↖←↙↓↘"
_ASCII_HEADS = ">^<v"

_LONGEST_ROW = 64
"""Cells of a row of running text."""

_INVISIBLE = 1 / 32
"""Rows; an eighth of a dot, of which a row has four."""

_RUN = re.compile(r"\x1b\[(?:0|38;5;(\d+))m([^\x1b]*)")


class Canvas:
    """Draws plots one after the other; lines that have not changed are not drawn again."""

    def __init__(self) -> None:
        self._below: Canvas | None = None
        self._lines: _Lines | None = None
        self._strips: list[Strip] | None = None

    @property
    def below(self) -> Canvas:
        """The canvas of the strip."""
        self._below = self._below or Canvas()
        return self._below

    def draw(self, plot: Plot, columns: int, rows: int, *, color: bool, ascii: bool) -> list[Strip]:
        """Draw the curves alone: `rows` strips of `columns` cells, points over lines."""
        series = tuple(one for one in plot.series if one.kind == "line")
        lines = _Lines(series, plot.x, plot.y, columns, rows, color, ascii)
        if lines != self._lines:
            self._lines, self._strips = lines, lines.draw()
        points = [
            (cell(unit(plot.x, x), columns), cell(1 - unit(plot.y, y), rows), one)
            for one in plot.series
            if one.kind == "points"
            for x, y in zip(one.x, one.y, strict=True)
            if math.isfinite(x) and math.isfinite(y)
        ]
        if self._strips is None and not points:
            return _notice(plot, columns, rows)
        strips = list(self._strips or [Strip.blank(columns)] * rows)
        for share_x, share_y, glyph, one in lines.glyphs():
            column, row = cell(share_x, columns), cell(1 - share_y, rows)
            put(strips, column, row, glyph, style(one, color=color))
        for column, row, one in points:
            put(strips, column, row, sample(one, ascii=ascii), style(one, color=color))
        return strips


class _Lines(Struct, frozen=True):
    """The lines that plotext draws, and their size."""

    series: tuple[Series, ...]
    x: Axis
    y: Axis
    columns: int
    rows: int
    color: bool
    ascii: bool

    def draw(self) -> list[Strip] | None:
        """Draw the lines as strips; None if there are none."""
        vertices = [self._vertices(one) for one in self.series]
        if not any(vertices):
            return None
        markers = [_marker(one, ascii=self.ascii) for one in self.series]
        drawn = draw_lines(vertices, markers, self.columns, self.rows)
        styles = {
            str(number): style(one, color=self.color) for number, one in enumerate(self.series)
        }
        rows = [
            [Segment(text, styles.get(number)) for number, text in _RUN.findall(row) if text]
            for row in drawn
        ]
        return [Strip(row, self.columns) for row in rows]

    def glyphs(self) -> Iterator[tuple[float, float, str, Series]]:
        """Yield the characters on lines, with their places: arrow heads, marks without colour."""
        heads_of = _ASCII_HEADS if self.ascii else _HEADS
        for number, one in enumerate(self.series):
            if one.arrows:
                for x, y, eighths in heads(self._points(one), (2 * self.columns, 4 * self.rows)):
                    place = round(eighths * len(heads_of) / 8) % len(heads_of)
                    yield x, y, heads_of[place], one
            elif not (self.color or self.ascii) and line_mark(one):
                first = _MARKS_FIRST + number * _MARKS_STAGGERED % _MARKS_APART
                places = range(first, self.columns, _MARKS_APART)
                shares = (place / max(1, self.columns - 1) for place in places)
                for x, y in crossings(self._points(one), shares):
                    yield x, y, line_mark(one), one

    def _vertices(self, series: Series) -> list[Vertex]:
        """Return the points of a line that plotext draws, cut into dashes."""
        pattern = () if self.ascii else _DASHES.get(series.marker, ())
        needed = self._points(series)
        return dashed(needed, pattern, (2 * self.columns, 4 * self.rows)) if pattern else needed

    def _points(self, series: Series) -> list[Vertex]:
        """Return the points of a line, the axes' limits being 0 and 1; what is not finite is a gap.

        A point takes plotext as long as all the cells to the next one, so points that the line
        passes through anyway are left out.
        """
        xs, ys = series.x, series.y
        if len(xs) > 4 * self.columns:
            xs, ys = decimate(xs, ys, self.columns)
        points = []
        joined = False
        for x, y in zip(xs, ys, strict=True):
            shown = math.isfinite(x) and math.isfinite(y)
            if shown:
                points.append((unit(self.x, x), unit(self.y, y), joined))
            joined = shown
        return straighten(points, _INVISIBLE / max(1, self.rows))


def unit(axis: Axis, value: float) -> float:
    """Return the position of a value, the axis being 0 to 1, clipped to plotext's limits."""
    lowest, highest = LIMITS
    return max(lowest, min(highest, (value - axis.lower) / (axis.upper - axis.lower)))


def sample(series: Series, *, ascii: bool) -> str:
    """Return one cell of a series as it is drawn."""
    if ascii:
        return _ASCII_MARKERS[series.marker]
    return SAMPLES.get(series.marker, series.marker)


def line_mark(series: Series) -> str:
    """Return the character that marks a line without colour; those that are dim have none."""
    return "" if series.dim else LINE_MARKS.get(series.marker, "")


def _marker(series: Series, *, ascii: bool) -> str:
    """Return the marker as plotext knows it; lines are drawn in braille."""
    if ascii:
        return _ASCII_MARKERS[series.marker]
    return "braille" if series.marker in _DASHES else series.marker


def style(series: Series, *, color: bool) -> Style:
    """Return the style of a series."""
    name = series.color if color and series.color != "default" else None
    # Bold only without colour, because each change of style is sent with every point.
    bold = True if series.kind == "points" and name is None else None
    return Style(color=name, bold=bold, dim=series.dim or None)


def _notice(plot: Plot, columns: int, rows: int) -> list[Strip]:
    """Return the text in place of curves: that there are none yet, and what they will show."""
    about = wrap(plot.about, min(columns - 2, _LONGEST_ROW))
    indent = (columns - max(map(cell_len, about), default=0)) // 2
    texts = [" " * ((columns - cell_len(plot.empty)) // 2) + plot.empty]
    if about and indent > 0 and len(about) + 2 <= rows:
        texts += ["", *(" " * indent + row for row in about)]
    strips = [Strip.blank(columns)] * rows
    if rows and cell_len(texts[0]) <= columns:
        for row, text in enumerate(texts, (rows - len(texts) + 1) // 2):
            strips[row : row + 1] = [Strip([Segment(set_cell_size(text, columns), FRAME)])]
    return strips
