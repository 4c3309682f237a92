"""The Watch screen: the status of each run, losses, curves and waves."""

from typing import ClassVar, cast

from textual import events
from textual.binding import BindingType
from textual.message import Message

from core.evaluation.few_shot_tasks import ProbeName
from core.events import Snapshot
from core.session.api import Session
from tui_meta.screens.base import bindings
from tui_meta.screens.watch.about import AboutRuns
from tui_meta.screens.watch.chart_keys import ChartKeys
from tui_meta.screens.watch.loss_table import LossTablePanel
from tui_meta.screens.watch.painting import Painting
from tui_meta.upstream.drivers import driver_of
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.keys.table import Groups
from tui_meta.views.keys.watch import EVALUATION_KEYS, GROUPS, RUN_KEYS, VIEW_KEYS
from tui_meta.views.tabular import Rows, plot_rows, run_rows, table_rows
from tui_meta.views.watch import commands, layout
from tui_meta.views.watch.facts import fact_rows
from tui_meta.views.watch.state import WatchState
from tui_meta.widgets.chart import Chart

_LOADING, _FIRST_NUMBERS = 10.0, 0.25
"""Fast polls at the start, and once all runs can train, relative to those after a key."""


class WatchScreen(ChartKeys, AboutRuns, Painting, inherit_bindings=False):
    """Polls a session and shows it; keys send commands, and a message confirms each at once."""

    NAME = "Watch"
    AUTO_FOCUS = ".-first"
    BINDINGS: ClassVar[list[BindingType]] = bindings(RUN_KEYS + EVALUATION_KEYS + VIEW_KEYS)

    class RestartRequested(Message):
        """The user wants new runs."""

    class Lost(Message):
        """The connection to the runs is lost."""

    class Loaded(Message):
        """Every run has what it needs to train."""

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self.state = WatchState(dashboard)
        self.state.restore(session.remembered())
        self._remembered = self.state.view()
        dashboard.on_message.append(self.paint_messages)
        for calls in (dashboard.on_added, dashboard.on_restart):
            calls.append(self.take_runs)
        self._ticks = self._fast_polls = 0
        self._loaded = False
        self.blocked = False
        """True while no commands are accepted, because the runs end or are replaced."""

    @property
    def key_groups(self) -> Groups:
        return GROUPS

    def copied(self) -> tuple[str, Rows]:
        """Return what the focused panel shows; without one, the runs."""
        focused = self.focused
        if isinstance(focused, Chart) and focused.plot:
            return focused.panel or "chart", plot_rows(focused.plot)
        if isinstance(focused, LossTablePanel):
            return "losses", table_rows(self.dashboard.history, self.dashboard.statuses)
        if self.grid.name_of(focused) == layout.FACTS:
            return "numbers", fact_rows(self.dashboard.statuses)
        return "runs", run_rows(self.dashboard.snapshots)

    def on_mount(self) -> None:
        rates = self.dashboard.rates
        self.set_interval(rates.tick, self.tick)
        self._fast_timer = self.set_interval(rates.fast_tick, self._poll_fast, pause=True)
        self._await_answer(_LOADING)
        self.rearrange()  # the first layout, which the first frame shows, is the right one
        self.paint_messages()

    def on_resize(self) -> None:
        self.rearrange()

    def on_screen_resume(self) -> None:
        """Update what has changed while another screen was in front."""
        self.call_after_refresh(self.answer)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the focused panel, whether a key or the mouse chose it."""
        panel = self.grid.name_of(event.widget)
        # An event about a focus that has moved since would move it back, and so on forever.
        newest = event.widget is self.focused
        if newest and panel in layout.all_panels(len(self.dashboard.snapshots)):
            self.action_reveal(panel)
        if self.focused is not self.painted_focus:
            self.paint_messages()

    def block(self, message: str) -> None:
        """Accept no commands from now on, and show why."""
        self.blocked = True
        self.dashboard.messages.show_message(message)
        self.paint()

    def unblock(self, message: str = "", problem: str = "") -> None:
        """Accept commands again."""
        self.blocked = False
        if message:
            self.dashboard.messages.show_result(message)
        if problem:
            self.dashboard.messages.show_error(problem)
        self.paint()

    # Polling and painting.

    def tick(self) -> None:
        """Poll the session, and repaint each kind of content at its own rate."""
        self._ticks += 1
        self.dashboard.throttle.update(getattr(driver_of(self.app), "backlog", 0.0))
        awaited = self._poll()
        if awaited or self._is_due(self.dashboard.rates.panel_ticks):
            self.follow_group()
            self.expire_panels(waves=awaited or self._is_due(self.dashboard.rates.wave_ticks))
        if self.app.screen is self:
            is_due = self._is_due(self.dashboard.rates.number_ticks)
            if awaited or (is_due and not self.has_pending_keys):
                self.paint_messages()
            self.paint_next_panels()
        elif self._stale and self.is_seen:
            # Below a dialog, all at once: a repaint of anything repaints the dialog as well.
            self.paint_messages()
            self.paint_next_panels()

    def _is_due(self, ticks: int) -> bool:
        """Return whether content with this rate is due; less often while the terminal is behind."""
        return self._ticks % (ticks * self.dashboard.throttle.factor) == 0

    def _poll_fast(self) -> None:
        """Poll for the answer to a key, or the first numbers, more often than the ticks do."""
        self._fast_polls -= 1
        if self._poll():
            self.follow_group()
            self.expire_panels(waves=True)
            self.paint_messages()
        self.paint_next_panels()
        if self._fast_polls <= 0:
            self._fast_timer.pause()

    def _await_answer(self, times: float = 1.0) -> None:
        """Poll fast for so many ``times`` as long as after a key."""
        self._fast_polls = int(times * self.dashboard.rates.fast_polls)
        if self._fast_polls:
            self._fast_timer.resume()

    def _poll(self) -> bool:
        """Fold what is new; return whether the user waits for some of it."""
        before = self.dashboard.connection
        awaited = self.dashboard.poll(self.session)
        now = self.dashboard.connection
        if now.lost and not before.lost:
            self.post_message(self.Lost())
        if now.ended and not before.ended and not self.blocked:
            key = self.dashboard.key("quit")
            self.dashboard.messages.show_result(f"session ended elsewhere; {key}: quit")
        if self.dashboard.loaded and not self._loaded:
            self._loaded = True
            self._await_answer(_FIRST_NUMBERS)
            self.post_message(self.Loaded())
        if not (now.lost or now.ended or self.blocked):
            self.ask_for_verdict()
        return awaited

    # Layout.

    def rearrange(self) -> None:
        """Arrange the panels for the size, and keep the focus on a visible one."""
        self.remember()
        now = self.state.arrange(*self.area)
        self._title.display = now.title
        self._keys.display = bool(now.rows)
        self._messages.styles.height = now.message_rows
        self._verdict.display = bool(now.verdict_rows)
        self._verdict.styles.height = now.verdict_rows
        self.arrange_runs()
        self.grid.show_panels(now)
        if self.focused_line is None:
            panel = self.grid.panel(self.state.panel)
            self.set_focus(panel if panel.display else None)
        self.paint_arrangement()

    def remember(self) -> None:
        """Store the view in the session, for the next client."""
        view = self.state.view()
        if view != self._remembered:
            self._remembered = view
            self.session.remember(view)

    def _focus(self, name: str) -> None:
        """Focus the line of a run, or show and focus a panel."""
        if layout.is_line(name):
            self.focus_line(name)
        else:
            self.action_reveal(name)

    # Keys that act on the runs.

    def action_pause(self) -> None:
        now = self.dashboard
        self._send(commands.pause_or_resume(self.scope, now.history.wanted, now.titles, now.key))

    def action_step(self, count: int = 1) -> None:
        now = self.dashboard
        self._send(commands.step(self.scope, now.history.wanted, now.titles, count, now.key))

    def action_save(self) -> None:
        self._send(commands.save(self.scope, self.dashboard.titles))

    def action_continue(self) -> None:
        self._send(commands.extend(self.scope, self.dashboard.titles, self.dashboard.key))

    def action_pace(self, steps: int) -> None:
        order = commands.change_pace(self.scope, self.state.paces, steps, self.dashboard.titles)
        self._send(order)

    def action_restart(self) -> None:
        if not self.refuses_commands():
            self.post_message(self.RestartRequested())

    def action_evaluate(self, probe: str) -> None:
        """Evaluate all runs on one task, and show it."""
        if self.refuses_commands():
            return
        name = cast(ProbeName, probe)
        self.state.turn_to_evaluation(name)
        self.session.evaluate(name)
        self.rearrange()
        self.paint_messages()
        self._await_answer()

    @property
    def scope(self) -> list[Snapshot]:
        return self.state.scope(self.focused_line)

    def refuses_commands(self) -> bool:
        """Return whether no commands are accepted now; shows why if the session is read-only."""
        if self.dashboard.connection.read_only:
            self.show_message("read-only session")
        return self.blocked or self.dashboard.connection.read_only

    def _send(self, order: commands.RunCommands) -> None:
        if self.refuses_commands():
            return
        for run, command in order.commands:
            self.session.send(command, run)
        self.state.show_command(order)
        self.paint_messages()
        self._await_answer()

    # Keys that change what is seen.

    def action_focus_panel(self, steps: int) -> None:
        """Focus another panel in the order of the tab key."""
        current = self.focused_name or self.state.panel
        self._focus(layout.following(self.state.order, current, steps))

    def action_move(self, direction: layout.Direction) -> None:
        """Scroll a large table, move the cursor of a chart, or focus the neighbouring panel."""
        sideways = {"left": -1, "right": 1}.get(direction)
        if self.scrolled(direction) or (sideways and self.steer(sideways)):
            return
        current = self.focused_name or ""
        name = self.next_line(direction, layout.neighbour(self.focus_boxes, current, direction))
        if name:
            self._focus(name)

    def action_enlarge(self) -> None:
        """Open the focused group; enlarge the focused panel, or show all of them again."""
        if self.open_group():
            return
        if self.focused_line is not None:
            self._focus(self.state.wave)
        self.state.enlarged = not self.state.enlarged
        self.rearrange()

    def action_back(self) -> None:
        """Undo the last change of the view; never quits."""
        if self.state.go_back():
            self.refocus_line()
        else:
            key = self.dashboard.key
            self.show_message(f"{key('quit')}: quit · {key('help')}: help")

    def action_reveal(self, panel: str) -> None:
        """Show ``panel`` and focus it."""
        before = self.state.arrangement
        self.state.turn_to(panel)
        if self.state.arrange(*self.area) == before:
            self.set_focus(self.grid.panel(panel))
        else:
            if self.focused_line is not None:
                self.set_focus(None)
            self.rearrange()
