"""The geometry screen: theta, inner steps and outer update of one iteration as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from textual.containers import Horizontal
from textual.widget import Widget

from core.analysis.answers import AnyAnswer, Traced
from core.analysis.questions import Live, Trace
from core.events import Snapshot
from core.session.api import Session
from tui_meta.screens.page import Page
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.geometry import picture as geometry
from tui_meta.views.geometry.picture import number_rows, side_by_side
from tui_meta.views.keys.pages import GEOMETRY_KEYS
from tui_meta.views.keys.table import Key
from tui_meta.views.plots.plot import empty_plot
from tui_meta.views.tabular import Rows, traced_rows
from tui_meta.widgets.lines import Lines
from tui_meta.widgets.picture import Picture

FOLLOW_SECONDS = 1.0
"""Interval between two questions for the newest iteration, while it is followed."""


class GeometryPage(Page):
    """Asks for one iteration of each run it shows, and only while it is in front."""

    NAME = "Geometry"
    KEYS = GEOMETRY_KEYS

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._chosen = 0
        self._following = False
        self._answers: dict[str, Traced] = {}
        self._charts: dict[str, geometry.GeometryChart] = {}
        self._turns = 0
        self._due: set[str] = set()
        self._asked: set[str] = set()
        self._waiting: set[str] = set()

    def body(self) -> Iterable[Widget]:
        yield Lines(id="runs")
        runs = range(len(self.dashboard.snapshots))
        yield Horizontal(*(Picture(id=f"picture-{index}") for index in runs), id="pictures")

    def on_mount(self) -> None:
        runs = len(self.dashboard.snapshots)
        self.set_interval(FOLLOW_SECONDS / runs, self.follow_next)

    def on_screen_resume(self) -> None:
        """Ask for the runs whose turn came while another screen was in front."""
        self.call_after_refresh(self._follow)

    @property
    def footer_keys(self) -> Sequence[Key]:
        label = "stop following" if self._following else "follow"
        return [replace(key, label=label) if key.action == "follow" else key for key in self.KEYS]

    @property
    def _shown(self) -> dict[int, str]:
        """The runs whose pictures are shown, by index."""
        runs = list(self.dashboard.snapshots)
        shown = side_by_side(self.size.width, len(runs), self._chosen)
        return {index: runs[index] for index in shown}

    @property
    def runs_in_focus(self) -> Sequence[Snapshot]:
        return [list(self.dashboard.snapshots.values())[self._chosen]]

    def copied(self) -> tuple[str, Rows]:
        titles, answers = self.dashboard.titles, self._answers
        return "geometry", traced_rows(
            {title: answers[run] for run, title in titles.items() if run in answers}
        )

    # Painting.

    def tick(self) -> None:
        """Update everything, and ask for runs that are shown for the first time."""
        super().tick()
        if self.in_front:
            pictures = self.query_one("#pictures")
            missing = range(len(pictures.children), len(self.dashboard.snapshots))
            if missing:
                pictures.mount(*(Picture(id=f"picture-{index}") for index in missing))
            self._ask(run for run in self._shown.values() if run not in self._asked)

    def paint(self) -> None:
        dashboard, shown = self.dashboard, self._shown
        titles = list(dashboard.titles.values())
        runs, following = self.query_one("#runs", Lines), self._following
        width = runs.size.width
        runs.show([geometry.chooser_line(titles, shown, self._chosen, width, following=following)])
        for index, picture in enumerate(self.query(Picture)):
            picture.display = index in shown
            if index in shown:
                self._paint_picture(picture, index, shown[index])

    def _paint_picture(self, picture: Picture, index: int, run: str) -> None:
        answer = self._answers.get(run)
        if answer is None:
            picture.show(empty_plot(self.dashboard.titles[run], self._empty_text(run)), ())
            return
        chart = self._charts.setdefault(run, geometry.GeometryChart(index))
        lines = geometry.number_lines(answer, picture.size.width)
        rows = number_rows(picture.size.height, len(lines))
        picture.show(chart.plot(answer, self.dashboard.titles[run]), lines[:rows])

    def _empty_text(self, run: str) -> str:
        """Return the reason why there is no picture of ``run``."""
        if self.dashboard.snapshots[run].state == "loading":
            return "the run is loading"
        return "tracing one iteration…" if run in self._waiting else "no picture"

    # Asking.

    def follow_next(self) -> None:
        """Follow the next run: each has its turn once a second, less often for a slow terminal.

        So a key that arrives while pictures are drawn waits for one of them, not for all.
        """
        seconds, index = divmod(self._turns, len(self.dashboard.snapshots))
        self._turns += 1
        if seconds % self.dashboard.throttle.factor == 0 and index in self._shown:
            self._due.add(self._shown[index])
            self._follow()

    def _follow(self) -> None:
        """Ask for the newest iteration of the runs that are due, if following and in front."""
        if self.in_front and self._following:
            due, self._due = self._due, set()
            runs = [run for run in self._shown.values() if run in due]
            self._ask(run for run in runs if self._has_advanced(run))

    def _has_advanced(self, run: str) -> bool:
        """Return whether the run is past the iteration that is shown."""
        answer = self._answers.get(run)
        now = self.dashboard.snapshots[run].iteration
        return answer is None or answer.iteration != now

    def _ask(self, runs: Iterable[str]) -> None:
        snapshots = self.dashboard.snapshots
        for run in [one for one in runs if one not in self._waiting]:
            if snapshots[run].state != "loading":
                self._asked.add(run)
                self._waiting.add(run)
                self._ask_one(run)

    def _ask_one(self, run: str) -> None:
        def take(answer: AnyAnswer) -> None:
            assert isinstance(answer, Traced)
            self._waiting.discard(run)
            self._answers[run] = answer
            if self.in_front:
                self.paint()

        def fail(problem: str) -> None:
            self._waiting.discard(run)
            self.show_error(problem)
            if self.in_front:
                self.paint()

        self.ask(f"trace {run}", Trace(source=Live(run)), take, failed=fail)

    # Keys.

    def action_ask_again(self) -> None:
        self._ask(self._shown.values())

    def action_follow(self) -> None:
        self._following = not self._following
        key = self.dashboard.key("geometry newest")
        self.show_message(
            "following, once per second"
            if self._following
            else f"following stopped; {key}: newest iteration"
        )
        self._due.update(self._shown.values())
        self._follow()
        self.paint()

    def action_choose(self, steps: int) -> None:
        """Choose another run; one step wraps around, many stop at the end."""
        runs = len(self.dashboard.snapshots)
        to = self._chosen + steps
        self._chosen = to % runs if abs(steps) == 1 else max(0, min(to, runs - 1))
        self.tick()
