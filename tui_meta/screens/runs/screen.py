"""The Runs screen: the folder of runs, one of them in detail, and several compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from core.session.api import Session
from core.storage.run_index import RunSummary
from tui_meta.screens.dialogs.info import Info
from tui_meta.screens.runs.arrangement import Arrangement, Mode
from tui_meta.screens.runs.chart_keys import CurveKeys
from tui_meta.screens.runs.resuming import ResumeRuns
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.pages import RUNS_KEYS
from tui_meta.views.keys.table import Key
from tui_meta.views.messages.describe import display_path
from tui_meta.views.plots.plot import empty_plot
from tui_meta.views.printable import printable
from tui_meta.views.run_settings import settings_words
from tui_meta.views.runs import details as run_details
from tui_meta.views.runs.comparison import compared_lines, unlisted, with_reading
from tui_meta.views.runs.curves import MOST_CURVES
from tui_meta.views.runs.reader import ReadRun, RunReader
from tui_meta.views.runs.report import Report
from tui_meta.views.runs.run_list import RunList, entry_rows, no_runs
from tui_meta.views.tabular import Rows
from tui_meta.views.text import Span, line
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines, ScrolledLines
from tui_meta.widgets.picture import Picture

LOOK_SECONDS = 1.0
"""Interval at which run folders are looked at; a run that has changed is read."""

_CHART_ROWS = 15
"""Rows that a chart keeps above the table of its runs, with title, message and keys."""


_CHART_ACTIONS = (
    *("lens('x')", "cursor", "lens('scale')"),
    *("lens('window')", "lens('smoothing')", "lens('x_scale')"),
)
"""Keys of charts in the order of the footer, which drops the last ones first."""

_ALL_RUNS = Key("escape", "back", "all runs", "", 2, name="back")


class RunsPage(CurveKeys, ResumeRuns):
    """Follows run folders, which threads read; it never writes."""

    NAME = "Runs"
    AUTO_FOCUS = ""
    KEYS = RUNS_KEYS
    FILTER_HINT = "words of name, algorithm, state"
    SHOW_ALL = _ALL_RUNS

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._runs = RunList()
        self._reader = RunReader()
        self._looking = self._looked = False
        self._mode: Mode = "list"
        self._shown: ReadRun | None = None
        """What was read of the run under the cursor."""
        self._shown_as: RunSummary | None = None
        """The state of the run when it was read."""
        self._compared: Sequence[RunSummary] = ()
        self._painted: dict[str, tuple[object, ...]] = {}
        self._arrangement: Arrangement | None = None

    def body(self) -> Iterable[Widget]:
        yield Lines(id="head")
        yield self.filter_line()
        yield Horizontal(Lines(id="table"), Picture(id="preview"), id="list")
        yield Vertical(ScrolledLines(id="facts"), Chart(id="losses"), id="run")
        yield Vertical(Chart(id="curves"), Lines(id="compared"), id="comparison")

    def on_mount(self) -> None:
        """Follow the folders."""
        self.set_interval(max(LOOK_SECONDS, self.dashboard.rates.tick), self.look)

    def on_screen_resume(self) -> None:
        """Look at the runs, which have continued meanwhile."""
        self._looking = False
        self.look()

    @property
    def footer_keys(self) -> Sequence[Key]:
        keys = {key.action: key for key in self.KEYS}
        of_charts = [keys[action] for action in _CHART_ACTIONS]
        match self._mode:
            case "curves":
                shown = [replace(key, rank=rank) for rank, key in enumerate(of_charts, 3)]
                return [replace(keys["other_curves"], rank=1), *shown]
            case "run":
                scroll = replace(keys["move(1)"], label="scroll")
                return [keys["move(-1)"], scroll, replace(keys["compare"], label="curves")]
        listed = [key for key in self.KEYS if key not in (keys["other_curves"], *of_charts)]
        return [*listed, _ALL_RUNS] if self._runs.wanted else listed

    def copied(self) -> tuple[str, Rows]:
        """Return the last suggested command, the curves, or the list."""
        if self.suggested:
            return "command", [[self.suggested]]
        if self._mode == "list":
            return "runs", entry_rows(self._runs.shown)
        return super().copied()

    # Painting.

    def paint(self) -> None:
        arrangement = Arrangement.of(self._mode, self.size, self._runs.listing.width)
        if arrangement != self._arrangement:
            self._arrangement = arrangement
            arrangement.apply(self)
            self.call_after_refresh(self.tick)  # the widgets have their sizes then
        elif self._mode == "list":
            self._paint_list()
        elif self._mode == "run":
            self._paint_run()
        elif self._mode == "curves":
            self._paint_curves()

    def _paint_list(self) -> None:
        head, table = self.query_one("#head", Lines), self.query_one("#table", Lines)
        runs = self._runs
        folders = ", ".join(display_path(str(folder)) for folder in self._folders)
        if not self._looked:
            head.show([line(Span(f"reading {folders}…", "dim"))])
        elif self._is_new("table", runs, head.size, table.size):
            head.show([runs.head(folders, head.size.width)])
            rows = runs.table(*table.size) if runs.shown else no_runs(folders, runs.wanted)
            table.show(rows)
        preview = self.query_one("#preview", Picture)
        if preview.display and self._looked:
            self._paint_preview(preview)

    def _paint_preview(self, preview: Picture) -> None:
        """Paint the run under the cursor."""
        self._follow_current()
        current, plot, report = self._runs.current, self.curves.plot, self._report
        if not self._is_new("preview", current, report, plot, preview.size):
            return
        name = printable(current.name) if current else ""
        if self._shown and plot and report:
            settings = settings_words(self._shown.curves.snapshot)
            lines = run_details.brief_lines(report, settings, preview.size.width)
            titled = replace(plot, title=f"{name} · {plot.title}")
            preview.show(with_reading(titled, name), lines)
        elif current and current.problem:
            preview.show(empty_plot(name, "damaged"), [])
        elif current is None:
            preview.show(empty_plot("", "no run"), [])

    @property
    def _report(self) -> Report | None:
        """What was read of the run under the cursor, as of the time of the list."""
        current, shown = self._runs.current, self._shown
        return shown.report.at(current, self._runs.read_at) if shown and current else None

    def _paint_run(self) -> None:
        self._follow_current()
        facts, report = self.query_one("#facts", ScrolledLines), self._report
        width = facts.line_width
        if not (report and self._is_new("run", report, self.curves.plot, width)):
            return
        facts.show(run_details.run_lines(report, width))
        if self.curves.plot:
            chart = self.query_one("#losses", Chart)
            chart.show(with_reading(self.curves.plot, self.curves.name))

    def _paint_curves(self) -> None:
        self._follow_compared()
        plot, runs = self.curves.plot, self.curves.runs
        if plot is None or runs is None:
            return
        table = self.query_one("#compared", Lines)
        if not self._is_new("curves", self._compared, plot, self.size):
            return
        rows = len(self._compared) + 1
        # Of the terminal's rows, as those of the panel are not known before it is first laid out.
        table.display = self.size.height >= rows + _CHART_ROWS
        if table.display:
            table.styles.height = rows
            table.show(compared_lines(self._compared, runs.names, plot, self.size.width))
            # Without colours, the names at their ends identify the lines.
            has_colors = not (self.app.no_color or getattr(self.app, "ascii_only", False))
            plot = unlisted(plot, runs.names) if has_colors else plot
        self.query_one("#curves", Chart).show(with_reading(plot, self.curves.name))

    def _is_new(self, part: str, *content: object) -> bool:
        """Return False if this part of the screen shows this content already."""
        before, self._painted[part] = self._painted.get(part), content
        return content != before

    # Reading.

    @property
    def _folders(self) -> list[Path]:
        """The folders that hold the runs of the session, and others."""
        return list(dict.fromkeys(own.parent for own in self.session.folders().values()))

    def look(self) -> None:
        """Look for runs that have changed, unless that is under way or the screen is covered."""
        if self._looking or not self.in_front:
            return
        self._looking = True
        folders, runs, now = self._folders, self._runs, time.time()

        def find(_: object) -> RunList:
            return self._reader.list(folders, runs, now)

        self.compute("list", find, self._take_list, self._fail)

    def _take_list(self, found: RunList) -> None:
        self._looking, self._looked = False, True
        self._runs = found.in_place_of(self._runs)
        # What changes with the list is painted with it, once it has been read.
        if not self._follow():
            self.tick()

    def _follow(self) -> bool:
        """Read what is shown of runs again, if it has changed; return True if so."""
        match self._mode:
            case "curves":
                return self._follow_compared()
            case "list" if not self.query_one("#preview").display:
                return False
        return self._shown is not None and self._follow_current()

    def _fail(self, problem: str) -> None:
        self._looking, self._looked = False, True
        self.show_error(problem)

    def _follow_current(self) -> bool:
        """Read the run under the cursor, if it is another one than was read or has changed."""
        current = self._runs.current
        if current is self._shown_as:
            return False
        before = self._shown_as
        if not (current and before and current.path == before.path):
            self._show(None)
        self._shown_as = current
        if current is None or current.problem:
            return False
        self._read(current, self._take)
        return True

    def _read(self, entry: RunSummary, take: Callable[[ReadRun], None]) -> None:
        now = time.time()
        self._shown_as = entry
        self.compute("read", lambda _: self._reader.read([entry], now)[0], take)

    def _show(self, read: ReadRun | None) -> None:
        self._shown = read
        self.curves.show([read.curves] if read else [])

    def _take(self, read: ReadRun) -> None:
        if self._mode != "curves":
            self._show(read)
            self.tick()

    def _take_open(self, read: ReadRun) -> None:
        self._mode = "run"
        self.query_one("#facts", ScrolledLines).scroll_home(animate=False)
        self._take(read)

    def _follow_compared(self) -> bool:
        """Read the compared runs again, if one of them has changed."""
        known = {one.path: one for one in self._runs.entries}
        now = [known.get(one.path, one) for one in self._compared]
        has_changed = any(new is not old for new, old in zip(now, self._compared, strict=True))
        if has_changed:
            self._compare(now)
        return has_changed

    def _compare(self, entries: Sequence[RunSummary]) -> None:
        """Read these runs and show their curves."""
        now = time.time()
        self._compared = entries

        def take(read: Sequence[ReadRun]) -> None:
            self._mode = "curves"
            self.curves.show([one.curves for one in read])
            self.tick()

        self.compute("read", lambda _: self._reader.read(entries, now), take)

    # Keys.

    def action_back(self) -> None:
        """Leave the filter, a run or the curves; in the list of all runs, leave the screen."""
        if self.is_typing or (self._mode == "list" and self._runs.wanted):
            self.end_filter("")
        elif self.curves.lens.cursor is not None:
            self.curves.toggle_cursor()
        elif self._mode != "list":
            self.cancel("read")
            self.curves.turn_back()
            self._mode, self._shown_as = "list", None
        else:
            super().action_back()
            return
        self.tick()

    def action_move(self, steps: int) -> None:
        """Go to another run, scroll the open one, or go to the end of the curves."""
        self.suggested = ""
        if self._mode == "list":
            self._runs = self._runs.moved(steps)
            self.tick()
        elif self._mode == "run":
            self.query_one("#facts", ScrolledLines).scroll_relative(y=steps, animate=False)
        elif abs(steps) > 1:
            self.action_steer(steps)

    def action_page(self, pages: int) -> None:
        """Move by as many rows as are visible."""
        if self._mode != "curves":
            visible = self.query_one("#table" if self._mode == "list" else "#facts").size.height
            self.action_move(pages * max(1, visible - 2))

    def action_open(self) -> None:
        current = self._runs.current
        if self._mode == "list" and current:
            if current.problem:
                self.show_result(current.problem)
            else:
                self._read(current, self._take_open)

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
        sound = [one for one in chosen if one.problem is None]
        if self._mode != "curves" and sound:
            self._compare(sound)

    def action_sort(self, steps: int) -> None:
        if self._mode == "list":
            self._runs = self._runs.sorted_by_next(steps)
            self.tick()

    def action_resume(self) -> None:
        if self._mode != "curves" and self._runs.current:
            self.resume_run(self._runs.current)

    def action_filter(self) -> None:
        if self._mode == "list":
            self.open_filter()

    @property
    def wanted(self) -> str:
        return self._runs.wanted

    def filter_by(self, wanted: str) -> None:
        self._runs = self._runs.filtered(wanted)
