"""The base of every screen but Watch: a title, the newest message, the keys, a way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from core.session.api import Session
from tui_meta.screens.base import DashboardScreen, bindings
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.footer import page_footer
from tui_meta.views.keys.table import PAGE_KEYS, Groups, Key, page_groups
from tui_meta.views.recent import Recent
from tui_meta.views.run_status import page_title
from tui_meta.views.tabular import Rows, plot_rows, run_rows
from tui_meta.views.text import Line
from tui_meta.views.watch.layout import LEAST_HEIGHT, LEAST_WIDTH, too_small
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines

TICK_SECONDS = 0.5

FRAMED_HEIGHT = 28
"""Least height of a terminal in which panels have a frame on all sides."""


class Page(DashboardScreen, inherit_bindings=False):
    """A screen that shows one thing about the runs.

    A page defines its ``KEYS``, composes a ``body``, and updates it in ``paint``.
    """

    KEYS: ClassVar[tuple[Key, ...]] = ()

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._timer_ticks = 0
        self._footer = Recent[Line]()

    def __init_subclass__(cls, **settings: Any) -> None:
        cls.BINDINGS = bindings((*cls.KEYS, *PAGE_KEYS))
        super().__init_subclass__(**settings)

    @property
    def key_groups(self) -> Groups:
        return page_groups(self.NAME, self.KEYS)

    @property
    def footer_keys(self) -> Sequence[Key]:
        """The keys that apply now, with their labels in the footer."""
        return self.KEYS

    def footer(self, width: int) -> Line:
        keys, keymap = self.footer_keys, self.dashboard.keymap
        return self._footer.of((*keys, width, keymap), lambda: page_footer(keys, width, keymap))

    def copied(self) -> tuple[str, Rows]:
        """Return the name and rows of what is copied: the first chart, or else the runs."""
        for chart in self.query(Chart):
            if chart.plot and chart.plot.series and chart.region.area:
                return chart.panel or "chart", plot_rows(chart.plot)
        return "runs", run_rows(self.dashboard.snapshots)

    def body(self) -> Iterable[Widget]:
        """Create the widgets between title and messages."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Lines(id="title")
        yield from self.body()
        yield Lines(id="messages")
        yield Lines(id="keys")

    def on_mount(self) -> None:
        self._frame_panels()
        self.set_interval(max(TICK_SECONDS, self.dashboard.rates.tick), self._timer_tick)

    def on_screen_resume(self) -> None:
        """Update what has changed while another screen was in front."""
        self.call_after_refresh(self.tick)

    def on_resize(self) -> None:
        self._frame_panels()
        self.call_after_refresh(self.tick)

    @property
    def framed(self) -> bool:
        """True where panels have a frame on all sides, else only a line with their title."""
        return self.size.height >= FRAMED_HEIGHT

    def _frame_panels(self) -> None:
        self.set_class(self.framed, "-framed")

    def _timer_tick(self) -> None:
        """Update the page; less often while the terminal is behind."""
        self._timer_ticks += 1
        if self._timer_ticks % self.dashboard.throttle.factor == 0:
            self.tick()

    @property
    def in_front(self) -> bool:
        """True if no other screen is above this one.

        Below a dialog or the help Textual still calls it current, and each of its repaints would
        repaint all of the other one.
        """
        # The application has no screen any more when the last tick comes.
        return self.is_current and self.app.screen is self

    def tick(self) -> None:
        """Update everything, unless another screen is in front."""
        if self.in_front:
            self._paint_frame()
            self.paint()

    def paint_messages(self) -> None:
        if self.is_current:
            self._paint_frame()
        for call in self.dashboard.on_message:
            call()

    def action_back(self) -> None:
        """Dismiss the newest problem; without one, return to the watch screen."""
        if self.dashboard.messages.dismiss():
            self._paint_frame()
        else:
            self.dashboard.messages.leave_screen()
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
