"""A plot as an SVG picture for papers and slides: lines, axes and text that any renderer draws.

Only paths, circles, lines and text of a generic font are used. The width of text is estimated, as
no renderer's fonts are known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from tui_meta.views.plots.axis import Axis, Tick, choose_ticks
from tui_meta.views.plots.lines import heads
from tui_meta.views.plots.plot import BAND_EDGES, Color, Marker, Plot, Series, rescaled
from tui_meta.views.printable import printable
from tui_meta.views.text import wrap

WIDTH, HEIGHT = 720.0, 440.0
"""Pixels of a picture."""

_LEFT, _RIGHT, _BELOW = 72.0, 20.0, 52.0
_LINE = 18.0
"""Height of a line of text."""
_SIZE = 13.0
_STRIP = 110.0
"""Height of a strip with the space above it."""
_DOTS_PER_PIXEL = 0.3
_EM = 0.62
"""Mean width of a character, in units of the size of the font."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

_COLORS: Mapping[Color, str] = {
    "default": "#444444",
    "bright_cyan": "#0089a8",
    "yellow": "#b87a00",
    "bright_magenta": "#c2327f",
    "bright_blue": "#3454d1",
    "bright_green": "#2f8f3a",
}
"""Those of the terminal, dark enough for white paper."""

_STROKES: Mapping[Marker, str] = {
    "dashed": "9 4",
    "short": "4 3",
    "dash-dot": "9 3 2 3",
    "dotted": "1.5 3.5",
}

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """The rectangle between the axes, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def x(self, axis: Axis, value: float) -> float:
        """Return the pixel of a position on the x axis."""
        share = (value - axis.lower) / (axis.upper - axis.lower)
        return self.left + share * (self.right - self.left)

    def y(self, axis: Axis, value: float) -> float:
        """Return the pixel of a position on the y axis."""
        share = (value - axis.lower) / (axis.upper - axis.lower)
        return self.bottom - share * (self.bottom - self.top)


def plot_svg(plot: Plot) -> str:
    """Return the plot as an SVG document."""
    header = list(_header(plot))
    legend, rows = _legend(plot, 14 + _LINE * len(header))
    bottom = HEIGHT - _BELOW - (_STRIP if plot.strip else 0)
    box = Box(_LEFT, 12 + _LINE * (len(header) + rows), WIDTH - _RIGHT, bottom)
    plot = rescaled(plot, box.right - box.left, box.bottom - box.top)
    limits = f"{_range('x', plot.x)}; {_range('y', plot.y)}"
    parts = [
        *header,
        *legend,
        *_panel("axes", plot, box, is_lowest=plot.strip is None),
        *_marks(plot, box),
    ]
    if plot.strip:
        below = Box(box.left, HEIGHT - _BELOW - _STRIP + 1.5 * _LINE, box.right, HEIGHT - _BELOW)
        parts.append(text_at(box.left, below.top - 6, plot.strip.title, 'fill="#666666"'))
        strip = Plot("", plot.strip.series, plot.x, plot.strip.y, cursor=plot.cursor)
        parts += _panel("strip", strip, below)
    return document(plot.title, limits, parts)


def document(title: str, description: str, parts: Iterable[str]) -> str:
    """Return an SVG document of these parts, with texts for readers that cannot see."""
    size = f'width="{WIDTH:g}" height="{HEIGHT:g}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" '
        f'font-size="{_SIZE:g}" fill="#222222">',
        f"<title>{_text(title)}</title>",
        f"<desc>{_text(description)}</desc>",
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#ffffff"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _panel(name: str, plot: Plot, box: Box, *, is_lowest: bool = True) -> Iterator[str]:
    """Yield axes, bands, curves and cursor; the lowest panel has the labels of x."""
    yield (
        f'<clipPath id="{name}"><rect x="{box.left:g}" y="{box.top:g}" '
        f'width="{box.right - box.left:g}" height="{box.bottom - box.top:g}"/></clipPath>'
    )
    yield from _axes(plot, box, is_lowest=is_lowest)
    yield f'<g clip-path="url(#{name})">'
    yield from _bands(plot, box)
    yield from _curves(plot, box)
    yield from _cursor(plot, box)
    yield "</g>"


def x_ticks(axis: Axis) -> Sequence[Tick]:
    """Return position and label of the ticks below a picture."""

    def fits(ticks: Sequence[Tick]) -> bool:
        pixels = WIDTH - _LEFT - _RIGHT
        middles = [pixels * (at - axis.lower) / (axis.upper - axis.lower) for at, _ in ticks]
        widths = [_width(label) for _, label in ticks]
        gaps = zip(pairwise(middles), pairwise(widths), strict=True)
        return all(
            right - left >= (one + other) / 2 + _SIZE for (left, right), (one, other) in gaps
        )

    return choose_ticks(axis, fits)


def y_ticks(axis: Axis, height: float = HEIGHT - 2 * _BELOW) -> Sequence[Tick]:
    """Return position and label of the ticks beside axes of ``height`` pixels."""
    least = 2 * _LINE * (axis.upper - axis.lower) / height
    return choose_ticks(axis, lambda some: all(b - a >= least for (a, _), (b, _) in pairwise(some)))


def _text(text: str) -> str:
    return printable(text).translate(_ESCAPES)


def _width(text: str) -> float:
    return len(text) * _EM * _SIZE


def _range(name: str, axis: Axis) -> str:
    """Return the limits of an axis in words, for readers that cannot see."""
    lower, upper = axis.value(axis.lower), axis.value(axis.upper)
    scale = ", logarithmic" if axis.scale == "log" else ""
    return f"{axis.label or name} from {lower:g} to {upper:g}{scale}"


def text_at(x: float, y: float, text: str, *attributes: str) -> str:
    """Return a text that begins at a point, or is where ``attributes`` put it."""
    return f'<text x="{x:.2f}" y="{y:.2f}" {" ".join(attributes)}>{_text(text)}</text>'


def _header(plot: Plot) -> Iterator[str]:
    """Yield the lines of the title and of the caption."""
    columns = int((WIDTH - 2 * _RIGHT) / (_EM * _SIZE))
    titles = wrap(plot.title, columns)
    for number, row in enumerate((*titles, *wrap(plot.caption, columns))):
        style = 'font-weight="bold"' if number < len(titles) else 'fill="#666666"'
        yield text_at(_RIGHT, 22 + _LINE * number, row, style)


def _legend(plot: Plot, top: float) -> tuple[Sequence[str], int]:
    """Return sample and name of each series from ``top`` on, and the number of rows.

    Series that a table beside the chart names on the screen are named here.
    """
    values = dict(zip((one.label for one in plot.legend), plot.values, strict=False))
    order = {label: place for place, label in enumerate(plot.names)}
    named = {one.label: one for one in plot.series if one.label and not _is_edge(one)}
    parts: list[str] = []
    x, row = _LEFT, 0
    for label in sorted(named, key=lambda label: order.get(label, -1)):
        series, name = named[label], f"{label} {values.get(label, '')}".rstrip()
        width = 50 + _width(name)
        if x + width > WIDTH - _RIGHT and x > _LEFT:
            x, row = _LEFT, row + 1
        y = top + _LINE * row + 8
        if series.kind == "line":
            parts.append(f'<path d="M{x:.2f} {y - 4:.2f}h24" {_stroke(series)}/>')
        else:
            parts.append(_symbol(series, (x + 12, y - 4)))
        parts.append(text_at(x + 30, y, name))
        x += width
    return parts, row + 1 if named else 0


def _axes(plot: Plot, box: Box, *, is_lowest: bool) -> Iterator[str]:
    """Yield the frame, the ticks with a grid, and the labels."""
    line = 'stroke="#dddddd" stroke-width="1"'
    for at, label in x_ticks(plot.x):
        x = box.x(plot.x, at)
        yield f'<path d="M{x:.2f} {box.top:.2f}V{box.bottom:.2f}" {line}/>'
        if is_lowest:
            yield text_at(x, box.bottom + 17, label, 'text-anchor="middle"')
    for at, label in y_ticks(plot.y, box.bottom - box.top):
        y = box.y(plot.y, at)
        yield f'<path d="M{box.left:.2f} {y:.2f}H{box.right:.2f}" {line}/>'
        yield text_at(box.left - 7, y + 4.5, label, 'text-anchor="end"')
    yield (
        f'<path d="M{box.left:.2f} {box.top:.2f}V{box.bottom:.2f}H{box.right:.2f}" '
        'fill="none" stroke="#444444"/>'
    )
    middle, centre = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    if plot.x.label and is_lowest:
        yield text_at(middle, box.bottom + 38, plot.x.label, 'text-anchor="middle"')
    if plot.y.label:
        turned = f'text-anchor="middle" transform="rotate(-90 18 {centre:.2f})"'
        yield text_at(18, centre, plot.y.label, turned)
    if not any(isfinite(y) for series in plot.series for y in series.y):
        yield text_at(middle, centre, plot.empty, 'text-anchor="middle"', 'fill="#666666"')


def _is_edge(series: Series) -> bool:
    """Return True for the edge of a band."""
    return series.label.endswith(BAND_EDGES)


def _bands(plot: Plot, box: Box) -> Iterator[str]:
    """Yield the area between the edges of each band."""
    edges = list(filter(_is_edge, plot.series))
    for low, high in zip(edges[::2], edges[1::2], strict=False):
        both = zip(_pieces(low, plot, box), _pieces(high, plot, box), strict=False)
        for lower, upper in both:
            path = _path([*lower, *reversed(upper)])
            yield f'<path d="{path}Z" fill="{_COLORS[low.color]}" fill-opacity="0.15"/>'


def _curves(plot: Plot, box: Box) -> Iterator[str]:
    """Yield lines, and points over them; the edges of bands are drawn as areas."""
    for series in plot.series:
        if series.kind == "line" and not _is_edge(series):
            pieces = list(_pieces(series, plot, box))
            path = "".join(_path(piece) for piece in pieces if len(piece) > 1)
            if path:
                yield f'<path d="{path}" {_stroke(series)}/>'
            for piece in pieces:
                if len(piece) == 1:
                    ((x, y),) = piece
                    yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="2" {_fill(series)}/>'
                elif series.arrows:
                    yield from _heads(series, piece)
            if series.tag and pieces:
                x, y = pieces[-1][-1]
                yield text_at(x + 6, y - 6, series.tag, f'fill="{_COLORS[series.color]}"')
    for series in plot.series:
        if series.kind == "points":
            for piece in _pieces(series, plot, box):
                yield from (_symbol(series, point) for point in piece)


def _heads(series: Series, points: Sequence[Point]) -> Iterator[str]:
    """Yield the arrow heads on a line: at its end and halfway."""
    vertices = [(x, y, True) for x, y in points]
    for x, y, eighths in heads(vertices, (_DOTS_PER_PIXEL, _DOTS_PER_PIXEL)):
        place = f"translate({x:.2f} {y:.2f}) rotate({45 * eighths:.1f})"
        yield f'<path d="M0 0l-9 -4v8Z" transform="{place}" {_fill(series)}/>'


def _pieces(series: Series, plot: Plot, box: Box) -> Iterator[list[Point]]:
    """Yield the pixels of a series between its gaps."""
    piece: list[Point] = []
    for x, y in zip(series.x, series.y, strict=True):
        if isfinite(x) and isfinite(y):
            piece.append((_bounded(box.x(plot.x, x)), _bounded(box.y(plot.y, y))))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _bounded(pixel: float) -> float:
    """Return a pixel that renderers can handle, far outside of the picture at most."""
    return max(-9_999.0, min(9_999.0, pixel))


def _path(points: Sequence[Point]) -> str:
    first, *rest = (f"{x:.2f} {y:.2f}" for x, y in points)
    return f"M{first}" + "".join(f"L{one}" for one in rest)


def _stroke(series: Series) -> str:
    dashes = _STROKES.get(series.marker)
    return " ".join(
        (
            f'fill="none" stroke="{_COLORS[series.color]}" stroke-width="1.8"',
            f'stroke-linejoin="round" stroke-opacity="{0.55 if series.dim else 1:g}"',
            f'stroke-dasharray="{dashes}"' if dashes else "",
        )
    ).rstrip()


def _fill(series: Series) -> str:
    return f'fill="{_COLORS[series.color]}" fill-opacity="{0.55 if series.dim else 1:g}"'


def _symbol(series: Series, point: Point) -> str:
    """Return one of the points of a series."""
    x, y = point
    line = f'fill="none" stroke="{_COLORS[series.color]}" stroke-width="1.8"'
    match series.marker:
        case "+":
            return f'<path d="M{x - 4:.2f} {y:.2f}h8M{x:.2f} {y - 4:.2f}v8" {line}/>'
        case "○":
            return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="4" {line}/>'
        case "◆":
            return f'<path d="M{x - 5:.2f} {y:.2f}l5 -5l5 5l-5 5Z" {_fill(series)}/>'
    radius = 2.5 if series.marker == "•" else 4
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius}" {_fill(series)}/>'


def _cursor(plot: Plot, box: Box) -> Iterator[str]:
    if plot.cursor is not None:
        x = box.x(plot.x, plot.cursor)
        yield f'<path d="M{x:.2f} {box.top:.2f}V{box.bottom:.2f}" stroke="#222222"/>'


def _marks(plot: Plot, box: Box) -> Iterator[str]:
    for mark in plot.marks:
        x, color = box.x(plot.x, mark.x), f'fill="{_COLORS[mark.color]}"'
        yield text_at(x, box.bottom - 5, mark.letter, 'text-anchor="middle"', color)
