"""The frame of a drawn chart: its division into cells, axes with ticks, and legend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from tui_meta.upstream.plotext import cell
from tui_meta.views.plots.axis import Axis, Tick, choose_ticks
from tui_meta.views.plots.plot import Plot, rescaled
from tui_meta.views.short_names import shorter_forms
from tui_meta.views.text import clip, wrap
from tui_meta.widgets.canvas import FRAME, line_mark, sample, style, unit

_LEAST_CAPTIONED = 6
"""Rows of a plot without a caption; each row of it takes two more."""

_LOW_STRIP, _HIGH_STRIP = 3, 5
"""Rows of a strip: odd numbers, so that 0 has a row in its middle."""

_LEAST_WITH_HIGH_STRIP = 18
"""Rows of curves and strip together, below which it is a low one."""

_ROWS_APART = 2
_BLANKS = 4
"""Least distance of ticks: rows on the y axis, cells between two labels on the x axis."""


class Layout(Struct, frozen=True):
    """The division of the cells: ``gutter`` is the margin left of the canvas with the axis line.

    ``y_ticks`` are labels by row of the canvas; ``x_ticks`` (column, start of label, label), both
    counted from the left edge of the chart. The ``strip`` has so many rows, besides its title.
    """

    gutter: int
    columns: int
    rows: int
    legend: bool
    line: bool
    labels: bool
    caption: Sequence[str]
    y_ticks: Sequence[tuple[int, str]]
    x_ticks: Sequence[tuple[int, int, str]]
    strip: int
    strip_ticks: Sequence[tuple[int, str]]

    @classmethod
    def fit(cls, plot: Plot, width: int, height: int) -> Layout:
        """Return the layout of ``plot`` in ``width`` by ``height`` cells."""
        legend = bool(plot.legend) and height >= 3
        labels = plot.x.ticked and height >= 6
        line = labels and height >= 9
        caption = wrap(plot.caption, width)
        caption = caption if len(caption) <= (height - _LEAST_CAPTIONED) // 2 else []
        rows = height - len(caption) - legend - labels - line
        strip = _strip_rows(plot, rows)
        rows -= strip + bool(strip)
        y_ticks = _y_ticks(plot.y, rows)
        strip_ticks = _y_ticks(plot.strip.y, strip) if plot.strip else ()
        gutter = max((cell_len(label) for _, label in (*y_ticks, *strip_ticks)), default=0) + 1
        if height < 4 or width < gutter + 16 or not (plot.series or plot.y.ticked):
            gutter = 0
        columns = width - gutter
        x_ticks = _x_ticks(plot.x, columns, gutter) if labels else ()
        if not gutter:
            y_ticks = strip_ticks = ()
        return cls(
            gutter=gutter,
            columns=columns,
            rows=rows,
            legend=legend,
            line=line,
            labels=labels,
            caption=caption,
            y_ticks=y_ticks,
            x_ticks=x_ticks,
            strip=strip,
            strip_ticks=strip_ticks,
        )


def scaled(plot: Plot, width: int, height: int) -> Plot:
    """Return the plot with axes of the same scale, if it asks for them, and a factor if not."""
    if not plot.same_scale:
        return plot
    layout = Layout.fit(plot, width, height)
    if layout.columns <= 0 or layout.rows <= 0:
        return plot
    # A cell is about twice as high as it is wide.
    return rescaled(plot, layout.columns, 2 * layout.rows)


def _strip_rows(plot: Plot, rows: int) -> int:
    """Return the rows of the strip, of ``rows`` for it, its title and the curves; 0 if too few."""
    if plot.strip is None or rows < plot.strip.least_rows:
        return 0
    return _LOW_STRIP if rows < _LEAST_WITH_HIGH_STRIP else _HIGH_STRIP


def _y_ticks(axis: Axis, rows: int) -> Sequence[tuple[int, str]]:
    def placed(ticks: Sequence[Tick]) -> Sequence[tuple[int, str]]:
        return [(cell(1 - unit(axis, at), rows), label) for at, label in ticks]

    def fits(ticks: Sequence[Tick]) -> bool:
        return all(a - b >= _ROWS_APART for (a, _), (b, _) in pairwise(placed(ticks)))

    return placed(choose_ticks(axis, fits)) if rows > 0 else ()


def _x_ticks(axis: Axis, columns: int, gutter: int) -> Sequence[tuple[int, int, str]]:
    """Return the ticks of an x axis, with room for its label among theirs where there is any.

    A tick between others may have none for it.
    """

    def placed(ticks: Sequence[Tick]) -> Sequence[tuple[int, int, str]]:
        found = []
        for at, label in ticks:
            column = gutter + cell(unit(axis, at), columns)
            start = min(gutter + columns - cell_len(label), column - cell_len(label) // 2)
            found.append((column, max(0, start), label))
        return found

    def apart(ticks: Sequence[Tick]) -> bool:
        labels = [(start, start + cell_len(label)) for _, start, label in placed(ticks)]
        return all(end + _BLANKS <= start for (_, end), (start, _) in pairwise(labels))

    def apart_and_named(ticks: Sequence[Tick]) -> bool:
        return apart(ticks) and bool(_label_place(axis, placed(ticks), gutter + columns))

    if columns <= 0:
        return ()
    ticks = placed(choose_ticks(axis, apart))
    if _label_place(axis, ticks, gutter + columns):
        return ticks
    for place in range(len(ticks) - 2, 1, -1):
        column, start, _ = ticks[place]
        without = [*ticks[:place], (column, start, ""), *ticks[place + 1 :]]
        if _label_place(axis, without, gutter + columns):
            return without
    named = choose_ticks(axis, apart_and_named)
    return placed(named) if len(named) > 1 else ticks


def _label_place(axis: Axis, ticks: Sequence[tuple[int, int, str]], width: int) -> int:
    """Return where the label of an x axis begins: in the last gap that holds it; 0 without one."""
    size = cell_len(axis.label)
    labels = [(start, start + cell_len(label)) for _, start, label in ticks if label]
    starts = [*(start for start, _ in labels), width]
    ends = [0, *(end for _, end in labels)]
    for start, end in zip(reversed(ends), reversed(starts), strict=True):
        if end - start >= size + 2:
            return start + (end - start - size) // 2
    return 0


def legend_row(plot: Plot, width: int, gutter: int, *, color: bool, ascii: bool) -> list[Segment]:
    """Marker and label of each series, after the label of the y axis where there is room."""
    names: Sequence[str] = [series.label for series in plot.legend]
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
        mark = sample(series, ascii=ascii) * count
        if series.kind == "line" and not (color or ascii):
            mark = mark[:-1] + (line_mark(series) or mark[-1])
        segments.append(Segment(" " * gap if index else ""))
        segments.append(Segment(mark, style(series, color=color)))
        segments.append(Segment(f" {name}"))
    return segments


def _with_values(names: Sequence[str], values: Sequence[str], width: int) -> Sequence[str]:
    """Each name with its value, in a form that fits; the values alone where there is none."""
    for form in shorter_forms(names):
        both = [f"{name} {value}".rstrip() for name, value in zip(form, values, strict=True)]
        if _fit(both, width):
            return both
    return values


def _shortened(names: Sequence[str], width: int) -> Sequence[str]:
    """Return a form of the names in which marker, space and name of all fit `width`, or cut ones.

    What several share at their beginning goes first.
    """
    forms = list(shorter_forms(names))
    longest = max(map(cell_len, forms[-1]))
    forms += [[clip(name, cells) for name in forms[-1]] for cells in range(longest, 1, -1)]
    forms.append([set_cell_size(name, 1) for name in names])
    return next((form for form in forms if _fit(form, width)), forms[-1])


def _fit(names: Sequence[str], width: int) -> bool:
    """Return whether the names fit, each with a marker and a space."""
    return sum(cell_len(name) + 3 for name in names) - 1 <= width


def margin(layout: Layout, *, ascii: bool) -> Iterator[str]:
    """Return the cells left of each row of the canvas: tick labels and the axis."""
    return _margin(layout.gutter, layout.rows, dict(layout.y_ticks), ascii=ascii)


def strip_margin(layout: Layout, *, ascii: bool) -> Iterator[str]:
    """Return the cells left of each row of the strip."""
    return _margin(layout.gutter, layout.strip, dict(layout.strip_ticks), ascii=ascii)


def _margin(gutter: int, rows: int, labels: Mapping[int, str], *, ascii: bool) -> Iterator[str]:
    ruler, tick = ("|", "+") if ascii else ("│", "┤")
    for row in range(rows):
        mark = (tick if row in labels else ruler) if gutter else ""
        yield labels.get(row, "").rjust(max(0, gutter - 1)) + mark


def strip_title(layout: Layout, title: str, *, ascii: bool) -> str:
    """Return the line between curves and strip."""
    corner, ruler = ("+", "-") if ascii else ("├", "─")
    start = " " * (layout.gutter - 1) + corner if layout.gutter else ""
    text = f"{start}{ruler} {title} "
    return text + ruler * (layout.gutter + layout.columns - cell_len(text))


def bottom_line(layout: Layout, *, ascii: bool) -> str:
    """Return the axis below the canvas, with its ticks."""
    corner, ruler, tick = ("+", "-", "+") if ascii else ("└", "─", "┬")
    columns = {column for column, _, _ in layout.x_ticks}
    line = "".join(
        tick if layout.gutter + column in columns else ruler for column in range(layout.columns)
    )
    return " " * (layout.gutter - 1) + corner + line if layout.gutter else line


def bottom_labels(axis: Axis, layout: Layout) -> str:
    """Return tick labels, and the label of the axis where there is room for it."""
    texts = [(start, label) for _, start, label in layout.x_ticks if label]
    place = _label_place(axis, layout.x_ticks, layout.gutter + layout.columns)
    texts += [(place, axis.label)] if place else []
    line = ""
    for start, text in sorted(texts):
        line = set_cell_size(line, start) + text
    return line
