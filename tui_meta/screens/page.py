"""What every screen beside the watch screen has: a title, the newest message, keys, a way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import get_current_worker

from core.analysis.answers import AnyAnswer, Cancelled
from core.analysis.battery import OnProgress
from core.analysis.questions import AnyQuestion
from core.analysis.service import ignore_progress
from core.errors import LabError
from core.session.api import Session
from tui_meta.screens.bindings import bindings
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.export import Rows, plot_rows, run_rows
from tui_meta.views.keys.footer import page_footer
from tui_meta.views.keys.table import PAGE_KEYS, Groups, Key, page_groups
from tui_meta.views.run_status import page_title
from tui_meta.views.text import Line
from tui_meta.views.watch.layout import LEAST_HEIGHT, LEAST_WIDTH, too_small
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines

TICK_SECONDS = 0.5

Found = TypeVar("Found")


def page_bindings(keys: Iterable[Key]) -> list[BindingType]:
    """The bindings of a page with ``keys`` of its own."""
    return bindings((*keys, *PAGE_KEYS))


class Page(Screen[None], inherit_bindings=False):
    """A screen that shows one thing about the runs of ``dashboard``.

    A page says what its ``KEYS`` are and binds them with `page_bindings`, composes a ``body``, and
    brings it up to date in ``paint``.
    """

    NAME: ClassVar[str]
    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__()
        self.session = session
        self.dashboard = dashboard
        self._beats = 0

    @property
    def key_groups(self) -> Groups:
        """The keys that apply here, for the help."""
        return page_groups(self.NAME, self.KEYS)

    @property
    def footer_keys(self) -> Sequence[Key]:
        """The keys that apply now, as the last line calls them."""
        return self.KEYS

    def footer(self, width: int) -> Line:
        """The last line."""
        return page_footer(self.footer_keys, width, self.dashboard.keymap)

    def copied(self) -> tuple[str, Rows]:
        """What is copied from here, by name and as rows: the first chart, or how the runs stand."""
        for chart in self.query(Chart):
            if chart.plot and chart.plot.series and chart.region.area:
                return chart.id or "chart", plot_rows(chart.plot)
        return "runs", run_rows(self.dashboard.snapshots)

    def body(self) -> Iterable[Widget]:
        """What stands between title and messages."""
        raise NotImplementedError

    def paint(self) -> None:
        """Bring the body up to date; what is equal sends nothing."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Lines(id="title")
        yield from self.body()
        yield Lines(id="messages")
        yield Lines(id="keys")

    def on_mount(self) -> None:
        """Begin to follow the runs."""
        self.set_interval(max(TICK_SECONDS, self.dashboard.rates.tick), self._beat)

    def on_screen_resume(self) -> None:
        """Show what was missed while another screen was in front."""
        self.call_after_refresh(self.tick)

    def on_resize(self) -> None:
        """Another size, another picture."""
        self.call_after_refresh(self.tick)

    def _beat(self) -> None:
        """A tick, unless the terminal is behind."""
        self._beats += 1
        if self._beats % self.dashboard.throttle.factor == 0:
            self.tick()

    @property
    def in_front(self) -> bool:
        """Whether no other screen lies over this one.

        Behind a question or the help it still counts as current, and each of its repaints would
        repaint the other one whole.
        """
        # The application has no screen any more when the last tick comes.
        return self.is_current and self.app.screen is self

    def tick(self) -> None:
        """Bring everything up to date, unless another screen is in front."""
        if self.in_front:
            self._paint_frame()
            self.paint()

    def show_message(self, text: str) -> None:
        """Show a message at once."""
        self.dashboard.messages.say(text)
        self._paint_messages()

    def show_result(self, text: str) -> None:
        """Show the result of a command at once; it keeps its line until it has been read."""
        self.dashboard.messages.tell(text)
        self._paint_messages()

    def show_error(self, problem: str) -> None:
        """Show a problem at once; it keeps its line until it is dismissed."""
        self.dashboard.messages.complain(problem)
        self._paint_messages()

    def _paint_messages(self) -> None:
        if self.is_current:
            self._paint_frame()

    def ask(
        self,
        name: str,
        question: AnyQuestion,
        then: Callable[[AnyAnswer], None],
        *,
        progress: OnProgress = ignore_progress,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Ask in a thread, and call ``then`` here; a later question of ``name`` takes its place.

        ``progress`` is called in any thread and must not wait. ``failed`` gets the line that says
        why there is no answer, which is said as a message unless it is given.
        """

        def answer(cancelled: Callable[[], bool]) -> AnyAnswer:
            return self.session.ask(question, progress, cancelled)

        self.compute(name, answer, then, failed)

    def compute(
        self,
        name: str,
        find: Callable[[Callable[[], bool]], Found],
        then: Callable[[Found], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Call ``find`` in a thread, and ``then`` here with what it found; otherwise as `ask`.

        ``find`` is given a function that tells whether it is still wanted.
        """

        def work() -> None:
            worker = get_current_worker()
            try:
                found = find(lambda: worker.is_cancelled)
            except (LabError, OSError) as error:
                if not worker.is_cancelled:
                    self.app.call_from_thread(failed or self.show_error, str(error))
                return
            if not (isinstance(found, Cancelled) or worker.is_cancelled):
                self.app.call_from_thread(then, found)

        self.run_worker(work, thread=True, exclusive=True, group=name)

    def give_up(self, name: str) -> None:
        """Nobody wants to know any more what was asked as ``name``."""
        self.workers.cancel_group(self, name)

    def action_back(self) -> None:
        """To the watch screen, once the line of a problem is dismissed."""
        if self.dashboard.messages.dismiss():
            self._paint_frame()
        else:
            self.app.pop_screen()

    def _paint_frame(self) -> None:
        title, messages, keys = (
            self.query_one(f"#{id}", Lines) for id in ("title", "messages", "keys")
        )
        title.show([page_title(self.NAME, self.dashboard.statuses, title.size.width)])
        newest: Line = self.dashboard.newest_message(messages.size.width)
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            newest = too_small(*self.size)
        messages.show([newest])
        keys.show([self.footer(keys.size.width)])
