"""The charts of a sweep: curves, the loss over one setting, and all settings in parallel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from core.evaluation.seed_interval import SeedInterval
from core.experiments.summary import curve_of
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plots.axis import Axis, Limits, Scale, on_scale
from tui_meta.views.plots.plot import BAND_EDGES, Plot, Series, curve, empty_plot
from tui_meta.views.run_status import sample_of
from tui_meta.views.sweep.settings import Setting
from tui_meta.views.sweep.status import SweepGroup, SweepStatus, comparable
from tui_meta.views.sweep.words import setting_words
from tui_meta.views.text import Span
from tui_meta.views.watch.groups import OVER_SEEDS, SEED_BAND

MOST_LINES = 5
"""Lines in one chart, beyond which bands hide each other: the best and the chosen are among them.
"""

MOST_PARALLEL = 40
"""Lines in parallel; of more groups, the best are drawn."""

_MARGIN = 0.04
"""Share of an axis beyond its outermost points."""


@dataclass(frozen=True)
class Shown:
    """A sweep, and what charts show of it: the groups that the table lists.

    It stays the same while another of them is chosen, and computes what does not depend on that
    once.
    """

    sweep: SweepStatus
    groups: Sequence[SweepGroup]
    scale: Scale = "log"

    @cached_property
    def measured(self) -> Sequence[SweepGroup]:
        """The groups with a validation, the best first."""
        found = [(one.mean, one) for one in self.groups if one.mean is not None]
        return [one for _, one in sorted(found, key=lambda pair: pair[0])]

    @cached_property
    def _lines(self) -> dict[str, Mapping[str, Sequence[SweepGroup]]]:
        return {}

    def lines_over(self, setting: Setting) -> Mapping[str, Sequence[SweepGroup]]:
        """Return the groups of each line over a setting, by its name; the best line first."""
        if setting.name not in self._lines:
            lines: dict[str, list[SweepGroup]] = {}
            for group in self.measured:
                lines.setdefault(_line_of(group, setting, self.sweep), []).append(group)
            self._lines[setting.name] = lines
        return self._lines[setting.name]

    def curve_names(self, chosen: SweepGroup | None) -> Mapping[str, str]:
        """Return the name of the curve of each group that has one."""
        return {one.name: self.sweep.label(one) for one in self.in_front(chosen)}

    def line_names(self, setting: Setting) -> Mapping[str, str]:
        """Return the name of each group's line over a setting."""
        lines = self.lines_over(setting)
        return {group.name: name for name, groups in lines.items() for group in groups}

    def in_front(self, chosen: SweepGroup | None) -> Sequence[SweepGroup]:
        """Return the best groups and the chosen one, in the order of the sweep."""
        first = [one for one in (chosen, *self.measured) if one]
        few = dict.fromkeys(one.name for one in first).keys() or [one.name for one in self.groups]
        kept = set([*few][:MOST_LINES])
        return [one for one in self.sweep.groups if one.name in kept]


def curves_plot(shown: Shown, chosen: SweepGroup | None) -> Plot:
    """Return the validation loss over iterations, with its band over seeds."""
    groups, series, lines = shown.in_front(chosen), list[Series](), list[Series]()
    losses: list[float] = []
    last = 1
    for index, group in enumerate(groups):
        points = _of_several(curve_of(group.summary))
        last = max(last, *points) if points else last
        edges = _edges(points.values())
        losses += [one for one in (*edges[0], *edges[1]) if math.isfinite(one)]
        losses += [one.mean for one in points.values()]
        means = [one.mean for one in points.values()]
        lines.append(
            curve(shown.sweep.label(group), [*points], on_scale(means, shown.scale), index)
        )
        series += _band(lines[-1], edges, shown.scale)
    total = len(shown.sweep.groups)
    few = f", {whole(len(groups))} of {whole(total)} groups" if len(groups) < total else ""
    names = ", ".join(one.title for one in shown.sweep.dimensions)
    return Plot(
        f"validation{f' by {names}' if names and total > 1 else ''}{few}",
        (*series, *lines),
        Limits(0, last).axis("iteration"),
        _loss_axis(losses, shown.scale),
        "no validation yet",
        caption=SEED_BAND if series else "",
    )


def _of_several(points: Mapping[int, SeedInterval]) -> Mapping[int, SeedInterval]:
    """Leave out where a single seed is left of several, which is not a mean over seeds."""
    least = min(2, max((one.n for one in points.values()), default=0))
    return {at: one for at, one in points.items() if one.n >= least}


def setting_plot(shown: Shown, setting: Setting, chosen: SweepGroup | None) -> Plot:
    """Return the validation loss over one setting, with a line for each value of the others.

    Groups without the setting are level lines.
    """
    lines = shown.lines_over(setting)
    kept = list(lines)[:MOST_LINES]
    own = _line_of(chosen, setting, shown.sweep) if chosen else ""
    if own in lines and own not in kept:
        kept[-1] = own
    series: list[Series] = []
    losses: list[float] = []
    axis = _setting_axis(setting)
    for index, name in enumerate(kept):
        drawn = _over_setting(name, lines[name], setting, axis, index, shown.scale)
        series += drawn
        losses += [10**y if shown.scale == "log" else y for one in drawn for y in one.y]
    best = shown.sweep.best
    if best and best.mean is not None and setting.name in best.values and best in shown.groups:
        at = ([setting.place(best.values[setting.name])], on_scale([best.mean], shown.scale))
        series.append(Series("best", *at, "points", marker="◆"))
    few = f", the best {whole(len(kept))} of {whole(len(lines))}" if len(kept) < len(lines) else ""
    has_band = any(not one.listed for one in series)
    return Plot(
        f"validation over {setting.title}{few}",
        tuple(series),
        axis,
        _loss_axis([one for one in losses if math.isfinite(one)], shown.scale),
        "no result yet",
        caption=SEED_BAND if has_band else "",
    )


def looks(plot: Plot, names: Mapping[str, str]) -> Mapping[str, Span]:
    """Return samples of the lines of groups, by the ``names`` of these; nothing for one line."""
    lines = {one.label: sample_of(one) for one in plot.legend if one.kind == "line"}
    found = {group: lines[name] for group, name in names.items() if name in lines}
    return found if len(lines) > 1 else {}


def _line_of(group: SweepGroup, setting: Setting, sweep: SweepStatus) -> str:
    """Return the name of the line through a group: its values of the other settings."""
    algorithm = str(group.values.get("algorithm", "validation"))
    if setting.name not in group.values:  # named as the lines of other algorithms are
        return algorithm if group.name.casefold() == algorithm else group.name
    others = [(one, group.values.get(one.name)) for one in sweep.dimensions if one is not setting]
    words = [one.named(value) for one, value in others if value is not None]
    return ", ".join(words) or algorithm


def _over_setting(
    name: str, groups: Sequence[SweepGroup], setting: Setting, axis: Axis, index: int, scale: Scale
) -> list[Series]:
    """Return a line through the groups with its band, or a level line."""
    if setting.name not in groups[0].values:
        y = on_scale([groups[0].mean or math.nan], scale) * 2
        level = curve(name, (axis.lower, axis.upper), y, index)
        return [replace(level, marker="dotted")]
    placed = sorted((setting.place(one.values[setting.name]), n) for n, one in enumerate(groups))
    ordered = [groups[n] for _, n in placed]
    x = [place for place, _ in placed]
    points = [one.summary.validation for one in ordered]
    intervals = [one for one in points if one]
    line = curve(name, x, on_scale([one.mean for one in intervals], scale), index)
    return [*_band(line, _edges(intervals), scale), line]


def parallel_plot(shown: Shown, chosen: SweepGroup | None) -> Plot:
    """Return an axis for each setting and one for the loss, and a line for each group."""
    settings, measured = shown.sweep.dimensions, shown.measured
    if not measured:
        return empty_plot("settings in parallel", "no result yet")
    drawn = [*measured[:MOST_PARALLEL]]
    if chosen and chosen.mean is not None and chosen not in drawn:
        drawn[-1] = chosen
    ends = comparable(one.mean for one in measured if one.mean is not None)
    low, high = on_scale((min(ends, default=1.0), max(ends, default=1.0)), shown.scale)
    x = range(len(settings) + 1)
    series = []
    for group in reversed(drawn):
        y = [_share(one, group) for one in settings]
        (at,) = on_scale([group.mean or math.nan], shown.scale)
        y.append(min(1.0, (at - low) / (high - low)) if high > low else 0.5)
        series.append(Series("", x, y, dim=True, listed=False))
        if group is chosen:
            series[-1] = curve(f"selected: {shown.sweep.label(group)}", x, y, 1)
        if group is shown.sweep.best:
            series[-1] = curve(f"best: {shown.sweep.label(group)}", x, y, 0)
    named = [one for one in series if one.listed]
    few = f", the best {whole(len(drawn))} of {whole(len(measured))} groups"
    titles = (*(one.title for one in settings), "validation")
    return Plot(
        f"settings in parallel{few if len(drawn) < len(measured) else ''}",
        (*(one for one in series if not one.listed), *named),
        Axis(-0.2, len(settings) + 0.2, places=tuple(zip(map(float, x), titles, strict=True))),
        Axis(-0.05, 1.05, ticked=False),
        caption=" · ".join(
            [
                *map(_range, settings),
                f"validation {loss(min(ends, default=None))} to {loss(max(ends, default=None))}",
            ]
        ),
    )


def _range(setting: Setting) -> str:
    """Return the values of a setting in words, as they are from bottom to top."""
    if setting.is_numeric or len(setting.values) > MOST_LINES:
        ends = setting.values[0], setting.values[-1]
        return f"{setting.title} {' to '.join(map(setting_words, ends))}"
    return f"{setting.title} {' / '.join(map(setting_words, setting.values))}"


def _share(setting: Setting, group: SweepGroup) -> float:
    """Return how high the value of a group is on an axis from 0 to 1; NaN if it has none."""
    value = group.values.get(setting.name)
    if value is None:
        return math.nan
    low, high = (setting.place(setting.values[end]) for end in (0, -1))
    return (setting.place(value) - low) / (high - low) if high > low else 0.5


def _setting_axis(setting: Setting) -> Axis:
    places = [setting.place(one) for one in setting.values]
    room = _MARGIN * (places[-1] - places[0])
    ticks = tuple(zip(places, map(setting_words, setting.values), strict=True))
    lower, upper = places[0] - room, places[-1] + room
    return Axis(lower, upper, setting.title, setting.scale, places=ticks)


def _loss_axis(losses: Iterable[float], scale: Scale) -> Axis:
    values = comparable(losses)
    shown = (0.0, *values) if values and scale == "linear" else values
    return Limits.unknown(scale).follow(shown).axis("loss")


def _edges(points: Iterable[SeedInterval]) -> tuple[list[float], list[float]]:
    both = [(one.low, one.high) for one in points]
    return [low for low, _ in both], [high for _, high in both]


def _band(line: Series, edges: Sequence[Sequence[float]], scale: Scale) -> list[Series]:
    """Return the two edges of a band; none without an interval."""
    if not any(map(math.isfinite, edges[0])):
        return []
    return [
        Series(
            f"{line.label}{OVER_SEEDS}{name}",
            line.x,
            on_scale(edge, scale),
            color=line.color,
            marker="dotted",
            dim=True,
            listed=False,
        )
        for name, edge in zip(BAND_EDGES, edges, strict=True)
    ]
