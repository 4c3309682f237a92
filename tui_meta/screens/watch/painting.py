"""What the Watch screen paints, and when."""

from collections.abc import Collection

from textual.app import ComposeResult

from core.session.api import Session
from tui_meta.screens.watch.adding import AddRuns
from tui_meta.screens.watch.panels import PanelGrid
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.watch import layout
from tui_meta.widgets.lines import Lines


class Painting(AddRuns, inherit_bindings=False):
    """Shows the state of the screen in lines and panels."""

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self._is_painted_later = False
        self._stale: list[str] = []
        """Panels to be painted, the next one at the end."""

    def compose(self) -> ComposeResult:
        self._title, self._verdict, self._messages, self._keys = (
            Lines(id=name) for name in ("title", "verdict", "messages", "keys")
        )
        self.grid = PanelGrid(len(self.dashboard.snapshots), self.state.panel, id="panels")
        yield self._title
        yield from self.compose_runs()
        yield from (self.grid, self._verdict, self._messages, self._keys)

    @property
    def is_seen(self) -> bool:
        """True while any of it is on the terminal: a page covers all of it, a dialog does not.

        Below another screen Textual still calls it current, and each of its repaints would repaint
        all of the other one.
        """
        front = self.app.screen
        return self.is_current and (front is self or front.is_modal)

    def paint(self) -> None:
        """Update everything; what has not changed is not repainted."""
        if self.is_mounted and self.is_seen:
            self.paint_messages()
            self._paint_panels(self.state.arrangement.panels)
            self._stale = []

    def expire_panels(self, *, waves: bool) -> None:
        """Let all panels be painted again, those with waves only if they are meant."""
        self._stale = [
            panel
            for panel in reversed(self.state.arrangement.panels)
            if waves or not layout.is_wave(panel) or panel in self._stale
        ]

    def paint_next_panels(self) -> None:
        """Paint some of the panels that are due; a key waits for these, not for all."""
        if self._stale and self.is_seen:
            below = self.app.screen is not self
            count = len(self._stale) if below else self.dashboard.rates.panels_at_once
            self._stale, due = self._stale[:-count], self._stale[-count:]
            self._paint_panels(due)

    def paint_messages(self) -> None:
        if not self.is_seen:
            return
        state = self.state
        self._title.show([state.title(self._title.size.width)])
        self.paint_runs()
        self._verdict.show(state.verdict_lines(self._verdict.size.width))
        self._messages.show(state.message_lines(self._messages.size.width))
        self._keys.show([state.footer(self.focused_line, self._keys.size.width)])

    def _paint_panels(self, panels: Collection[str]) -> None:
        self._paint_numbers(panels)
        self._paint_charts(panels)

    def _paint_numbers(self, panels: Collection[str]) -> None:
        if layout.TABLE in panels:
            table = self.grid.table
            table.show_table(self.state.table(table.size.width))
        if layout.FACTS in panels:
            facts = self.grid.facts
            facts.show_titled(*self.state.facts(*facts.size))

    def _paint_charts(self, panels: Collection[str]) -> None:
        for panel, (plot, below) in self.state.plots(panels).items():
            chart = self.grid.charts[panel]
            chart.show(plot)
            chart.show_below(below)

    def paint_after_layout(self, now: layout.Arrangement) -> None:
        """Give charts their plots, which they draw at their new size; paint the rest after that."""
        is_seen = self.is_mounted and self.is_seen
        if is_seen:
            for chart in self.grid.charts.values():
                chart.draw_later()
            self._paint_charts(now.panels)
            self._stale = []
        if not self._is_painted_later:
            self._is_painted_later = True
            self.call_after_refresh(self._paint_rest if is_seen else self._paint_all)

    def _paint_rest(self) -> None:
        self._is_painted_later = False
        self.paint_messages()
        if self.is_seen:
            self._paint_numbers(self.state.arrangement.panels)

    def _paint_all(self) -> None:
        self._is_painted_later = False
        self.paint()
