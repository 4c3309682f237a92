"""A heat map as an SVG picture, as charts are for papers and slides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui_meta.views.numbers import loss
from tui_meta.views.plots.heat import COLORS, heat_cell
from tui_meta.views.plots.svg import HEIGHT, WIDTH, document, text_at
from tui_meta.views.sweep.heat_map import LIGHT_STEPS, HeatMap
from tui_meta.views.sweep.words import setting_words

_COLORS = ("#5f0087", "#5f5faf", "#0087af", "#00af87", "#5fd75f", "#afd700", "#ffff5f")
"""Those of the terminal's scale."""

_LEFT, _TOP, _RIGHT, _BOTTOM = 140.0, 70.0, 20.0, 60.0
_SWATCH = 22.0
_LEAST_NUMBERED = (44.0, 16.0)
"""Pixels of a cell in which there is room for a number."""

_MIDDLE = 'text-anchor="middle"'
_END = 'text-anchor="end"'
_BOLD = 'font-weight="bold"'


def heat_svg(heat: HeatMap) -> str:
    """Return the whole map with its scale, with a number in each cell that has room for it."""
    low, high = heat.ends
    title = f"{heat.title}; ◆ {heat.legend}"
    parts = [*_scale(title, low, high), *_cells(heat), *_labels(heat)]
    return document(heat.title, f"loss from {low} to {high}, logarithmic", parts)


def _scale(title: str, low: str, high: str) -> Iterator[str]:
    yield text_at(20, 22, title, _BOLD)
    yield text_at(_LEFT - 8, 50, f"loss {low}", _END)
    for place, color in enumerate(_COLORS):
        yield _rect(_LEFT + place * _SWATCH, 38, _SWATCH, 15, color)
    yield text_at(_LEFT + len(_COLORS) * _SWATCH + 8, 50, high)


def _cells(heat: HeatMap) -> Iterator[str]:
    columns, rows = _words(heat.across.values), _words(heat.up.values)
    width, height = _size(len(columns), len(rows))
    has_numbers = width >= _LEAST_NUMBERED[0] and height >= _LEAST_NUMBERED[1]
    for column, across in enumerate(columns):
        for row, up in enumerate(reversed(rows)):
            group = heat.cells.get((across, up))
            if group is None:
                continue
            x, y = _LEFT + column * width, _TOP + row * height
            step = 0
            if group.mean is not None:
                step = COLORS.index(heat_cell(COLORS, group.mean, heat.limits))
                yield _rect(x, y, width, height, _COLORS[step])
            mark = "◆" if (across, up) == heat.best else ""
            said = f"{mark}{loss(group.mean) if has_numbers else ''}"
            if said:
                light = step < LIGHT_STEPS and group.mean is not None
                fill = f'fill="{"#ffffff" if light else "#000000"}"'
                yield text_at(x + width / 2, y + height / 2 + 5, said, _MIDDLE, fill)


def _labels(heat: HeatMap) -> Iterator[str]:
    columns, rows = _words(heat.across.values), _words(heat.up.values)
    width, height = _size(len(columns), len(rows))
    for column in _spread(len(columns), width, 44):
        x = _LEFT + (column + 0.5) * width
        yield text_at(x, HEIGHT - _BOTTOM + 18, columns[column], _MIDDLE)
    for row in _spread(len(rows), height, 16):
        y = HEIGHT - _BOTTOM - (row + 0.5) * height + 5
        yield text_at(_LEFT - 8, y, rows[row], _END)
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    yield text_at(middle, HEIGHT - _BOTTOM + 42, heat.across.title, _MIDDLE, _BOLD)
    yield text_at(_LEFT - 8, HEIGHT - _BOTTOM + 18, heat.up.title, _END, _BOLD)


def _spread(count: int, size: float, least: float) -> range:
    """Return as many of the places of so many cells as have ``least`` pixels for a name."""
    return range(0, count, max(1, round(least / size + 0.5) if size < least else 1))


def _size(columns: int, rows: int) -> tuple[float, float]:
    return (WIDTH - _LEFT - _RIGHT) / columns, (HEIGHT - _TOP - _BOTTOM) / rows


def _words(values: Sequence[object]) -> list[str]:
    return [*map(setting_words, values)]


def _rect(x: float, y: float, width: float, height: float, color: str) -> str:
    size = f'width="{width:.2f}" height="{height:.2f}"'
    return f'<rect x="{x:.2f}" y="{y:.2f}" {size} fill="{color}"/>'
