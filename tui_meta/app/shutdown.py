"""Leaves the dashboard on a signal or a hang-up, even if the terminal takes no more bytes."""

from __future__ import annotations

import os
import select
import signal
import termios
import threading
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from tui_meta.app.signals import DASHBOARD_SIGNALS, exit_code, handling, is_hang_up

if TYPE_CHECKING:
    from core.session.api import Session
    from tui_meta.app.application import TuiMetaApp

CLOSING_SECONDS = 3.0
"""Time the application has to restore the terminal once everything is saved."""

_INPUT, _OUTPUT = 0, 2
"""File descriptors of the terminal, as the application's driver uses them."""

_RESTORE = (
    b"\x1b[m\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Undoes every mode and style that the application sets, as its driver does when it ends."""


class LeaveOnSignals:
    """While entered, a signal that ends the process leaves ``session`` and closes ``app``.

    If the terminal hangs up, with a signal or, as under ``nohup``, without, runs in a process of
    their own continue; others are saved.

    Writing to a terminal that is gone, or that takes no more, can block the application's event
    loop forever. So nothing here relies on it: a thread saves, tells the application to close, and
    ends the process if that does not happen.
    """

    def __init__(self, app: TuiMetaApp, session: Session) -> None:
        self._app = app
        self._session = session
        self._handling = handling(dict.fromkeys(DASHBOARD_SIGNALS, self._leave_in_thread))
        self._leaving = threading.Lock()
        self._closed = threading.Event()
        self._modes: list[Any] | None = None
        self.exit_code: int | None = None
        """The exit code of the signal, once there was one."""

    def __enter__(self) -> None:
        self._handling.__enter__()
        if os.isatty(_INPUT):
            self._modes = termios.tcgetattr(_INPUT)
            threading.Thread(target=self._await_hang_up, daemon=True).start()

    def __exit__(self, *exception: Any) -> None:
        self._closed.set()
        self._handling.__exit__(*exception)

    def _await_hang_up(self) -> None:
        poll = select.poll()
        poll.register(_INPUT, 0)  # a hang-up is reported without being asked for
        poll.poll()
        if not self._closed.is_set():
            self._leave_in_thread(signal.SIGHUP, None)

    def _leave_in_thread(self, number: int, _: FrameType | None) -> None:
        if self._leaving.acquire(blocking=False):
            self.exit_code = exit_code(number)
            threading.Thread(target=self._leave, args=(number,), daemon=True).start()

    def _leave(self, number: int) -> None:
        code, app = exit_code(number), self._app
        show = partial(app.call_later, app.show_leaving)
        leave = partial(self._session.leave, terminated=not is_hang_up(number))
        for step in (show, leave, partial(app.call_later, app.exit, return_code=code)):
            try:
                step()
            except Exception as error:
                app.crash = app.crash or error
        if not self._closed.wait(CLOSING_SECONDS):
            self._restore_terminal()
            os._exit(code)

    def _restore_terminal(self) -> None:
        """Restore the terminal without the application, as far as it takes bytes at once."""
        if self._modes is None:
            return
        try:
            os.set_blocking(_OUTPUT, False)
            os.write(_OUTPUT, _RESTORE)
            termios.tcsetattr(_INPUT, termios.TCSANOW, self._modes)
        except (OSError, termios.error):
            return  # the terminal is gone
