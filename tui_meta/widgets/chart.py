"""Draws a plot in a terminal: its curves, the frame around them, and overlays.

Axes, ticks and legend are drawn here, so that they keep their place, do not change the limits of
the data, and disappear in a defined order when room is short.
"""

import math
from itertools import islice

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from tui_meta.upstream.key_order import KeysToApplication
from tui_meta.upstream.plotext import cell
from tui_meta.upstream.repaint import (
    FocusStyledOnce,
    LaidOutOnce,
    set_border_subtitle,
    set_border_title,
)
from tui_meta.upstream.rows import QuickRows
from tui_meta.views.event_history import mark_words
from tui_meta.views.plots.axis import Axis
from tui_meta.views.plots.plot import Plot
from tui_meta.views.text import clip_middle
from tui_meta.widgets.canvas import FRAME, Canvas, line_mark, sample, unit
from tui_meta.widgets.frame import (
    Layout,
    bottom_labels,
    bottom_line,
    legend_row,
    margin,
    scaled,
    strip_margin,
    strip_title,
)
from tui_meta.widgets.overlay import put, put_cursor, put_label

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
    plot = scaled(plot, width, height)
    layout = Layout.fit(plot, width, height)
    strips = [Strip([Segment(row, FRAME)]).adjust_cell_length(width) for row in layout.caption]
    if layout.legend:
        legend = Strip(legend_row(plot, width, layout.gutter, color=color, ascii=ascii))
        strips.append(legend.adjust_cell_length(width))
    top = len(strips)
    canvas = canvas or Canvas()
    curves = canvas.draw(plot, layout.columns, layout.rows, color=color, ascii=ascii)
    strips += [
        Strip([Segment(left, FRAME), *row], width)
        for left, row in zip(margin(layout, ascii=ascii), curves, strict=True)
    ]
    if plot.strip and layout.strip:
        title = strip_title(layout, plot.strip.title, ascii=ascii)
        strips.append(Strip([Segment(title, FRAME)]).adjust_cell_length(width))
        lower = Plot("", plot.strip.series, plot.x, plot.strip.y, empty="")
        curves = canvas.below.draw(lower, layout.columns, layout.strip, color=color, ascii=ascii)
        strips += [
            Strip([Segment(left, FRAME), *row], width)
            for left, row in zip(strip_margin(layout, ascii=ascii), curves, strict=True)
        ]
    canvas_rows = range(top, len(strips))
    below = [bottom_line(layout, ascii=ascii)] if layout.line else []
    below += [bottom_labels(plot.x, layout)] if layout.labels else []
    strips += [Strip([Segment(row, FRAME)]).adjust_cell_length(width) for row in below]
    places = range(layout.gutter, width)
    rows = range(top, top + layout.rows)
    _name_lines(strips, plot, places, rows, plain=ascii or not color, ascii=ascii)
    if plot.cursor is not None and layout.rows:
        column = _column(plot.x, plot.cursor, places)
        put_cursor(strips, column, canvas_rows, ascii=ascii)
    foot = canvas_rows.stop - (not layout.line)
    for one in plot.marks:
        name = one.color if color and one.color != "default" else None
        put(strips, _column(plot.x, one.x, places), foot, one.letter, Style(color=name, bold=True))
    return strips


def data_at(plot: Plot, size: Size, column: int, row: int) -> tuple[float, float] | None:
    """Return the point in the middle of a cell of the drawn plot; None outside the canvas."""
    layout = Layout.fit(plot, size.width, size.height)
    column, row = column - layout.gutter, row - layout.legend - len(layout.caption)
    if not (0 <= column < layout.columns and 0 <= row < layout.rows):
        return None
    across, up = column / max(1, layout.columns - 1), 1 - row / max(1, layout.rows - 1)
    x, y = plot.x, plot.y
    return x.lower + across * (x.upper - x.lower), y.lower + up * (y.upper - y.lower)


class Chart(LaidOutOnce, FocusStyledOnce, KeysToApplication):
    """Shows one plot at a time, and repaints only the lines that changed."""

    DEFAULT_CSS = """
    Chart {
        width: 1fr;
        height: 1fr;
    }
    """

    def __init__(self, *, id: str | None = None, can_focus: bool = False) -> None:
        super().__init__(id=id)
        self._styles_cache = QuickRows()
        self.can_focus = can_focus
        self.panel = id or ""
        """The name of what it shows."""
        self.plot: Plot | None = None
        """The plot that is shown."""
        self._strips: list[Strip] = []
        self._drawn_at: Size | None = None
        self._is_kept = False
        """True while the strips may be of another size, until the next plot."""
        self._canvas = Canvas()
        self._text_below = ""

    def show(self, plot: Plot) -> None:
        """Show `plot`; lines that look the same as before are not repainted."""
        kept, self._is_kept = self._is_kept, False
        if plot == self.plot and not (kept and self._drawn_at != self.size):
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

    def await_plot(self, *, draws: bool) -> None:
        """Prepare for another size, and a plot: one that comes before it is drawn at that size.

        Without ``draws`` the lines of now are shown until the plot comes, cut or padded.
        """
        self._is_kept = not draws and bool(self._strips)
        if not self._is_kept:
            self._drawn_at = None

    def show_below(self, text: str) -> None:
        """Show ``text`` at the lower edge, after what the letters there mean if that fits."""
        self._text_below = text
        marks = self.plot.marks if self.plot else ()
        parts = [mark_words({one.letter for one in marks}), text]
        both = " · ".join(filter(None, parts))
        set_border_subtitle(self, both if cell_len(both) <= self._title_cells else text)

    def on_resize(self) -> None:
        """Fit the texts at the edges to the new width."""
        if self.plot:
            self._entitle(self.plot.title)
        self.show_below(self._text_below)

    def _entitle(self, title: str) -> None:
        """Set the title, with as many of its parts as fit.

        The name in front of two blanks gives way to the numbers after them.
        """
        parts = title.split(" · ")
        room = self._title_cells
        while len(parts) > 1 and room > 0 and cell_len(" · ".join(parts)) > room:
            parts.pop()
        name, gap, numbers = parts[0].partition("  ")
        if numbers and len(parts) == 1:
            parts = [f"{clip_middle(name, room - cell_len(gap + numbers))}{gap}{numbers}"]
        set_border_title(self, " · ".join(parts))

    @property
    def _title_cells(self) -> int:
        """The cells of an edge for a text."""
        return self.outer_size.width - _TITLE_EDGES

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the plot, unless that is done or is to wait for the next one."""
        size = self.size
        if self.plot and not self._is_kept and self._drawn_at != size:
            self._strips = self._draw(self.plot)
            self._drawn_at = size
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the content, from the strips drawn last."""
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        strip = strip.adjust_cell_length(self.size.width)
        return strip.apply_style(self.visual_style.rich_style)

    def _draw(self, plot: Plot) -> list[Strip]:
        color = not self.app.no_color
        ascii = getattr(self.app, "ascii_only", False)
        width, height = self.size
        return draw(plot, width, height, color=color, ascii=ascii, canvas=self._canvas)


class TurningChart(Chart):
    """Has the place of several charts, and keeps each of them as it was drawn last.

    To show another one in it lays out nothing and moves no focus.
    """

    def __init__(self, *, id: str, can_focus: bool = False) -> None:
        super().__init__(id=id, can_focus=can_focus)
        self._others: dict[str, tuple[Plot | None, list[Strip], Size | None, Canvas, str]] = {}

    def turn_to(self, panel: str) -> None:
        """Show the chart ``panel`` as it was, until its next plot."""
        if panel == self.panel:
            return
        shown = self.plot, self._strips, self._drawn_at, self._canvas, self._text_below
        self._others[self.panel] = shown
        new = None, list[Strip](), None, Canvas(), ""
        kept = self._others.get(panel, new)
        self.plot, self._strips, self._drawn_at, self._canvas, below = kept
        self.panel = panel
        self._entitle(self.plot.title if self.plot else "")
        self.show_below(below)
        self.refresh()


def _name_lines(
    strips: list[Strip], plot: Plot, places: range, rows: range, *, plain: bool, ascii: bool
) -> None:
    """Put each line's tag, or without colour its mark and name, at its newest point."""
    named = list[tuple[float, float, str]]()
    for one in plot.series:
        name = one.tag
        if plain and one.label and one.listed:
            mark = sample(one, ascii=True) if ascii else line_mark(one)
            name = f"{mark} {one.label}".strip()
        if name and one.kind == "line" and rows:
            newest = zip(reversed(one.y), reversed(one.x), strict=True)
            named += islice(((y, x, name) for y, x in newest if math.isfinite(x + y)), 1)
    # The lowest first: names that find no room but above their lines are in the lines' order.
    below = 0
    for y, x, name in sorted(named):
        row = rows.start + cell(1 - unit(plot.y, y), len(rows))
        below += put_label(strips, _column(plot.x, x, places) + 1, row, rows, name, below)


def _column(axis: Axis, at: float, places: range) -> int:
    """The column among ``places``, those of the canvas, in which ``at`` is drawn."""
    column = cell(unit(axis, at), len(places))
    return places.start + max(0, min(len(places) - 1, column))
