"""A heat map of the validation loss over two settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tui_meta.views.numbers import loss
from tui_meta.views.plots.heat import COLORS, Ramp, heat_cell
from tui_meta.views.sweep.settings import Setting
from tui_meta.views.sweep.status import SweepGroup, SweepStatus, comparable
from tui_meta.views.sweep.words import setting_words
from tui_meta.views.text import Line, Span, clip, fit, line

_LABEL_CELLS = 16
_NARROWEST, _NUMBERED, _WIDEST = 2, 8, 16
"""Cells of a column: at least, with a number, and at most."""

_HIGHEST = 5
_FRAME_ROWS = 3
"""The names of the columns, that of their setting, and the scale."""

LIGHT_STEPS = 3
"""Colours of the scale, from the darkest on, on which text is light."""

Place = tuple[str, str]
"""The values of the two settings in words: across, up."""


@dataclass(frozen=True)
class HeatMap:
    """The groups by their values of ``across`` and of ``up``.

    A cell is the best of its groups, which differ in the settings that are left.
    """

    sweep: SweepStatus
    groups: Sequence[SweepGroup]
    across: Setting
    up: Setting

    def place(self, group: SweepGroup | None) -> Place | None:
        """Return the cell of a group, if it has both settings."""
        if group is None:
            return None
        values = [group.values.get(one.name) for one in (self.across, self.up)]
        return None if None in values else (setting_words(values[0]), setting_words(values[1]))

    @property
    def title(self) -> str:
        """What is shown over what."""
        return f"validation over {self.across.title} and {self.up.title}"

    @cached_property
    def cells(self) -> Mapping[Place, SweepGroup]:
        """The best group of each cell: one without a validation, if there is no other."""
        found: dict[Place, SweepGroup] = {}
        for group in self.groups:
            place = self.place(group)
            if place and (place not in found or _height(group) < _height(found[place])):
                found[place] = group
        return found

    @cached_property
    def best(self) -> Place | None:
        """The cell of the best group of the sweep."""
        return self.place(self.sweep.best)

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The decimal logarithms of the smallest and the largest loss that has not exploded."""
        logs = [math.log10(one) for one in comparable(self._means)]
        return (min(logs), max(logs)) if logs else (0.0, 0.0)

    @property
    def _means(self) -> Sequence[float]:
        return [one.mean for one in self.cells.values() if one.mean is not None]

    @cached_property
    def ends(self) -> tuple[str, str]:
        """The limits in words."""
        low, high = (loss(10**end) for end in self.limits)
        has_more = max(self._means, default=0.0) > 1.01 * 10 ** self.limits[1]
        return low, f"{high} and more" if has_more else high

    @cached_property
    def legend(self) -> str:
        """What the mark is, and what a cell shows of several groups."""
        several = sum(self.place(one) is not None for one in self.groups) > len(self.cells)
        return "best; best of each cell" if several else "best"

    def lines(
        self, width: int, height: int, ramp: Ramp = COLORS, chosen: SweepGroup | None = None
    ) -> list[Line]:
        """Return the map with its scale, around the chosen group where not all of it fits."""
        across = [*map(setting_words, self.across.values)]
        up = [*map(setting_words, reversed(self.up.values))]
        label = min(_LABEL_CELLS, max(map(len, (*up, self.up.title))))
        room = max(1, width - label - 1)
        cell = max(_NARROWEST, min(_WIDEST, room // len(across)))
        here = self.place(chosen)
        at = here or self.best or (across[0], up[0])
        shown = _around(across, at[0], room // cell)
        rows = max(1, height - _FRAME_ROWS)
        high = max(1, min(_HIGHEST, rows // len(up)))
        lines = [self._scale(label, width, ramp)]
        for value in _around(up, at[1], rows // high):
            places = [(one, value) for one in shown]
            marks = [self._marks(place, here) for place in places]
            named = [self._cell(*of, cell, ramp) for of in zip(places, marks, strict=True)]
            plain = [self._cell(place, None, cell, ramp) for place in places] if high > 1 else []
            for part in range(high):
                is_named = part == (high - 1) // 2
                title = Span(f"{clip(value if is_named else '', label):>{label}} ", "dim")
                lines.append(fit(line(title, *(named if is_named else plain)), width))
        foot = "".join(f"{clip(one, cell - 1):^{cell}}" for one in shown)
        corner = f"{clip(self.up.title, label):>{label}} "
        lines.append(fit(line(Span(corner, "bold"), Span(foot, "dim")), width))
        under = Span(f"{self.across.title:^{cell * len(shown)}}", "bold")
        return [*lines, fit(line(" " * (label + 1), under), width)]

    def _marks(self, place: Place, here: Place | None) -> str:
        return ("▸" if place == here else "") + ("◆" if place == self.best else "")

    def _cell(self, place: Place, marks: str | None, size: int, ramp: Ramp) -> Span:
        """Return a cell with its marks and its number, or the colour alone."""
        group = self.cells.get(place)
        if group is None:
            return Span(" " * size)
        number = loss(group.mean) if size >= _NUMBERED else ""
        text = "" if marks is None else f"{marks}{number}"
        if group.mean is None:
            return Span(f"{'' if marks is None else text or '-':^{size}}"[:size], "dim")
        step = heat_cell(ramp, group.mean, self.limits)
        if not step.style:
            shade = step.text * (size - 1 - len(text) - bool(text))
            return Span(f"{shade} {text}".ljust(size))
        light = ramp.index(step) < LIGHT_STEPS
        style = f"{'bold ' if marks else ''}color({231 if light else 16}) on {step.style}"
        return Span(f"{text:^{size}}", style)

    def _scale(self, label: int, width: int, ramp: Ramp) -> Line:
        low, high = self.ends
        steps = [Span(one.text * 2, one.style) for one in ramp]
        ends = f" {high}   ◆ {self.legend}"
        return fit(line(Span(f"{'loss':>{label}} {low} "), *steps, ends), width)


def _height(group: SweepGroup) -> float:
    return math.inf if group.mean is None else group.mean


def _around(values: Sequence[str], at: str, room: int) -> Sequence[str]:
    """Return as many of ``values`` as there is room for, with ``at`` among them."""
    room = max(1, room)
    place = values.index(at) if at in values else 0
    first = max(0, min(place - room // 2, len(values) - room))
    return values[first : first + room]
