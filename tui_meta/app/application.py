"""The application: composes the screens and routes between them and the session."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from core.commands import SetPace
from core.errors import reason
from core.session.api import Session
from tui_meta.app.ascii import AsciiFilter
from tui_meta.app.bell import bell_sequences
from tui_meta.app.commands import PaletteCommands
from tui_meta.app.garbage import SEARCH_SECONDS, collect_garbage, freeze_modules
from tui_meta.app.pages import PAGES, WITHOUT_RUNS, import_screens, in_background
from tui_meta.app.preferences import Preferences
from tui_meta.app.themes import PALETTES
from tui_meta.delta_driver.driver import DeltaDriver
from tui_meta.screens.base import DashboardScreen, bindings
from tui_meta.screens.copies import from_home, keep_copy, keep_picture
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.upstream.drivers import (
    ReportInputErrors,
    ResumeSafely,
    driver_of,
    drop_empty_no_color,
)
from tui_meta.upstream.errors import KeepFirstCrash
from tui_meta.upstream.key_order import OneKeyAtATime
from tui_meta.upstream.plotext import import_plotext
from tui_meta.upstream.style_sheets import WithParsedOnce
from tui_meta.upstream.terminal_input import ReadWholeSequences
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.dialogs.quit_choice import QuitChoice, default_quit_choice
from tui_meta.views.keys.concepts import concepts
from tui_meta.views.keys.keymap import key_names
from tui_meta.views.keys.table import APP_KEYS, SCREEN_KEYS, AsciiKeymap
from tui_meta.views.rates import rates
from tui_meta.views.tabular import clipboard_sequences, separated, without_clipboard
from tui_meta.views.watch.pace import first_pace_message

if TYPE_CHECKING:
    from tui_meta.screens.battery.screen import BatteryPage

_PACKAGE = Path(__file__).parents[1]


def style_sheets() -> list[Path]:
    """Return the files with the styles of all screens and widgets."""
    return sorted(_PACKAGE.rglob("*.tcss"))


class TerminalDriver(ResumeSafely, ReportInputErrors, ReadWholeSequences, DeltaDriver):
    """The delta driver without the faults of Textual's driver."""


class TuiMetaApp(
    OneKeyAtATime, KeepFirstCrash, WithParsedOnce, PaletteCommands, inherit_bindings=False
):
    """The dashboard of ``session``, which it starts after the first frame and stops in the end.

    With a ``sweep`` it shows that folder, and the session has no runs.
    """

    TITLE = "tui-meta"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        _PACKAGE / name
        for name in ("screens/watch/screen.tcss", "widgets/lines.tcss", "widgets/panel.tcss")
    ]
    """The style sheets of the first frame; those of other screens are read after it."""
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(SCREEN_KEYS + APP_KEYS)

    def __init__(
        self,
        session: Session,
        preferred: Preferences | None = None,
        first_pace: float | None = None,
        sweep: Path | None = None,
    ) -> None:
        self.first_pace = first_pace
        """The pace of the first runs of a user, who may not know yet what to look at."""
        self.preferred = preferred or Preferences()
        self.ascii_only = bool(self.preferred.ascii)
        self._ascii_filter = AsciiFilter()
        drop_empty_no_color()
        colors = None if "NO_COLOR" in os.environ else PALETTES.get(self.preferred.theme)
        # Set here and not only by the theme, because Textual reads NO_COLOR at this point.
        super().__init__(driver_class=TerminalDriver, ansi_color=colors is None)
        if colors:
            self.ansi_theme_dark = self.ansi_theme_light = colors.ansi
        self.theme = "ansi-dark" if colors is None or colors.dark else "ansi-light"
        self.animation_level = "none"
        self.session = session
        keys = self.preferred.keys
        self.dashboard = DashboardState(
            session.snapshots(),
            session.history(),
            keymap=AsciiKeymap(keys) if self.ascii_only else keys,
            rates=rates(os.environ, self.preferred.fps),
        )
        self.dashboard.connection = session.connection
        if first_pace:
            said = first_pace_message(first_pace, self.dashboard.key)
            self.dashboard.messages.show_result(said)
        for problem in self.preferred.problems:
            self.dashboard.messages.show_error(problem)
        if self.preferred.bell:
            self.dashboard.on_occasion.append(self.ring)
        self.watch_screen = WatchScreen(session, self.dashboard)
        self.lowest: DashboardScreen = self.watch_screen
        """The screen below all others."""
        if sweep:
            from tui_meta.screens.sweep.screen import SweepPage

            self.stylesheet.read_all(style_sheets())
            self.lowest = SweepPage(session, self.dashboard, sweep)
            self.install_screen(self.lowest, "sweep")

    def get_default_screen(self) -> Screen[None]:
        """Return the lowest screen, which is shown from the first frame on."""
        return self.lowest

    def on_load(self) -> None:
        self.set_keymap(key_names(self.preferred.keys))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters that every line passes before it is sent."""
        return [*super().get_line_filters(), *([self._ascii_filter] if self.ascii_only else [])]

    def on_ready(self) -> None:
        """Start training, which imports PyTorch, now that the first frame is out."""
        self.session.start()
        if self.first_pace:
            for run in self.session.snapshots():
                self.session.send(SetPace(self.first_pace), run)
        in_background(import_plotext)  # until the first numbers come, with which charts are drawn
        self.stylesheet.read_all(style_sheets())
        self.stylesheet.parse()
        if self.lowest is not self.watch_screen:  # without runs no first numbers will be shown
            self.set_timer(1.0, freeze_modules)
        self.set_interval(SEARCH_SECONDS, self._collect_garbage)

    def _collect_garbage(self) -> None:
        """Search for garbage while no key is handled."""
        if not (self.has_pending_keys or self.watch_screen.paints_later):
            collect_garbage()

    def on_watch_screen_loaded(self) -> None:
        """Import the other screens in the background, once the first numbers are shown."""
        self.set_timer(1.0, partial(in_background, import_screens))

    async def on_event(self, event: events.Event) -> None:
        """Mark the messages as read when the user presses a key."""
        if isinstance(event, events.Key | events.MouseDown) and not event.is_forwarded:
            self.dashboard.messages.mark_read()
        await super().on_event(event)

    # Screens.

    def action_visit(self, name: str) -> None:
        """Show the screen ``name``, above the lowest one."""
        if not isinstance(self.screen, DashboardScreen):
            return
        self.dashboard.messages.leave_screen()
        if self.lowest is not self.watch_screen and name not in WITHOUT_RUNS:
            self.front.show_message("nothing is trained here: a sweep's folder is shown")
            return
        if self.screen is not self.lowest:
            self.pop_screen()
        if name in PAGES:
            if not self.is_screen_installed(name):
                # An installed screen keeps its state while another is in front.
                self.install_screen(PAGES[name](self.session, self.dashboard), name)
                self.set_timer(1.0, freeze_modules)  # what the screen has imported by then
            if self.get_screen(name) is not self.lowest:
                self.push_screen(name)

    def on_battery_page_task_chosen(self, chosen: BatteryPage.TaskChosen) -> None:
        """Open the task in the Lab."""
        from tui_meta.screens.lab.screen import LabPage

        self.action_visit("lab")
        lab = self.get_screen("lab")
        if isinstance(lab, LabPage):
            lab.open_task(chosen.task, chosen.updates)

    def action_help(self) -> None:
        """Explain the screen in front, and list its keys."""
        from tui_meta.screens.dialogs.help import Help

        active = self.screen.active_bindings.values()
        bound = {one.binding.id or one.binding.key: one.tooltip for one in active}
        if not self.is_screen_installed("help"):
            self.install_screen(Help(), "help")
        about = concepts(self.front.NAME, self.dashboard.key)
        self.get_screen("help", Help).explain(about, bound, self.groups)
        self.push_screen("help")

    def action_info(self) -> None:
        """Show what the runs are, or the one in focus."""
        self.front.show_info()

    def action_suspend(self) -> None:
        """Stop like other programs, with whatever started this one; ``fg`` continues both."""
        driver = driver_of(self)
        if driver and driver.can_suspend:
            os.killpg(0, signal.SIGTSTP)

    def action_redraw(self) -> None:
        """Redraw the screen, whatever the terminal shows."""
        forget = getattr(driver_of(self), "forget", None)
        if forget:
            forget()
        self.refresh(layout=True)

    def ring(self, message: str) -> None:
        """Ring the bell, and show ``message`` where the terminal has notifications."""
        if driver := driver_of(self):
            driver.write(bell_sequences(message, os.environ))

    # Copies and pictures.

    def action_copy(self) -> None:
        """Copy the focused panel to the clipboard and to a file."""
        name, rows = self.front.copied()
        text = separated(rows, "\t")
        sequences = clipboard_sequences(text, tmux="TMUX" in os.environ)
        driver = driver_of(self)
        how = "copied; also" if sequences else "too long for the clipboard;"
        if terminal := without_clipboard(os.environ):
            how = f"{terminal} has no clipboard;"
        elif driver and sequences:
            driver.write(sequences)
        try:
            self.front.show_result(f"{how} saved to {from_home(keep_copy(name, text))}")
        except OSError as error:
            self.front.show_error(f"the copy could not be written: {reason(error)}")

    def action_picture(self) -> None:
        """Save a screenshot, and each of its charts alone with its values."""
        opened = [name for name in PAGES if self.is_screen_installed(name)]
        name = next((one for one in opened if self.get_screen(one) is self.front), "watch")
        try:
            picture, *others = keep_picture(
                self.screen, name, self.export_screenshot(), self.front.files()
            )
        except OSError as error:
            self.front.show_error(f"the screenshot could not be written: {reason(error)}")
            return
        start = len(picture.name) - len("screen.svg")
        names = dict.fromkeys(path.stem[start:] for path in others)
        beside = f"; as SVG and CSV: {', '.join(names)}" if names else ""
        self.front.show_result(f"screenshot saved: {from_home(picture)}{beside}")

    # Leaving.

    async def action_quit(self) -> None:
        """Leave; ask first unless all runs have ended and are saved."""
        if self.watch_screen.blocked:
            return
        connection = self.session.connection
        answer = default_quit_choice(self.session.snapshots(), connection)
        if answer:
            self._quit(answer)
        else:
            self._ask_how_to_leave("quit?", detachable=connection.id is not None)

    def action_detach(self) -> None:
        """Leave while the runs continue training; asks as quitting does."""
        if self.watch_screen.blocked:
            return
        connection = self.session.connection
        if connection.id is None:
            key = self.dashboard.key("quit")
            said = "these runs end with this program" if self.dashboard.snapshots else "no runs"
            self.front.show_message(f"{said} · {key}: quit")
        elif default_quit_choice(self.session.snapshots(), connection):
            self._quit("detach")
        else:
            self._ask_how_to_leave("detach?", detachable=True)

    def _ask_how_to_leave(self, title: str, *, detachable: bool) -> None:
        from tui_meta.app.questions import leave_question  # late: the first frame needs no dialog

        states = {one.state for one in self.session.snapshots().values()}
        self.push_screen(leave_question(states, title, detachable=detachable), self._quit)

    def _quit(self, answer: QuitChoice | None) -> None:
        if answer == "detach":
            self.session.detach()
            self.exit()
        elif answer in ("save", "discard"):
            save = answer == "save"
            self.show_leaving(save=save)
            self.run_worker(partial(self._stop, save), thread=True)

    def show_leaving(self, *, save: bool = True) -> None:
        """Accept no more commands while the runs are saved and end."""
        self.watch_screen.block("saving, then leaving…" if save else "leaving…")

    def _stop(self, save: bool) -> None:
        self.session.stop(save=save)
        self.call_from_thread(self.exit)

    # Runs that were lost.

    def on_watch_screen_lost(self) -> None:
        """Offer to reconnect or, if the session has ended, to resume from what was saved."""
        from tui_meta.app.questions import lost_question

        self.push_screen(lost_question(self.session.connection), self._reconnect)

    def _reconnect(self, answer: bool | None) -> None:
        if not answer:
            self.exit()
            return

        def reconnect() -> str:
            self.session.reconnect()
            return f"training continues in session {self.session.connection.id}"

        self._replace_runs("reconnecting…", reconnect, "the runs cannot continue")

    def _replace_runs(self, message: str, replace: Callable[[], str], failed: str) -> None:
        """Show ``message`` and accept no commands until ``replace`` has returned another one."""

        def work() -> None:
            done = problem = ""
            try:
                done = replace()
            except Exception as error:
                problem = f"{failed}: {reason(error)}"
            self.call_from_thread(self.watch_screen.unblock, done, problem)

        self.watch_screen.block(message)
        self.run_worker(work, thread=True)

    # New runs.

    def on_watch_screen_restart_requested(self) -> None:
        """Ask first, because the current runs end."""
        from tui_meta.app.questions import restart_question

        self.push_screen(restart_question(), self._restart)

    def _restart(self, answer: bool | None) -> None:
        def restart() -> str:
            self.session.restart()
            return "new runs with the next seed"

        if answer and not self.watch_screen.blocked:
            self._replace_runs("saving, then starting new runs…", restart, "no new runs")
