"""The Sweep screen: groups of settings and seeds with their results, as a table and as charts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from textual.widget import Widget

from core.events import Snapshot
from core.session.api import Session
from tui_meta.screens.dialogs.type_in import TypeIn
from tui_meta.screens.filtered_page import FilteredPage
from tui_meta.screens.sweep.table_and_chart import TableAndChart
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.pages import SWEEP_KEYS
from tui_meta.views.keys.table import Key
from tui_meta.views.messages.describe import display_path
from tui_meta.views.shell import shell_command
from tui_meta.views.sweep.chart_choice import ChartChoice, possible
from tui_meta.views.sweep.folder import SweepReader, sweep_at
from tui_meta.views.sweep.head import best_line, progress_line
from tui_meta.views.sweep.live import live_status
from tui_meta.views.sweep.rows import copied_groups, copied_runs, group_listing, run_listing
from tui_meta.views.sweep.status import SweepGroup, SweepStatus
from tui_meta.views.sweep.table import Listing, Table
from tui_meta.views.sweep.words import footnotes
from tui_meta.views.tabular import Rows, separated
from tui_meta.views.text import Line, Span, line, wrap
from tui_meta.widgets.lines import Lines

LOOK_SECONDS = 1.0
"""Interval at which a folder is looked at, and a session's runs are summed up."""

PATIENCE = 10
"""A look that took long is followed by a pause of so many times its length."""

_NOTED_HEIGHT = 28
"""Rows from which the meaning of the numbers is below the table."""

Found = tuple[SweepStatus, Listing]
"""What a look has found, and its table."""

_LONGEST_PATH = 4_096

_ALL_GROUPS = Key("escape", "back", "all groups", "", 2, name="back")
_NO_WAY_BACK = Key("escape", "back", "", "", 0, name="back")


class SweepPage(FilteredPage):
    """Shows the runs of the session as a sweep, or a sweep's folder, which threads read.

    It follows whatever trains them, and never writes. ``home`` is the folder that is shown first.
    """

    NAME = "Sweep"
    AUTO_FOCUS = ""
    KEYS = SWEEP_KEYS
    FILTER_HINT = "words of group, settings, states"
    SHOW_ALL = _ALL_GROUPS

    def __init__(
        self, session: Session, dashboard: DashboardState, home: Path | None = None
    ) -> None:
        super().__init__(session, dashboard)
        self._home = home
        self._show(home)

    def _show(self, folder: Path | None) -> None:
        """Show the sweep in ``folder``, or that of the session, from now on."""
        self._reader = SweepReader(folder) if folder else None
        self._sweep = SweepStatus()
        self._groups = Table(group_listing(self._sweep))
        self._runs: Table | None = None
        self._opened = ""
        """The name of the group whose runs are shown."""
        self._choice = ChartChoice()
        self._turned = False
        self._looking = self._looked = False
        self._rested = 0.0
        """The time from which folders are looked at again."""
        self._problem = ""
        self._painted: dict[str, tuple[object, ...]] = {}

    def body(self) -> Iterable[Widget]:
        yield Lines(id="head")
        yield self.filter_line()
        yield TableAndChart(id="sweep")
        yield Lines(id="notes")

    def on_mount(self) -> None:
        """Follow the runs."""
        self.set_interval(max(LOOK_SECONDS, self.dashboard.rates.tick), self.look)

    def on_screen_resume(self) -> None:
        """Look at the runs, which have continued meanwhile."""
        self._looking = False
        self.look()

    # Reading.

    def look(self) -> None:
        """Look for what is new, unless that is under way or the screen is covered."""
        if self._looking or not self.in_front or time.monotonic() < self._rested:
            return
        reader, before = self._reader, self._sweep
        if reader is None:
            sweep = live_status(self.dashboard)
            self._take((sweep, group_listing(sweep)) if sweep != before else None)
            return
        self._looking = True

        began = time.monotonic()

        def find(_: object) -> Found | None:
            sweep = reader.look(time.time())
            if sweep is before:
                return None
            listing = group_listing(sweep)
            listing.prepare()
            return sweep, listing

        def take(found: Found | None) -> None:
            if reader is self._reader:
                now = time.monotonic()
                self._rested = now + PATIENCE * (now - began)
                self._take(found)

        self.compute("look", find, take, self._fail)

    def _take(self, found: Found | None) -> None:
        self._looking, self._looked, self._problem = False, True, ""
        if found:
            self._sweep, listing = found
            self._groups = self._groups.showing(listing)
            if group := self._sweep.by_name.get(self._opened):
                self._runs = (self._runs or Table(run_listing(group))).showing(run_listing(group))
            self.tick()

    def _fail(self, problem: str) -> None:
        self._looking, self._looked = False, True
        if problem != self._problem:  # not at every look
            self._problem = problem
            self.show_error(problem)

    # What is shown.

    @property
    def _table(self) -> Table:
        return self._runs or self._groups

    @property
    def _group(self) -> SweepGroup | None:
        """The opened group, or the one under the cursor."""
        return self._sweep.by_name.get(self._opened or self._groups.current)

    @property
    def _where(self) -> str:
        return display_path(str(self._reader.path)) if self._reader else "this session"

    @property
    def runs_in_focus(self) -> Sequence[Snapshot]:
        """The runs of the group in focus, if they are those of the session."""
        titles = self.dashboard.titles
        names = {one.name for one in self._group.runs} if self._group else set()
        return [one for run, one in self.dashboard.snapshots.items() if titles[run] in names]

    @property
    def footer_keys(self) -> Sequence[Key]:
        across, up = self._choice.across_of(self._sweep), self._choice.up_of(self._sweep)
        unused = {"open"} if self._opened else set()
        unused |= set() if across and not self._opened else {"axis('x')"}
        unused |= set() if up and not self._opened else {"axis('y')"}
        keys = [one for one in self.KEYS if one.action not in unused]
        if self._opened or self.wanted:
            return [*keys, _ALL_GROUPS]
        return keys if self._has_way_back else [*keys, _NO_WAY_BACK]

    @property
    def _has_way_back(self) -> bool:
        """True if there is another screen below, or another folder was shown first."""
        is_other = self._reader is not None and self._reader.path != self._home
        return is_other or len(self.app.screen_stack) > 1

    def copied(self) -> tuple[str, Rows]:
        """Return the table: the groups in their order on the screen, or the runs."""
        return "sweep", self._rows()

    def files(self) -> Mapping[str, str]:
        files = {"table.csv": separated(self._rows(), ",")}
        svg = self.query_one(TableAndChart).chart.svg
        return {"map.svg": svg, **files} if svg else files

    def _rows(self) -> Rows:
        group = self._sweep.by_name.get(self._opened)
        if group:
            return copied_runs(group)
        return copied_groups(self._sweep, [row.key for row in self._groups.listing.shown])

    def show_info(self) -> None:
        """Show what the runs of the group are; of a folder, where the selected network is."""
        if self._reader is None:
            super().show_info()
        elif self._runs is None:
            self.show_message(f"{self.dashboard.key('sweep open')}: the runs of the group")
        else:
            self._show_run(self._runs.current)

    def _show_run(self, name: str) -> None:
        group, reader = self._group, self._reader
        run = next((one for one in group.runs if one.name == name), None) if group else None
        if run is None or reader is None:
            return
        said = f"{run.name}: {run.state}"
        if run.problem:
            said += f", {run.problem}"
        if run.network:
            said += f"; {shell_command('tui-meta', 'eval', reader.path / run.network)}"
        self.show_result(said)

    # Painting.

    def paint(self) -> None:
        body = self.query_one(TableAndChart)
        below = self.query_one("#notes", Lines)
        below.display = self.size.height >= _NOTED_HEIGHT
        if below.display and self._is_new("notes", self._sweep, below.size.width):
            notes = [row for one in self._notes() for row in wrap(one, below.size.width)]
            below.styles.height = max(1, len(notes))
            below.show([line(Span(one, "dim")) for one in notes])
        self._paint_head()
        groups = [] if self._opened else [row.key for row in self._groups.listing.shown]
        body.chart.prepare(self._sweep, groups, self._group, self._choice)
        waits = self.dashboard.rates.answers_first
        is_new = body.arrange_parts(self._table.listing, turned=self._turned, draws=not waits)
        if is_new:
            self.call_after_refresh(self.tick)
        looks = body.chart.looks if body.parts.chart else {}
        if self._is_new("table", self._table, body.parts, self._looked, looks):
            size = body.parts.table_width, body.parts.table_rows
            body.table.show(self._table_lines(*size, looks))
        if body.parts.chart and not (is_new and waits):
            body.chart.paint()

    def _notes(self) -> list[str]:
        notes = footnotes([one.summary for one in self._sweep.groups])
        if self._reader:
            report = shell_command("tui-meta", "report", self._reader.path)
            notes.append(f"as Markdown, CSV or LaTeX: {report}")
        return notes

    def _paint_head(self) -> None:
        head, group = self.query_one("#head", Lines), self._sweep.by_name.get(self._opened)
        width = head.size.width
        if not self._looked:
            head.show([line(Span(f"reading {self._where}…", "dim"))])
            return
        order, wanted = f"by {self._table.sort}", self.wanted
        shown = f"{len(self._table.listing.shown)} with “{wanted}”, {order}" if wanted else order
        sweep = SweepStatus((group,)) if group else self._sweep
        where = group.name if group else self._where
        first = best_line(self._sweep, width)
        head.show([first, progress_line(sweep, where, shown, width)])

    def _table_lines(self, width: int, height: int, looks: Mapping[str, Span]) -> list[Line]:
        if self._table.listing.shown or not self._looked:
            return self._table.lines(width, height, looks)
        if self.wanted:
            key = Span(self.dashboard.key("back"), "bold")
            return [line(f"nothing with “{self.wanted}”; ", key, ": show all")]
        return [line("no runs")]

    def _is_new(self, part: str, *content: object) -> bool:
        """Return False if this part of the screen shows this content already."""
        before, self._painted[part] = self._painted.get(part), content
        return content != before

    # Keys.

    def action_back(self) -> None:
        """Leave the filter, an opened group, another folder, or the screen."""
        if self.is_typing or (self.wanted and not self._opened):
            self.end_filter("")
        elif self._opened:
            self._runs, self._opened = None, ""
        elif self._reader and self._reader.path != self._home:
            self._show(self._home)
            self.look()
        elif len(self.app.screen_stack) > 1 or self.dashboard.messages.dismiss():
            super().action_back()
            return
        else:
            key = self.dashboard.key
            self.show_message(f"{key('quit')}: quit · {key('help')}: help")
        self.tick()

    def action_move(self, steps: int) -> None:
        """Go to another row."""
        self._set_table(self._table.moved(steps))

    def action_page(self, pages: int) -> None:
        """Move by as many rows as are visible."""
        rows = self.query_one(TableAndChart).parts.table_rows
        self.action_move(pages * max(1, rows - 2))

    def action_sort(self, steps: int) -> None:
        self._set_table(self._table.sorted_by_next(steps))

    def _set_table(self, table: Table) -> None:
        if self._runs:
            self._runs = table
        else:
            self._groups = table
        self.tick()

    def action_open(self) -> None:
        """Show the runs of the group under the cursor."""
        group = self._group
        if group and not self._opened:
            self._opened, self._runs = group.name, Table(run_listing(group))
            self.tick()

    def action_other_chart(self) -> None:
        """Show the next chart; where only one part fits, the table after the last of them."""
        parts = self.query_one(TableAndChart).parts
        both = parts.table and parts.chart
        kinds = possible(self._sweep)
        if both and (self._opened or len(kinds) == 1):
            self.show_message("no other chart for this")
        elif self._turned or both:
            if self._opened:
                self._turned = False
            else:
                self._choice = self._choice.turned(self._sweep)
                self._turned = both or self._choice.kind != kinds[0]
        else:
            self._turned = True
        self.tick()
        self.call_after_refresh(self.tick)

    def action_axis(self, which: Literal["x", "y"]) -> None:
        """Show the chart over another setting."""
        choice, sweep = self._choice, self._sweep
        other = choice.with_other_across(sweep) if which == "x" else choice.with_other_up(sweep)
        if self._opened or other == choice:
            self.show_message(f"no other setting for the {which} axis")
            return
        self._choice = other
        self.tick()

    def action_loss_scale(self) -> None:
        scale: Literal["linear", "log"] = "log" if self._choice.scale == "linear" else "linear"
        self._choice = replace(self._choice, scale=scale)
        self.show_message(f"loss axis: {'logarithmic' if scale == 'log' else 'linear'}")
        self.tick()

    def action_filter(self) -> None:
        self.open_filter()

    @property
    def wanted(self) -> str:
        return self._table.listing.wanted

    def filter_by(self, wanted: str) -> None:
        if self._runs:
            self._runs = self._runs.filtered(wanted)
        else:
            self._groups = self._groups.filtered(wanted)

    def action_folder(self) -> None:
        """Ask for the folder of another sweep."""
        typed = "" if self._reader is None else str(self._reader.path)
        hint = "a folder made by tui-meta sweep, wherever its runs are trained"
        asked = TypeIn("sweep", typed, hint, sweep_at, longest=_LONGEST_PATH)
        self.app.push_screen(asked, self._open_folder)

    def _open_folder(self, folder: Path | None) -> None:
        if folder:
            self._show(folder)
            self.look()
            self.tick()
