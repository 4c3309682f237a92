"""The screen that a person watches: how each run stands, losses, curves and waves."""

from collections.abc import Collection
from typing import ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid
from textual.message import Message

from core.evaluation.protocols import ProbeName
from core.events import Snapshot
from core.session.api import Session
from tui_meta.screens.bindings import bindings
from tui_meta.screens.watch.chart_keys import ChartKeys
from tui_meta.screens.watch.loss_table import LossTablePanel
from tui_meta.screens.watch.run_line import RunLine
from tui_meta.upstream.drivers import driver_of
from tui_meta.upstream.repaint import set_border_subtitle
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.table import EVALUATION_KEYS, RUN_KEYS, VIEW_KEYS
from tui_meta.views.watch import commands as orders
from tui_meta.views.watch import layout
from tui_meta.views.watch.state import WatchState
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines

_LINES = ("title", "messages", "keys")


class WatchScreen(ChartKeys, inherit_bindings=False):
    """Samples a session and shows it; keys send commands and say so at once."""

    AUTO_FOCUS = f"#{layout.TABLE}"
    BINDINGS: ClassVar[list[BindingType]] = bindings(RUN_KEYS + EVALUATION_KEYS + VIEW_KEYS)

    class FreshAsked(Message):
        """Somebody wants fresh runs."""

    class Lost(Message):
        """The runs are out of reach."""

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__()
        self.session = session
        self.dashboard = dashboard
        self.state = WatchState(dashboard)
        self.state.look_at(session.remembered())
        self._remembered = self.state.view()
        self._ticks = self._looks = 0
        self._stale: list[str] = []
        """Panels to be painted, the next one last."""
        self.held = False

    def compose(self) -> ComposeResult:
        runs = len(self.dashboard.snapshots)
        yield Lines(id=_LINES[0])
        for index in range(runs):
            yield RunLine(id=f"run-{index}")
        with Grid(id="panels"):
            yield LossTablePanel(id=layout.TABLE)
            for panel in layout.all_panels(runs)[1:]:
                yield Chart(id=panel, can_focus=True)
        for below in _LINES[1:]:
            yield Lines(id=below)

    def on_mount(self) -> None:
        """Begin to sample."""
        self.set_interval(self.dashboard.rates.tick, self.tick)
        self._hurry = self.set_interval(self.dashboard.rates.fast_tick, self._look, pause=True)

    def on_resize(self) -> None:
        """Every size has its arrangement."""
        self._arrange()

    def on_screen_resume(self) -> None:
        """Show what was missed while another screen was in front."""
        self.call_after_refresh(self.paint)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The panel in focus, by key or by mouse, is the one that must be seen."""
        panel = event.widget.id or ""
        # Word of a focus that has moved on since would take it back, and so on for ever.
        newest = event.widget is self.focused
        if newest and panel in layout.all_panels(len(self.dashboard.snapshots)):
            self.action_reveal(panel)
        self._paint_numbers()

    @property
    def is_seen(self) -> bool:
        """Whether any of it is on the terminal: another screen covers all of it, a question not.

        Below another screen it still counts as current, and each of its repaints would repaint
        the other one whole.
        """
        front = self.app.screen
        return self.is_current and (front is self or front.is_modal)

    def hold(self, said: str) -> None:
        """Say what goes on, and take no more orders: the runs are ending."""
        self.held = True
        self.dashboard.messages.say(said)
        self.paint()

    def release(self, said: str = "", problem: str = "") -> None:
        """Take orders again."""
        self.held = False
        if said:
            self.dashboard.messages.say(said)
        if problem:
            self.dashboard.messages.complain(problem)
        self.paint()

    def show_message(self, text: str) -> None:
        """Show a message at once."""
        self.dashboard.messages.say(text)
        self._paint_numbers()

    def show_result(self, text: str) -> None:
        """Show the result of a command at once; it keeps its line until it has been read."""
        self.dashboard.messages.tell(text)
        self._paint_numbers()

    def show_error(self, problem: str) -> None:
        """Show a problem at once; it keeps its line until it is dismissed."""
        self.dashboard.messages.complain(problem)
        self._paint_numbers()

    # News.

    def tick(self) -> None:
        """Take in what happened; repaint each kind of thing at the rate that it deserves."""
        self._ticks += 1
        self.dashboard.throttle.update(getattr(driver_of(self.app), "backlog", 0.0))
        news = self._take_in()
        if news or self._is_due(self.dashboard.rates.panel_ticks):
            self._expire_panels(waves=news or self._is_due(self.dashboard.rates.wave_ticks))
        if self.app.screen is self:
            if news or self._is_due(self.dashboard.rates.number_ticks):
                self._paint_numbers()
            self._paint_next_panels()
        elif self._stale and self.is_seen:
            # Below a question, all at once: a repaint of anything repaints the question as well.
            self._paint_numbers()
            self._paint_next_panels()

    def _is_due(self, ticks: int) -> bool:
        """Whether what is repainted every so many ticks is, unless the terminal is behind."""
        return self._ticks % (ticks * self.dashboard.throttle.factor) == 0

    def _look(self) -> None:
        """Look for the answer to a key more often than the ticks do, for a short while."""
        self._looks += 1
        if self._take_in():
            self._expire_panels(waves=True)
            self._paint_numbers()
        self._paint_next_panels()
        if self._looks >= self.dashboard.rates.fast_polls:
            self._hurry.pause()

    def _await_answer(self) -> None:
        self._looks = 0
        if self.dashboard.rates.fast_polls:
            self._hurry.resume()

    def _take_in(self) -> bool:
        """Fold what is new; whether a person waits for some of it."""
        before = self.dashboard.connection
        awaited = self.dashboard.poll(self.session)
        now = self.dashboard.connection
        if now.lost and not before.lost:
            self.post_message(self.Lost())
        if now.ended and not before.ended and not self.held:
            key = self.dashboard.key("quit")
            self.dashboard.messages.say(f"somebody has ended this session; {key} leaves")
        return awaited

    def paint(self) -> None:
        """Bring all that is shown up to date; what is equal sends nothing."""
        if self.is_mounted and self.is_seen:
            self._paint_numbers()
            self._paint_panels(self.state.arrangement.panels)
            self._stale = []

    def _expire_panels(self, *, waves: bool) -> None:
        self._stale = [
            panel
            for panel in reversed(self.state.arrangement.panels)
            if waves or not layout.is_wave(panel) or panel in self._stale
        ]

    def _paint_next_panels(self) -> None:
        """Paint some of the panels that are due: a key waits for these, not for all."""
        if self._stale and self.is_seen:
            below = self.app.screen is not self
            count = len(self._stale) if below else self.dashboard.rates.panels_at_once
            self._stale, due = self._stale[:-count], self._stale[-count:]
            self._paint_panels(due)

    def _paint_numbers(self) -> None:
        if not self.is_seen:
            return
        state = self.state
        title, messages, keys = (self.query_one(f"#{id}", Lines) for id in _LINES)
        title.show([state.title(title.size.width)])
        statuses = self.dashboard.statuses
        longest = max(len(one.title) for one in statuses)
        for index, one in enumerate(statuses):
            self.query_one(f"#run-{index}", RunLine).show_run(one, longest)
        messages.show(state.message_lines(messages.size.width))
        keys.show([state.footer(self._focused_run, keys.size.width)])

    def _paint_panels(self, panels: Collection[str]) -> None:
        if layout.TABLE in panels:
            table = self.query_one(LossTablePanel)
            table.show_table(self.state.table(table.size.width))
        for panel, (plot, below) in self.state.plots(panels).items():
            chart = self.query_one(f"#{panel}", Chart)
            chart.show(plot)
            set_border_subtitle(chart, below)

    # Arranging.

    @property
    def _order(self) -> list[str]:
        """Everything that can have the focus, in the order in which tab visits it."""
        runs = len(self.dashboard.snapshots)
        return [f"run-{index}" for index in range(runs)] + list(layout.all_panels(runs))

    @property
    def _focused_run(self) -> int | None:
        focused = self.focused
        return int((focused.id or "").partition("-")[2]) if isinstance(focused, RunLine) else None

    def _arrange(self) -> None:
        """Put the panels where they belong now, and the focus where it is seen."""
        self.remember()
        made = self.state.arrange(self.size.width, self.size.height)
        self.query_one("#title").display = made.title
        self.query_one("#keys").display = bool(made.rows)
        self.query_one("#messages").styles.height = made.message_rows
        for run_line in self.query(RunLine):
            run_line.styles.height = made.run_rows
        grid = self.query_one("#panels", Grid)
        grid.display = bool(made.rows)
        grid.set_class(made.framed, "-framed")
        if made.rows:
            grid.styles.grid_size_columns, grid.styles.grid_size_rows = made.columns, len(made.rows)
        spans = {panel: made.columns // len(row) for row in made.rows for panel in row}
        for panel in grid.children:
            panel.display = panel.id in spans
            panel.styles.column_span = spans.get(panel.id or "", 1)
        if self._focused_run is None:
            panel = grid.query_one(f"#{self.state.panel}")
            self.set_focus(panel if panel.display else None)
        self.call_after_refresh(self.paint)

    def remember(self) -> None:
        """Keep what is looked at for the next face."""
        view = self.state.view()
        if view != self._remembered:
            self._remembered = view
            self.session.remember(view)

    def _focus(self, name: str) -> None:
        """Move the focus to a run's line or to a panel, which is then shown."""
        if name.startswith("run"):
            # At once: the next key may have arrived with this one.
            self.set_focus(self.query_one(f"#{name}"))
        else:
            self.action_reveal(name)

    # Keys that act on the runs.

    def action_pause(self) -> None:
        """Pause or resume."""
        now = self.dashboard
        self._give(orders.pause_or_resume(self._scope, now.history.wanted, now.titles, now.key))

    def action_step(self, count: int = 1) -> None:
        """So many iterations."""
        now = self.dashboard
        self._give(orders.step(self._scope, now.history.wanted, now.titles, count, now.key))

    def action_save(self) -> None:
        """Save checkpoints."""
        self._give(orders.save(self._scope, self.dashboard.titles))

    def action_train_on(self) -> None:
        """Extend finished runs."""
        self._give(orders.train_on(self._scope, self.dashboard.titles, self.dashboard.key))

    def action_pace(self, steps: int) -> None:
        """Faster or slower."""
        order = orders.change_pace(self._scope, self.state.paces, steps, self.dashboard.titles)
        self._give(order)

    def action_fresh(self) -> None:
        """Ask for fresh runs."""
        if not self._may_not():
            self.post_message(self.FreshAsked())

    def action_evaluate(self, probe: str) -> None:
        """Evaluate all runs on one task, and show it."""
        if self._may_not():
            return
        name = cast(ProbeName, probe)
        self.state.turn_to_evaluation(name)
        self.session.evaluate(name)
        self._arrange()
        self._paint_numbers()
        self._await_answer()

    @property
    def _scope(self) -> list[Snapshot]:
        return self.state.scope(self._focused_run)

    def _may_not(self) -> bool:
        """Whether no commands are taken now; says why, where that is not said already."""
        if self.dashboard.connection.read_only:
            self.show_message("read-only: this terminal may look, but not command")
        return self.held or self.dashboard.connection.read_only

    def _give(self, order: orders.Order) -> None:
        if self._may_not():
            return
        for run, command in order.commands:
            self.session.send(command, run)
        self.state.note(order)
        self._paint_numbers()
        self._await_answer()

    # Keys that change what is seen.

    def action_focus_panel(self, steps: int) -> None:
        """The next panel in the order of the tab key."""
        current = self.focused.id if self.focused else self.state.panel
        self._focus(layout.following(self._order, current or "", steps))

    def action_move(self, direction: layout.Direction) -> None:
        """The neighbouring panel; a row, in a large table; the cursor, on a chart with one."""
        sideways = {"left": -1, "right": 1}.get(direction)
        if self.scrolled(direction) or (sideways and self.steer(sideways)):
            return
        boxes: dict[str, layout.Box] = {
            widget.id or "": widget.region for widget in self.focus_chain
        }
        current = self.focused.id if self.focused else None
        name = layout.neighbour(boxes, current or "", direction)
        if name:
            self._focus(name)

    def action_enlarge(self) -> None:
        """Give the focused panel all the room, or take it back."""
        if self._focused_run is not None:
            self._focus(layout.wave(self._focused_run))
        self.state.enlarged = not self.state.enlarged
        self._arrange()

    def action_back(self) -> None:
        """One step back, never out."""
        if self.state.go_back():
            self._arrange()
            self.paint()
        else:
            key = self.dashboard.key
            said = f"nothing to go back from; {key('quit')} quits, {key('help')} lists all keys"
            self.dashboard.messages.say(said)
        self._paint_numbers()

    def action_reveal(self, panel: str) -> None:
        """Show ``panel`` and focus it."""
        before = self.state.arrangement
        self.state.turn_to(panel)
        if self.state.arrange(self.size.width, self.size.height) == before:
            self.set_focus(self.query_one(f"#{panel}"))
        else:
            self.set_focus(None)
            self._arrange()
