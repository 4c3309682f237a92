"""The Runs screen: the folder of runs, one of them in detail, and several compared."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input

from core.session.api import Session
from core.storage.event_log_reader import history
from core.storage.run_index import RunSummary, list_runs, read_run
from tui_meta.screens.dialogs.ask import Answer, Ask
from tui_meta.screens.dialogs.info import Info
from tui_meta.screens.page import Page
from tui_meta.screens.runs.filter_input import FilterInput
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.describe import display_path
from tui_meta.views.keys.footer import keys_line
from tui_meta.views.keys.pages import RUNS_KEYS
from tui_meta.views.keys.table import Key
from tui_meta.views.plots.plot import Plot, empty_plot
from tui_meta.views.runs import details as run_details
from tui_meta.views.runs.curves import (
    MOST_CURVES,
    Losses,
    Which,
    both_losses,
    compared_plot,
    loss_plot,
)
from tui_meta.views.runs.report import Report, recorded_config, report
from tui_meta.views.runs.run_list import RunList, no_runs
from tui_meta.views.tabular import Rows, entry_rows
from tui_meta.views.text import Line, Span, line, printable
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines
from tui_meta.widgets.picture import Picture

Mode = Literal["list", "run", "curves"]

PREVIEW_WIDTH = 120
"""Columns from which the run under the cursor is shown next to the list."""

_CHART_HEIGHT = 22
"""Rows from which the curves of a run are shown below its facts."""


_KEEP = Key("enter", "", "keep the filter", "", 1)
_ALL_RUNS = Key("escape", "back", "all runs", "", 2, name="back")


@dataclass(frozen=True)
class _Read:
    """What is shown of a run; a long log is gone through when it is read, not at each repaint."""

    report: Report
    plot: Plot


class RunsPage(Page):
    """Reads run folders in threads, when opened and by a key; it never writes."""

    NAME = "Runs"
    AUTO_FOCUS = ""
    KEYS = RUNS_KEYS

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._runs = RunList()
        self._reading = False
        self._mode: Mode = "list"
        self._which: Which = "adapted"
        self._opened: _Read | None = None
        self._previewed = ""
        self._compared: Mapping[str, Mapping[Which, Losses]] = {}
        self._command = ""
        """The command that the last message suggests; moving away clears it."""

    def body(self) -> Iterable[Widget]:
        yield Lines(id="head")
        yield Horizontal(Lines(id="prompt"), FilterInput(id="filter"), id="filter-line")
        yield Horizontal(Lines(id="table"), Picture(id="preview"), id="list")
        scroll = VerticalScroll(Lines(id="facts"), id="scroll")
        scroll.can_focus = False
        yield Vertical(scroll, Chart(id="losses"), id="run")
        yield Chart(id="curves")

    def on_mount(self) -> None:
        """Hide the filter."""
        self.query_one("#filter-line").display = False
        self.query_one("#prompt", Lines).show([line(Span("filter /", "bold"))])

    def on_screen_resume(self) -> None:
        """Read the runs again, which have continued meanwhile."""
        self.action_read()

    @property
    def footer_keys(self) -> Sequence[Key]:
        keys = {key.action: key for key in self.KEYS}
        scroll = replace(keys["move(1)"], label="scroll")
        match self._mode:
            case "curves":
                return [replace(keys["other_curves"], rank=1)]
            case "run":
                return [keys["move(-1)"], scroll, replace(keys["compare"], label="curves")]
        listed = [key for key in self.KEYS if key != keys["other_curves"]]
        return [*listed, _ALL_RUNS] if self._runs.wanted else listed

    def footer(self, width: int) -> Line:
        """Return the footer; while a filter is typed, all other keys are text."""
        return keys_line((_KEEP, _ALL_RUNS), width) if self._typing else super().footer(width)

    def copied(self) -> tuple[str, Rows]:
        """Return the last suggested command, the curves, or the list."""
        if self._command:
            return "command", [[self._command]]
        if self._mode == "list":
            return "runs", entry_rows(self._runs.shown)
        return super().copied()

    # Painting.

    def paint(self) -> None:
        self.query_one("#list").display = self._mode == "list"
        self.query_one("#run").display = self._mode == "run"
        self.query_one("#curves").display = self._mode == "curves"
        head = self.query_one("#head", Lines)
        head.display = self._mode == "list"
        if self._mode == "list":
            self._paint_list(head)
        elif self._mode == "run" and self._opened:
            self._paint_run(self._opened)
        elif self._mode == "curves":
            losses = {self._label(path): both[self._which] for path, both in self._compared.items()}
            self.query_one("#curves", Chart).show(compared_plot(losses, self._which))

    def _paint_list(self, head: Lines) -> None:
        runs, table = self._runs, self.query_one("#table", Lines)
        folders = ", ".join(display_path(str(folder)) for folder in self._folders)
        if self._reading and not runs.entries:
            head.show([line(Span(f"reading {folders}…", "dim"))])
            table.show([])
        else:
            head.show([runs.head(folders, head.size.width)])
            rows = runs.table(*table.size) if runs.shown else no_runs(folders, runs.wanted)
            table.show(rows)
        preview = self.query_one("#preview", Picture)
        preview.display = self.size.width >= PREVIEW_WIDTH
        if preview.display:
            self._paint_preview(preview)

    def _paint_preview(self, preview: Picture) -> None:
        """Paint the run under the cursor; another one than before is read first."""
        current = self._runs.current
        path = current.path if current else ""
        if path != self._previewed:
            self._previewed = path
            self._opened = None
            if current:
                failed = (lambda _: None) if current.problem else self.show_error
                self.compute("preview", lambda _: _read(path), self._take_run, failed)
        if self._opened:
            plot = replace(self._opened.plot, title=printable(self._label(path)))
            lines = run_details.brief_lines(self._opened.report, preview.size.width)
            preview.show(plot, lines)
        elif current and current.problem:
            preview.show(empty_plot(printable(self._label(path)), "damaged"), [])

    def _paint_run(self, read: _Read) -> None:
        run, facts = self.query_one("#run"), self.query_one("#facts", Lines)
        wide = self.size.width >= PREVIEW_WIDTH
        run.set_class(wide, "-beside")
        chart = self.query_one("#losses", Chart)
        chart.display = wide or self.size.height >= _CHART_HEIGHT
        lines = run_details.run_lines(read.report, self.query_one("#scroll").size.width)
        if facts.size.height != len(lines):
            facts.styles.height = len(lines)
        facts.show(lines)
        chart.show(replace(read.plot, title="loss"))

    def _label(self, path: str) -> str:
        return Path(path).name

    # Reading.

    @property
    def _folders(self) -> list[Path]:
        """The folders that hold the runs of the session, and others."""
        return list(dict.fromkeys(own.parent for own in self.session.folders().values()))

    def action_read(self) -> None:
        folders = self._folders
        self._reading = True

        def find(_: object) -> list[RunSummary]:
            return [entry for folder in folders for entry in list_runs(folder)]

        self.compute("list", find, self._take_list, self._fail)

    def _take_list(self, entries: list[RunSummary]) -> None:
        self._reading = False
        self._previewed = ""
        self._runs = self._runs.with_entries(entries, time.time())
        self.tick()

    def _take_run(self, found: _Read) -> None:
        self._opened = found
        self.tick()

    def _take_open(self, found: _Read) -> None:
        self._mode = "run"
        self.query_one("#scroll", VerticalScroll).scroll_home(animate=False)
        self._take_run(found)

    def _take_curves(self, found: Mapping[str, Mapping[Which, Losses]]) -> None:
        self._compared, self._mode = found, "curves"
        self.tick()

    def _fail(self, problem: str) -> None:
        self._reading = False
        self.show_error(problem)

    # Keys.

    @property
    def _typing(self) -> bool:
        return isinstance(self.focused, FilterInput)

    def action_back(self) -> None:
        """Leave the filter, a run or the curves; in the list of all runs, leave the screen."""
        if self._typing or (self._mode == "list" and self._runs.wanted):
            self._end_filter("")
        elif self._mode != "list":
            self._mode = "list"
        else:
            super().action_back()
            return
        self.tick()

    def action_move(self, steps: int) -> None:
        """Go to another run, or scroll the open one."""
        self._command = ""
        if self._mode == "list":
            self._runs = self._runs.moved(steps)
            self.tick()
        elif self._mode == "run":
            self.query_one("#scroll", VerticalScroll).scroll_relative(y=steps, animate=False)

    def action_page(self, pages: int) -> None:
        """Move by as many rows as are visible."""
        visible = self.query_one("#table" if self._mode == "list" else "#scroll").size.height
        self.action_move(pages * max(1, visible - 2))

    def action_open(self) -> None:
        current = self._runs.current
        if self._mode == "list" and current:
            if current.problem:
                self.show_result(current.problem)
            else:
                self.compute("open", lambda _: _read(current.path), self._take_open)

    def show_info(self) -> None:
        """Show what the run under the cursor is, as its folder shows it."""
        if current := self._runs.current:
            path = Path(current.path)
            self.compute("info", lambda _: Info.of_folder(path), self._take_info)

    def _take_info(self, info: Info) -> None:
        if self.in_front:
            self.app.push_screen(info)

    def action_mark(self) -> None:
        if self._mode != "list" or self._runs.current is None:
            return
        toggled = self._runs.toggled()
        if toggled is self._runs:
            self.show_message(f"at most {MOST_CURVES} curves")
        else:
            self._runs = toggled.moved(1)
        self.tick()

    def action_compare(self) -> None:
        """Show the curves of the marked runs in one chart, or of the run under the cursor."""
        current = self._runs.current
        here = [current] if current else []
        chosen = (self._runs.marked_entries if self._mode == "list" else []) or here
        paths = [one.path for one in chosen if one.problem is None]
        if self._mode != "curves" and paths:

            def find(_: object) -> dict[str, Mapping[Which, Losses]]:
                return {path: both_losses(history(Path(path))) for path in paths}

            self.compute("curves", find, self._take_curves)

    def action_other_curves(self) -> None:
        if self._mode == "curves":
            self._which = "training" if self._which == "adapted" else "adapted"
            self.tick()

    def action_sort(self, steps: int) -> None:
        if self._mode == "list":
            self._runs = self._runs.sorted_by_next(steps)
            self.tick()

    def action_resume(self) -> None:
        """Resume the run in a session of its own: this one keeps the runs that it started with."""
        entry = self._runs.current
        if self._mode == "curves" or entry is None:
            return
        reason = run_details.cannot_resume(
            entry,
            self.dashboard.key,
            is_here=Path(entry.path) in self.session.folders().values(),
        )
        if reason:
            self.show_message(reason)
            if entry.state == "finished":
                self._command = run_details.resume_command(entry)
            return

        def resume(answer: bool | None) -> None:
            if answer:
                self._resume(entry)

        answers = (Answer("g", "resume", True), Answer("escape", "cancel", False))
        self.app.push_screen(Ask("resume?", run_details.resume_details(entry), answers), resume)

    def _resume(self, entry: RunSummary) -> None:
        def fail(problem: str) -> None:
            self.show_error(f"{entry.name} cannot be resumed: {problem}")

        def take(started: tuple[str, Sequence[str]]) -> None:
            id, notes = started
            for note in notes:
                self.show_result(note)
            self._command = f"tui-meta attach {id}"
            self.show_result(
                f"{entry.name} resumed in session {id}; view: {self._command} (y: copy)"
            )
            self.action_read()

        self.show_message(f"resuming {entry.name}…")
        path = Path(entry.path)
        self.compute("resume", lambda _: self.session.resume_in_new_session(path), take, fail)

    def action_filter(self) -> None:
        if self._mode == "list":
            self.query_one("#filter-line").display = True
            self.query_one(FilterInput).focus()
            self.call_after_refresh(self.tick)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter the list while words are typed."""
        self._runs = replace(self._runs, wanted=event.value)
        self.tick()

    def on_input_submitted(self) -> None:
        """Keep the filter, and return to the list."""
        self._end_filter(self._runs.wanted)
        self.tick()

    def _end_filter(self, wanted: str) -> None:
        self.query_one(FilterInput).value = wanted
        self._runs = replace(self._runs, wanted=wanted)
        self.query_one("#filter-line").display = False
        self.set_focus(None)


def _read(path: str) -> _Read:
    details = read_run(Path(path))
    config = recorded_config(Path(path), details.record)
    return _Read(report(details, config, time.time()), loss_plot(details.events))
