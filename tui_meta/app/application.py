"""The application: composes the screens and routes between them and the session."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.screen import Screen

from core.errors import LabError
from core.session.api import Connection, Session
from tui_meta.app.ascii import AsciiFilter
from tui_meta.app.gc_freeze import ModuleFreezer
from tui_meta.app.preferences import Preferences
from tui_meta.app.themes import PALETTES
from tui_meta.delta_driver.driver import DeltaDriver
from tui_meta.screens.battery.screen import BatteryPage
from tui_meta.screens.bindings import bindings
from tui_meta.screens.copies import focused_rows, from_home, keep_copy, keep_picture
from tui_meta.screens.dialogs.ask import Answer, Ask
from tui_meta.screens.dialogs.help import Help
from tui_meta.screens.dialogs.palette import Palette
from tui_meta.screens.geometry.screen import GeometryPage
from tui_meta.screens.lab.screen import LabPage
from tui_meta.screens.messages.screen import MessagesPage
from tui_meta.screens.page import Page
from tui_meta.screens.runs.screen import RunsPage
from tui_meta.screens.time_machine.screen import TimeMachinePage
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.upstream.drivers import ReportInputErrors, ResumeSafely, driver_of
from tui_meta.upstream.errors import KeepFirstCrash
from tui_meta.upstream.key_order import OneKeyAtATime
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.dialogs.quit_choice import QuitChoice, parting
from tui_meta.views.export import clipboard_sequences, separated
from tui_meta.views.keys.keymap import key_names
from tui_meta.views.keys.palette import palette_entries
from tui_meta.views.keys.table import APP_KEYS, GROUPS, SCREEN_KEYS, Groups, mapped_groups
from tui_meta.views.rates import rates

PAGES: dict[str, type[Page]] = {
    "lab": LabPage,
    "time-machine": TimeMachinePage,
    "battery": BatteryPage,
    "geometry": GeometryPage,
    "runs": RunsPage,
    "messages": MessagesPage,
}
"""The screens beside the watch screen, by the names that keys call them."""


class TerminalDriver(ResumeSafely, ReportInputErrors, DeltaDriver):
    """The delta driver without the faults of Textual's driver."""


class TuiMetaApp(OneKeyAtATime, KeepFirstCrash, inherit_bindings=False):
    """The dashboard of ``session``, which it starts after the first frame and stops in the end."""

    TITLE = "tui-meta"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "../screens/watch/screen.tcss",
        "../screens/dialogs/ask.tcss",
        "../screens/dialogs/help.tcss",
        "../screens/page.tcss",
        "../screens/dialogs/palette.tcss",
        "../screens/lab/screen.tcss",
        "../screens/time_machine/screen.tcss",
        "../screens/dialogs/type_in.tcss",
        "../screens/battery/screen.tcss",
        "../screens/geometry/screen.tcss",
        "../screens/runs/screen.tcss",
        "../widgets/lines.tcss",
        "../widgets/panel.tcss",
    ]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(SCREEN_KEYS + APP_KEYS)

    def __init__(self, session: Session, preferred: Preferences | None = None) -> None:
        self.preferred = preferred or Preferences()
        self.ascii_only = bool(self.preferred.ascii)
        self._in_ascii = AsciiFilter()
        self._spared = ModuleFreezer()
        colors = None if "NO_COLOR" in os.environ else PALETTES.get(self.preferred.theme)
        # Said here, not by the theme alone, for NO_COLOR is heeded only at this point.
        super().__init__(driver_class=TerminalDriver, ansi_color=colors is None)
        if colors:
            self.ansi_theme_dark = self.ansi_theme_light = colors.ansi
        self.theme = "ansi-dark" if colors is None or colors.dark else "ansi-light"
        self.animation_level = "none"
        self.session = session
        self.dashboard = DashboardState(
            session.snapshots(),
            session.history(),
            keymap=self.preferred.keys,
            rates=rates(os.environ, self.preferred.fps),
        )
        self.dashboard.connection = session.connection
        self.watch_screen = WatchScreen(session, self.dashboard)

    def get_default_screen(self) -> Screen[None]:
        """The watch screen is there from the first frame on."""
        return self.watch_screen

    def on_load(self) -> None:
        """Put keys where the person wants them."""
        self.set_keymap(key_names(self.preferred.keys))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to every line before it is sent."""
        return [*super().get_line_filters(), *([self._in_ascii] if self.ascii_only else [])]

    def on_ready(self) -> None:
        """The first frame is out: training may begin, which imports PyTorch."""
        self.session.start()
        self.set_interval(1.0, self._spare_modules)

    def _spare_modules(self) -> None:
        """Keep imported modules out of the garbage collector's search once the runs are loaded."""
        if self.dashboard.loaded:
            self._spared.look()

    async def on_event(self, event: events.Event) -> None:
        """Who presses a key has read what stood there."""
        if isinstance(event, events.Key | events.MouseDown) and not event.is_forwarded:
            self.dashboard.messages.read()
        await super().on_event(event)

    # Screens.

    def action_visit(self, name: str) -> None:
        """Show the screen called ``name``; the watch screen lies below all others."""
        if not isinstance(self.screen, Page | WatchScreen):
            return
        if isinstance(self.screen, Page):
            self.pop_screen()
        if name in PAGES:
            if not self.is_screen_installed(name):
                # An installed one stays as it is while another is in front.
                self.install_screen(PAGES[name](self.session, self.dashboard), name)
            self.push_screen(name)

    def on_battery_page_task_chosen(self, chosen: BatteryPage.TaskChosen) -> None:
        """Open it in the Lab."""
        self.action_visit("lab")
        lab = self.get_screen("lab")
        if isinstance(lab, LabPage):
            lab.open_task(chosen.task, chosen.updates)

    def action_help(self) -> None:
        """List the keys that the screen in front binds."""
        active = self.screen.active_bindings.values()
        bound = {one.binding.id or one.binding.key: one.tooltip for one in active}
        if not self.is_screen_installed("help"):
            self.install_screen(Help(), "help")
        self.get_screen("help", Help).list_keys(bound, self._groups)
        self.push_screen("help")

    @property
    def _groups(self) -> Groups:
        """The keys of the screen in front."""
        groups = self.screen.key_groups if isinstance(self.screen, Page) else GROUPS
        return mapped_groups(groups, self.preferred.keys)

    def action_palette(self) -> None:
        """Look for a screen or a key by name."""
        if isinstance(self.screen, Page | WatchScreen):
            self.push_screen(Palette(palette_entries(self._groups)), self._do)

    async def _do(self, action: str | None) -> None:
        """Do what a key of the screen in front does."""
        for node, binding, _, _ in self.screen.active_bindings.values():
            if binding.action == action:
                await self.run_action(action, node)
                return

    def action_redraw(self) -> None:
        """Draw all anew, whatever the terminal shows."""
        forget = getattr(driver_of(self), "forget", None)
        if forget:
            forget()
        self.refresh(layout=True)

    # What is copied and kept.

    def action_copy(self) -> None:
        """Copy what has the focus to the clipboard and to a file."""
        if isinstance(self.screen, Page):
            name, rows = self.screen.copied()
        else:
            name, rows = focused_rows(self.focused, self.dashboard)
        text = separated(rows, "\t")
        sequences = clipboard_sequences(text, tmux="TMUX" in os.environ)
        driver = driver_of(self)
        if driver and sequences:
            driver.write(sequences)
        how = "copied" if sequences else "too long for the clipboard; all of it is"
        try:
            self._tell(f"{how}, and in {from_home(keep_copy(name, text))}")
        except OSError as error:
            self._complain(f"the copy could not be written: {error}")

    def action_picture(self) -> None:
        """Save a picture of the screen, and the values of its charts."""
        try:
            picture, *values = keep_picture(self.screen, self.export_screenshot())
        except OSError as error:
            self._complain(f"no picture could be written: {error}")
            return
        beside = f", with {len(values)} CSV beside it" if values else ""
        self._tell(f"picture saved{beside}: {from_home(picture)}")

    def _tell(self, result: str) -> None:
        if isinstance(self.screen, Page | WatchScreen):
            self.screen.show_result(result)

    def _complain(self, problem: str) -> None:
        if isinstance(self.screen, Page | WatchScreen):
            self.screen.show_error(problem)

    # Ends.

    async def action_quit(self) -> None:
        """Leave; ask first if something would be stopped or lost."""
        if self.watch_screen.held:
            return
        connection = self.session.connection
        answer = parting(self.session.snapshots(), connection)
        if answer:
            self._quit(answer)
        else:
            self.push_screen(_quit_question(detachable=connection.id is not None), self._quit)

    def action_detach(self) -> None:
        """Leave, and let the runs train on."""
        if self.watch_screen.held:
            return
        if self.session.connection.id is None:
            key = self.dashboard.key("quit")
            self.watch_screen.show_message(f"these runs end with this program; {key} quits")
        else:
            self._quit("detach")

    def _quit(self, answer: QuitChoice | None) -> None:
        if answer == "detach":
            self.session.detach()
            self.exit()
        elif answer in ("save", "discard"):
            self._leave(save=answer == "save")

    def say_leaving(self) -> None:
        """Say that the runs are being saved, and take no more orders."""
        self.watch_screen.hold("saving, then leaving…")

    def _leave(self, *, save: bool) -> None:
        self.watch_screen.hold("saving, then leaving…" if save else "leaving…")
        self.run_worker(lambda: self._stop(save), thread=True)

    def _stop(self, save: bool) -> None:
        self.session.stop(save=save)
        self.call_from_thread(self.exit)

    # Runs that were lost.

    def on_watch_screen_lost(self) -> None:
        """Offer to go on from what was saved or, where the runs still train, to come back."""
        self.push_screen(_lost_question(self.session.connection), self._go_on)

    def _go_on(self, answer: bool | None) -> None:
        if not answer:
            self.exit()
            return
        self.watch_screen.hold("going on…")
        self.run_worker(self._revive, thread=True)

    def _revive(self) -> None:
        said = problem = ""
        try:
            self.session.reconnect()
            said = f"training goes on as session {self.session.connection.id}"
        except LabError as error:
            problem = f"the runs do not go on: {error}"
        self.call_from_thread(self.watch_screen.release, said, problem)

    # Fresh runs.

    def on_watch_screen_fresh_asked(self) -> None:
        """Ask, for the present runs end with it."""
        self.push_screen(_fresh_question(), self._fresh)

    def _fresh(self, answer: bool | None) -> None:
        if answer and not self.watch_screen.held:
            self.watch_screen.hold("saving, then beginning afresh…")
            self.run_worker(self._begin_afresh, thread=True)

    def _begin_afresh(self) -> None:
        said = problem = ""
        try:
            self.session.restart()
            said = "fresh runs with the next seed"
        except LabError as error:
            problem = f"no fresh runs: {error}"
        self.call_from_thread(self.watch_screen.release, said, problem)


def _quit_question(*, detachable: bool) -> Ask[QuitChoice]:
    detach: Answer[QuitChoice] = Answer("d", "detach: the runs train on without you", "detach")
    answers: tuple[Answer[QuitChoice], ...] = (
        Answer("s", "save and stop", "save"),
        Answer("x", "stop, and discard what is not saved", "discard"),
        Answer("escape", "stay", "stay"),
    )
    return Ask("quit?", "", (detach, *answers) if detachable else answers)


def _lost_question(connection: Connection) -> Ask[bool]:
    leave = Answer("escape", "leave", False)
    if connection.dropped:
        again = Answer("r", "come back", True)
        return Ask(
            "left behind", f"{connection.lost[:1].upper()}{connection.lost[1:]}.", (again, leave)
        )
    problem = connection.lost
    details = f"{problem[:1].upper()}{problem[1:]}. What it saved is there."
    resume = Answer("r", "resume from what was saved", True)
    return Ask("training has ended", details, (leave,) if connection.read_only else (resume, leave))


def _fresh_question() -> Ask[bool]:
    details = "The present runs are saved and end; new ones begin with the next seed."
    answers = (Answer("f", "fresh runs", True), Answer("escape", "stay with these", False))
    return Ask("fresh runs?", details, answers)
