"""Draws a plot in a terminal: its curves, the frame around them, and overlays.

Axes, ticks and legend are drawn here, so that they keep their place, do not change the limits of
the data, and disappear in a defined order when room is short.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui_meta.upstream.plotext import cell
from tui_meta.upstream.repaint import set_border_title
from tui_meta.views.plots.axis import Axis
from tui_meta.views.plots.plot import Plot
from tui_meta.views.text import wrap
from tui_meta.widgets.canvas import FRAME, Canvas, sample, style, unit
from tui_meta.widgets.overlay import put, put_cursor, put_label

Tick = TypeVar("Tick")

_LEAST_CAPTIONED = 6
"""Rows of a plot without a caption; each row of it takes two more."""

_TITLE_EDGES = 6
"""Least number of cells of a panel's upper edge besides its title."""


def draw(
    plot: Plot,
    width: int,
    height: int,
    *,
    color: bool,
    ascii: bool,
    canvas: Canvas | None = None,
) -> list[Strip]:
    """Draw the plot as `height` strips of exactly `width` cells, whatever the size and the data.

    Without `color` the strips carry no colours; with `ascii`, markers and frame are ASCII (the
    labels are the caller's). Where room is short the axis labels go first, then the ticks, then
    the legend. A `canvas` that drew the plot before saves work.
    """
    if width <= 0 or height <= 0:
        return [Strip.blank(max(width, 0))] * max(height, 0)
    layout = _Layout.fit(plot, width, height)
    strips = [Strip([Segment(row, FRAME)]).adjust_cell_length(width) for row in layout.caption]
    if layout.legend:
        legend = Strip(_legend_row(plot, width, layout.gutter, color=color, ascii=ascii))
        strips.append(legend.adjust_cell_length(width))
    top = len(strips)
    canvas = canvas or Canvas()
    curves = canvas.draw(plot, layout.columns, layout.rows, color=color, ascii=ascii)
    margin = _margin(plot.y, layout, ascii=ascii)
    strips += [
        Strip([Segment(left, FRAME), *row], width) for left, row in zip(margin, curves, strict=True)
    ]
    x_ticks = _spread(plot.x, layout.columns, layout.gutter, width)
    below = [_bottom_line(x_ticks, layout, ascii=ascii)] if layout.line else []
    below += [_bottom_labels(plot.x, x_ticks, width)] if layout.labels else []
    strips += [Strip([Segment(row, FRAME)]).adjust_cell_length(width) for row in below]
    places = range(layout.gutter, width)
    if ascii or not color:
        _name_lines(strips, plot, places, range(top, top + layout.rows))
    if plot.cursor is not None and layout.rows:
        column = _column(plot.x, plot.cursor, places)
        put_cursor(strips, column, range(top, top + layout.rows), ascii=ascii)
    foot = top + layout.rows - (not layout.line)
    for one in plot.marks:
        name = one.color if color and one.color != "default" else None
        put(strips, _column(plot.x, one.x, places), foot, one.letter, Style(color=name, bold=True))
    return strips


def data_at(plot: Plot, size: Size, column: int, row: int) -> tuple[float, float] | None:
    """Return the point in the middle of a cell of the drawn plot; None outside the canvas."""
    layout = _Layout.fit(plot, size.width, size.height)
    column, row = column - layout.gutter, row - layout.legend - len(layout.caption)
    if not (0 <= column < layout.columns and 0 <= row < layout.rows):
        return None
    across, up = column / max(1, layout.columns - 1), 1 - row / max(1, layout.rows - 1)
    x, y = plot.x, plot.y
    return x.lower + across * (x.upper - x.lower), y.lower + up * (y.upper - y.lower)


class Chart(Widget):
    """Shows one plot at a time, and repaints only the lines that changed."""

    DEFAULT_CSS = """
    Chart {
        width: 1fr;
        height: 1fr;
    }
    """

    def __init__(self, *, id: str | None = None, can_focus: bool = False) -> None:
        super().__init__(id=id)
        self.can_focus = can_focus
        self.plot: Plot | None = None
        """The plot that is shown."""
        self._strips: list[Strip] = []
        self._drawn_at: Size | None = None
        self._canvas = Canvas()

    def show(self, plot: Plot) -> None:
        """Show `plot`; lines that look the same as before are not repainted."""
        if plot == self.plot:
            return
        self.plot = plot
        self._entitle(plot.title)
        if self._drawn_at != self.size or not self.is_on_screen:
            self._drawn_at = None
            self.refresh()
            return
        old, self._strips = self._strips, self._draw(plot)
        changed = [
            Region(0, y, self.size.width, 1)
            for y, (was, now) in enumerate(zip(old, self._strips, strict=True))
            if was != now
        ]
        if changed:
            self.refresh(*changed)

    def on_resize(self) -> None:
        """Fit the title to the new width."""
        if self.plot:
            self._entitle(self.plot.title)

    def _entitle(self, title: str) -> None:
        """Set the title, with as many of its parts as fit."""
        parts = title.split(" · ")
        room = self.outer_size.width - _TITLE_EDGES
        while len(parts) > 1 and room > 0 and cell_len(" · ".join(parts)) > room:
            parts.pop()
        set_border_title(self, " · ".join(parts))

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the content, from the strips drawn last."""
        style = self.visual_style.rich_style
        if self.plot is None:
            return Strip.blank(self.size.width, style)
        if self._drawn_at != self.size:
            self._strips = self._draw(self.plot)
            self._drawn_at = self.size
        return self._strips[y].apply_style(style)

    def _draw(self, plot: Plot) -> list[Strip]:
        color = not self.app.no_color
        ascii = getattr(self.app, "ascii_only", False)
        width, height = self.size
        return draw(plot, width, height, color=color, ascii=ascii, canvas=self._canvas)


@dataclass(frozen=True)
class _Layout:
    """The division of the cells: `gutter` is the margin left of the canvas with the axis line."""

    gutter: int
    columns: int
    rows: int
    legend: bool
    line: bool
    labels: bool
    caption: Sequence[str]

    @classmethod
    def fit(cls, plot: Plot, width: int, height: int) -> "_Layout":
        legend = bool(plot.legend) and height >= 3
        labels = bool(plot.x.ticks) and height >= 6
        line = labels and height >= 9
        gutter = max((cell_len(label) for _, label in plot.y.ticks), default=0) + 1
        if height < 4 or width < gutter + 16:
            gutter = 0
        caption = wrap(plot.caption, width)
        caption = caption if len(caption) <= (height - _LEAST_CAPTIONED) // 2 else []
        rows = height - len(caption) - legend - labels - line
        return cls(gutter, width - gutter, rows, legend, line, labels, caption)


# The frame: plain text around the canvas.


def _legend_row(plot: Plot, width: int, gutter: int, *, color: bool, ascii: bool) -> list[Segment]:
    """Marker and label of each series, after the label of the y axis where there is room."""
    names = [series.label for series in plot.legend]
    if plot.values:
        names = _with_values(names, plot.values, width)
    title = plot.y.label
    cells = gap = 2
    full = sum(cell_len(name) + cells + 1 for name in names) + gap * (len(names) - 1)
    indent = max(gutter, cell_len(title) + 2 if title else 0)
    if indent + full > width:
        title, indent = "", min(gutter, max(0, width - full))
    if full > width:
        cells = gap = 1
        names = _shortened(names, width)
    segments = [Segment(set_cell_size(title, indent), FRAME)]
    for index, (series, name) in enumerate(zip(plot.legend, names, strict=True)):
        count = cells if series.kind == "line" else 1
        mark = sample(series, ascii=ascii)
        segments.append(Segment(" " * gap if index else ""))
        segments.append(Segment(mark * count, style(series, color=color)))
        segments.append(Segment(f" {name}"))
    return segments


def _with_values(names: Sequence[str], values: Sequence[str], width: int) -> list[str]:
    """Each name with its value; the values alone, where not all of that fits."""
    both = [f"{name} {value}".rstrip() for name, value in zip(names, values, strict=True)]
    return both if sum(cell_len(one) + 3 for one in both) - 1 <= width else list(values)


def _shortened(names: Sequence[str], width: int) -> list[str]:
    """Names cut to the longest length at which marker, space and name of all fit `width`."""
    for longest in range(max(map(cell_len, names)), 1, -1):
        cut = [set_cell_size(name, min(longest, cell_len(name))) for name in names]
        if sum(cell_len(name) + 3 for name in cut) - 1 <= width:
            return cut
    return [set_cell_size(name, 1) for name in names]


def _margin(axis: Axis, layout: _Layout, *, ascii: bool) -> Iterator[str]:
    """Return the cells left of each row of the canvas: tick labels and the axis."""
    ruler, tick = ("|", "+") if ascii else ("│", "┤")
    labels: dict[int, str] = {}
    if layout.gutter:
        rows = [(cell(1 - unit(axis, at), layout.rows), label) for at, label in axis.ticks]
        inside = [tick for tick in rows if 0 <= tick[0] < layout.rows]
        labels = dict(_thinned(inside, lambda a, b: a[0] - b[0] >= 2))
    for row in range(layout.rows):
        mark = (tick if row in labels else ruler) if layout.gutter else ""
        yield labels.get(row, "").rjust(max(0, layout.gutter - 1)) + mark


def _thinned(ticks: Sequence[Tick], apart: Callable[[Tick, Tick], bool]) -> Sequence[Tick]:
    """Every tick, or every second, third ... one, so that neighbours are ``apart``."""
    for stride in range(1, len(ticks)):
        kept = ticks[::stride]
        if all(apart(a, b) for a, b in pairwise(kept)):
            return kept
    return ticks[:1]


def _spread(axis: Axis, columns: int, gutter: int, width: int) -> Sequence[tuple[int, int, str]]:
    """Ticks of the x axis as (column, start of label, label), thinned until labels keep apart."""
    placed = []
    for at, label in axis.ticks:
        column = cell(unit(axis, at), columns)
        middle = gutter + column - cell_len(label) // 2
        if 0 <= column < columns:
            start = max(0, min(width - cell_len(label), middle))
            placed.append((gutter + column, start, label))
    return _thinned(placed, lambda a, b: a[1] + cell_len(a[2]) + 2 <= b[1])


def _bottom_line(ticks: Sequence[tuple[int, int, str]], layout: _Layout, *, ascii: bool) -> str:
    corner, ruler, tick = ("+", "-", "+") if ascii else ("└", "─", "┬")
    columns = {column for column, _, _ in ticks}
    line = "".join(
        tick if layout.gutter + column in columns else ruler for column in range(layout.columns)
    )
    return " " * (layout.gutter - 1) + corner + line if layout.gutter else line


def _bottom_labels(axis: Axis, ticks: Sequence[tuple[int, int, str]], width: int) -> str:
    """Tick labels, and the label of the axis in the last gap that is wide enough for it."""
    line = ""
    gaps = []
    for _, start, label in ticks:
        gaps.append((cell_len(line), start))
        line = set_cell_size(line, start) + label
    gaps.append((cell_len(line), width))
    for start, end in reversed(gaps):
        if axis.label and end - start >= cell_len(axis.label) + 4:
            middle = start + (end - start - cell_len(axis.label)) // 2
            rest = line[middle + len(axis.label) :]
            return set_cell_size(line[:middle], middle) + axis.label + rest
    return line


def _name_lines(strips: list[Strip], plot: Plot, places: range, rows: range) -> None:
    """Each line's name after its newest point: without colour it is found sooner so."""
    for one in plot.legend:
        ends = [(x, y) for x, y in zip(one.x, one.y, strict=True) if math.isfinite(x + y)]
        if one.kind == "line" and ends and rows:
            x, y = ends[-1]
            row = rows.start + cell(1 - unit(plot.y, y), len(rows))
            put_label(strips, _column(plot.x, x, places) + 1, row, rows, one.label)


def _column(axis: Axis, at: float, places: range) -> int:
    """The column among ``places``, those of the canvas, in which ``at`` is drawn."""
    column = cell(unit(axis, at), len(places))
    return places.start + max(0, min(len(places) - 1, column))
