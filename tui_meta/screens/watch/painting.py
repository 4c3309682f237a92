"""What the Watch screen paints, and when."""

from collections.abc import Collection, Mapping

from textual.app import ComposeResult
from textual.widget import Widget

from core.events import Evaluated
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
        self._stale: list[str] = []
        """Panels to be painted, the next one at the end."""
        self._evaluations: Mapping[str, Evaluated] = {}
        """What the waves that were painted last show."""
        self._continues = False
        self.painted_focus: Widget | None = None
        """What had the focus when lines were painted."""

    def compose(self) -> ComposeResult:
        self._title, self._verdict, self._messages, self._keys = (
            Lines(id=name) for name in ("title", "verdict", "messages", "keys")
        )
        self.grid = PanelGrid(len(self.dashboard.snapshots), self.state.panel, id="panels")
        # Before it is mounted, as a change of its class styles all panels again.
        self.grid.set_class(self.state.arrange(*self.area).framed, "-framed")
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

    def answer(self) -> None:
        """Show the answer to a key: the lines and the chart that it is about, then the others."""
        if not (self.is_mounted and self.is_seen):
            return
        self.paint_messages()
        panels = self.state.arrangement.panels
        about = [self.state.lens_panel] if self.focused_line is None else []
        first = panels if self._paints_at_once else about
        self._paint_panels(first)
        self._stale = [panel for panel in reversed(panels) if panel not in first]
        self._paint_later()

    def expire_panels(self, *, waves: bool) -> None:
        """Let all panels be painted again, those with waves only if they are meant."""
        self._stale = [
            panel
            for panel in reversed(self.state.arrangement.panels)
            if waves or not layout.is_wave(panel) or panel in self._stale
        ]

    def paint_next_panels(self) -> None:
        """Paint some of the panels that are due, unless a key is to be handled first."""
        if self._stale and self.is_seen and not self.has_pending_keys:
            below = self.app.screen is not self
            count = len(self._stale) if below else self.dashboard.rates.panels_at_once
            self._stale, due = self._stale[:-count], self._stale[-count:]
            self._paint_panels(due)

    def paint_messages(self) -> None:
        if not self.is_seen:
            return
        state, width = self.state, self.area.width
        self.painted_focus = self.focused
        self._title.show([state.title(width)])
        self.paint_runs()
        self._verdict.show(state.verdict_lines(width))
        self._messages.show(state.message_lines(width))
        self._keys.show([state.footer(self.focused_line, width)])

    def _paint_panels(self, panels: Collection[str]) -> None:
        if panels:
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
            chart = self.grid.chart(panel)
            chart.show(plot)
            chart.show_below(below)
        if any(map(layout.is_wave, panels)) and self.state.evaluations != self._evaluations:
            self._evaluations = self.state.evaluations
            # They come one by one, and another task may have come since the last of them.
            shown = filter(layout.is_wave, self.state.arrangement.panels)
            late = [one for one in shown if one not in panels and one not in self._stale]
            self._stale = [*late, *self._stale]

    def paint_arrangement(self) -> None:
        """Show another arrangement of the panels, whose sizes are known after the layout."""
        if not (self.is_mounted and self.is_seen):
            self.call_after_refresh(self.paint)
            return
        self.paint_messages()
        panels = self.state.arrangement.panels
        for chart in self.grid.charts:
            chart.await_plot(draws=self._paints_at_once)
        if self._paints_at_once:
            self._paint_charts(panels)
        self._stale = [
            one
            for one in reversed(panels)
            if not (self._paints_at_once and one not in (layout.TABLE, layout.FACTS))
        ]
        self._paint_later()

    @property
    def paints_later(self) -> bool:
        """True while panels are to be painted as soon as no key waits."""
        return self._continues and bool(self._stale) and self.is_seen

    @property
    def _paints_at_once(self) -> bool:
        """True where a key waits for all panels: few, or over SSH, where a repaint takes long."""
        return len(self.state.arrangement.panels) <= self.dashboard.rates.panels_at_once

    def _paint_later(self) -> None:
        """Paint the panels that are due once what was painted so far is on the terminal."""
        self._continues = True
        self.call_after_refresh(self._paint_on)

    def _paint_on(self) -> None:
        """Paint panels, and then the next ones, unless a key comes before them."""
        self.paint_next_panels()
        self._continues = self.paints_later
        if self._continues and not self.has_pending_keys:
            self.call_later(self._paint_on)

    def on_keys_handled(self) -> None:
        """Continue with the panels that keys came before, once the terminal had time for them."""
        if self.paints_later and self.dashboard.rates.rest:
            self.set_timer(self.dashboard.rates.rest, self._paint_on)
        elif self.paints_later:
            self._paint_on()
