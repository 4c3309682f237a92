"""Which chart of a sweep is shown, over which settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from tui_meta.views.plots.axis import Scale
from tui_meta.views.sweep.settings import Setting
from tui_meta.views.sweep.status import SweepStatus

Kind = Literal["curves", "setting", "heat", "parallel"]


@dataclass(frozen=True)
class ChartChoice:
    """What the user chose; what is empty follows from the number of settings that vary."""

    kind: Kind | None = None
    across: str = ""
    up: str = ""
    scale: Scale = "log"

    def shown(self, sweep: SweepStatus) -> Kind:
        """Return the kind of chart that is shown."""
        kinds = possible(sweep)
        return self.kind if self.kind and self.kind in kinds else kinds[0]

    def turned(self, sweep: SweepStatus) -> ChartChoice:
        """Return the choice of the next kind."""
        kinds = possible(sweep)
        return replace(self, kind=kinds[(kinds.index(self.shown(sweep)) + 1) % len(kinds)])

    def across_of(self, sweep: SweepStatus) -> Setting | None:
        """Return the setting on the x axis, if the chart has one."""
        match self.shown(sweep):
            case "setting":
                return _named(self.across, _numeric(sweep))
            case "heat":
                return _named(self.across, _with_partners(sweep))
        return None

    def up_of(self, sweep: SweepStatus) -> Setting | None:
        """Return the setting on the y axis of a heat map."""
        across = self.across_of(sweep)
        if across is None or self.shown(sweep) != "heat":
            return None
        return _named(self.up, _partners(sweep, across))

    def with_other_across(self, sweep: SweepStatus) -> ChartChoice:
        """Return the choice of the next setting for the x axis."""
        across, heat = self.across_of(sweep), self.shown(sweep) == "heat"
        if across is None:
            return self
        return replace(
            self, across=_after(across, _with_partners(sweep) if heat else _numeric(sweep))
        )

    def with_other_up(self, sweep: SweepStatus) -> ChartChoice:
        """Return the choice of the next setting for the y axis."""
        across, up = self.across_of(sweep), self.up_of(sweep)
        if across is None or up is None:
            return self
        return replace(self, up=_after(up, _partners(sweep, across)))


def possible(sweep: SweepStatus) -> Sequence[Kind]:
    """Return the kinds of charts that there are, the one that fits best first."""
    kinds: list[Kind] = []
    if len(sweep.dimensions) > 2:
        kinds.append("parallel")
    if _with_partners(sweep):
        kinds.append("heat")
    if _numeric(sweep):
        kinds.append("setting")
    if len(sweep.dimensions) == 2:
        kinds.append("parallel")
    return [*kinds, "curves"]


def _numeric(sweep: SweepStatus) -> Sequence[Setting]:
    return [one for one in sweep.dimensions if one.is_numeric]


def _with_partners(sweep: SweepStatus) -> Sequence[Setting]:
    """Return the settings that a heat map has others for, those with most numbers first."""
    paired = {one.name for pair in _pairs(sweep) for one in pair}
    found = [one for one in sweep.dimensions if one.name in paired]
    return sorted(found, key=lambda one: (not one.is_numeric, -len(one.values)))


def _partners(sweep: SweepStatus, setting: Setting) -> Sequence[Setting]:
    return [one for pair in _pairs(sweep) if setting in pair for one in pair if one is not setting]


def _pairs(sweep: SweepStatus) -> Sequence[tuple[Setting, Setting]]:
    """Return the pairs of settings that some group has both of."""
    return [
        pair
        for pair in combinations(sweep.dimensions, 2)
        if any(all(one.name in group.values for one in pair) for group in sweep.groups)
    ]


def _named(name: str, settings: Sequence[Setting]) -> Setting | None:
    return next((one for one in settings if one.name == name), settings[0] if settings else None)


def _after(setting: Setting, settings: Sequence[Setting]) -> str:
    return settings[(settings.index(setting) + 1) % len(settings)].name
