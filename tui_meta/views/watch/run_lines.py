"""The lines of the runs on the Watch screen: one a run, or one a group of runs with many seeds."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from core.evaluation.seed_interval import SeedInterval
from core.events import ENDED, Snapshot
from core.session.api import View
from tui_meta.views.event_history import EventHistory
from tui_meta.views.run_groups import RunGroup, run_groups
from tui_meta.views.run_status import RunStatus, run_row
from tui_meta.views.text import Line
from tui_meta.views.watch import layout
from tui_meta.views.watch.groups import GroupStatus, SeedCurves, group_row, group_status


class RunLines:
    """Which lines there are, and which of them is chosen.

    Many runs with seeds have a line a group. An opened group has a line for each of its runs, and
    the charts show these alone.
    """

    def __init__(self) -> None:
        self.run: int | None = None
        """The run whose line had the focus last; of the line of a group, one that trains."""
        self.begin({}, {})

    def begin(self, snapshots: Mapping[str, Snapshot], titles: Mapping[str, str]) -> None:
        """Take the runs of a session, in place of others."""
        self._count = len(snapshots)
        self.many = self._count > layout.MOST_IN_DETAIL
        found = run_groups(list(snapshots.values())) if self.many else ()
        self.groups: Sequence[RunGroup] = () if all(one.is_single for one in found) else found
        self._group_of = {run: group for group in self.groups for run in group.members}
        self._leads = [group.members[0] for group in self.groups]
        self.curves = SeedCurves()
        self._rows: dict[str, tuple[object, Line]] = {}
        """The line of each name, and what it was made of."""
        self.titles = {layout.run_line(n): titles[run] for n, run in enumerate(snapshots)}
        """The names of all lines."""
        for number, group in enumerate(self.groups):
            self.titles[layout.group_line(number)] = group.label
        self._open(None)

    def grow(self, snapshots: Mapping[str, Snapshot], titles: Mapping[str, str]) -> None:
        """Take further runs of the session, after the present ones."""
        opened = self.opened
        self.begin(snapshots, titles)
        if opened:
            self._open(self.group_of(layout.run_line(opened.members[0])))

    @property
    def noun(self) -> str:
        """What the lines are."""
        return "lines" if self.groups else "runs"

    @property
    def every(self) -> Sequence[str]:
        """The names of all lines that may be shown, from top to bottom."""
        if not self.groups:
            return [layout.run_line(run) for run in range(self._count)]
        names = []
        for number, group in enumerate(self.groups):
            names += [] if group.is_single else [layout.group_line(number)]
            names += map(layout.run_line, group.members)
        return names

    def _open(self, group: RunGroup | None) -> None:
        """Show a line for each run of ``group`` and one for each other group."""
        self.opened = group
        self.shown: Sequence[str] = [name for name in self.every if self._is_shown(name)]
        """The names of the lines that there are now."""
        self._title_cells = max((len(self.titles[name]) for name in self.shown), default=0)

    def _is_shown(self, name: str) -> bool:
        group = self.group_of(name)
        if group is None:
            return True
        return (self.opened is group) != (name == self._closed_line(group))

    def group_of(self, name: str) -> RunGroup | None:
        """Return the group that the line belongs to, unless that is a single run."""
        if not self.groups:
            return None
        if layout.is_group(name):
            return self.groups[layout.number(name)]
        group = self._group_of[layout.number(name)]
        return None if group.is_single else group

    def _closed_line(self, group: RunGroup) -> str:
        return layout.group_line(self.groups.index(group))

    @property
    def chosen(self) -> int | None:
        """The run that is in front of the others."""
        return 0 if self.run is None and self.many else self.run

    @property
    def line(self) -> str:
        """The line of the chosen run, or of its group."""
        name = layout.run_line(self.chosen or 0)
        group = self.group_of(name)
        return name if group is None or self.opened is group else self._closed_line(group)

    @property
    def order(self) -> Sequence[str]:
        """Everything that can have the focus, in the order of the tab key."""
        return layout.focus_order(self._count, self.line)

    def runs_of(self, name: str) -> Sequence[int]:
        """Return the runs that a line shows."""
        number = layout.number(name)
        return self.groups[number].members if layout.is_group(name) else (number,)

    def among(self, runs: Sequence[Snapshot], name: str) -> list[Snapshot]:
        """Return those of all ``runs`` that a line shows."""
        return [runs[number] for number in self.runs_of(name)]

    def choose(self, name: str, runs: Sequence[Snapshot]) -> bool:
        """Choose the run of a line; of the line of a group, the first that trains.

        False if that is the chosen one already.
        """
        before, members = self.run, self.runs_of(name)
        training = (one for one in members if runs[one].state == "training")
        chosen = self.run if self.run in members else None
        if chosen is None or runs[chosen].state in ENDED:
            self.run = next(training, members[0] if chosen is None else chosen)
        return self.run != before

    def open_group(self) -> None:
        """Show a line for each run of the chosen group."""
        self._open(self.group_of(self.line))

    def close_group(self) -> bool:
        """Show one line for the opened group again; False if there is none."""
        had_one = self.opened is not None
        self._open(None)
        return had_one

    @property
    def view(self) -> View:
        """Return what is chosen and opened, to be restored by the next client."""
        run = None if self.run is None else layout.run_line(self.run)
        return {"run": run, "group": self.opened.label if self.opened else None}

    def restore(self, view: View) -> None:
        """Restore the choice of another client, where there are such lines."""
        runs, groups = range(self._count), (one for one in self.groups if not one.is_single)
        self.run = next((one for one in runs if layout.run_line(one) == view.get("run")), None)
        self._open(next((one for one in groups if one.label == view.get("group")), None))

    def drawn(self, statuses: Sequence[RunStatus]) -> Sequence[RunStatus]:
        """Return what has a curve: groups, or the runs of the opened one, or all runs."""
        return [self._status(name, statuses) for name in self.shown if self._is_drawn(name)]

    def _is_drawn(self, name: str) -> bool:
        return self.opened is None or self.group_of(name) is self.opened

    def _status(self, name: str, statuses: Sequence[RunStatus]) -> RunStatus:
        """Return what a line shows; its ``index`` is its place among what is drawn with it."""
        number = layout.number(name)
        if not self.groups:
            return statuses[number]
        if layout.is_group(name):
            return group_status(self.groups[number], number, statuses)
        group = self._group_of[number]
        siblings = group.members if self.opened is group else self._leads
        return replace(statuses[number], index=siblings.index(number))

    def one(self, run: RunStatus) -> RunStatus:
        """Return the chosen run for panels that show it alone, with the look of its curve."""
        if not self.groups:
            return run
        # A run without a curve has the look of no other.
        look = self._count if self.front is None else self.front
        return replace(run, index=look)

    @property
    def front(self) -> int | None:
        """The ``index`` of the chosen one among what is drawn."""
        chosen = self.chosen
        if chosen is None or not self.groups:
            return chosen
        if self.opened:
            return self.opened.members.index(chosen) if chosen in self.opened.members else None
        return self.groups.index(self._group_of[chosen])

    def rows(
        self,
        numbers: Sequence[int],
        statuses: Sequence[RunStatus],
        history: EventHistory,
        width: int,
    ) -> Mapping[str, Line]:
        """Return the lines with these ``numbers``, by name."""
        line = self.line
        rows = {}
        for name in [self.shown[number] for number in numbers]:
            one = self._status(name, statuses)
            seeds = self.curves.of(one, history) if isinstance(one, GroupStatus) else None
            cells = (width, self._title_cells, name == line, self._is_drawn(name))
            made_of = (one, seeds and seeds.newest, *cells)
            if self._rows.get(name, (None, ()))[0] != made_of:
                self._rows[name] = made_of, _row(*made_of)
            rows[name] = self._rows[name][1]
        return rows


def _row(
    one: RunStatus,
    seeds: SeedInterval | None,
    width: int,
    title_cells: int,
    is_chosen: bool,
    is_drawn: bool,
) -> Line:
    if isinstance(one, GroupStatus):
        return group_row(one, seeds, width, title_cells, chosen=is_chosen, marked=is_drawn)
    return run_row(one, width, title_cells, chosen=is_chosen, marked=is_drawn)
