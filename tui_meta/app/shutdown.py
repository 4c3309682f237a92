"""Leaving when the system says so: the runs are safe, whatever has become of the terminal."""

from __future__ import annotations

import os
import select
import signal
import termios
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.session.api import Session
    from tui_meta.app.application import TuiMetaApp

BASE = 128
"""A process that a signal ends has this and the signal's number as its exit code."""

PATIENCE_SECONDS = 3.0
"""How long the application may take to restore the terminal once everything is saved."""

_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)

_INPUT, _OUTPUT = 0, 2
"""File descriptors of the terminal, as the application's driver uses them."""

_RESTORE = (
    b"\x1b[m\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Undoes every mode that the application sets, and its pen, as its driver does when it ends."""


class LeaveOnSignal:
    """While entered, a signal that asks to end leaves ``session`` and closes ``app``.

    Runs that go on by themselves are let be where the terminal hangs up, with a signal or, as under
    ``nohup``, without; others are saved.

    Writing to a terminal that has gone away, or that takes no more, can hold the application's
    event loop for ever. So nothing here relies on it: a thread saves, asks the application to
    close, and ends the process if that does not happen.
    """

    def __init__(self, app: TuiMetaApp, session: Session) -> None:
        self._app = app
        self._session = session
        self._before: dict[signal.Signals, Any] = {}
        self._begun = threading.Lock()
        self._closed = threading.Event()
        self._modes: list[Any] | None = None
        self.exit_code: int | None = None
        """128 and the signal's number, once there was one."""

    def __enter__(self) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                self._before[number] = signal.signal(number, self._hear)
        if os.isatty(_INPUT):
            self._modes = termios.tcgetattr(_INPUT)
            threading.Thread(target=self._await_hang_up, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _await_hang_up(self) -> None:
        poll = select.poll()
        poll.register(_INPUT, 0)  # a hang-up is told of without being asked for
        poll.poll()
        if not self._closed.is_set():
            self._hear(signal.SIGHUP, None)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self._begun.acquire(blocking=False):
            self.exit_code = BASE + number
            threading.Thread(target=self._leave, args=(number,), daemon=True).start()

    def _leave(self, number: int) -> None:
        code = BASE + number
        self._app.call_later(self._app.say_leaving)
        try:
            self._session.leave(terminated=number != signal.SIGHUP)
        except Exception as error:
            self._app.crash = error
        self._app.call_later(self._app.exit, return_code=code)
        if not self._closed.wait(PATIENCE_SECONDS):
            self._restore_terminal()
            os._exit(code)

    def _restore_terminal(self) -> None:
        """Do what the application could not, as far as the terminal takes it without waiting."""
        if self._modes is None:
            return
        try:
            os.set_blocking(_OUTPUT, False)
            os.write(_OUTPUT, _RESTORE)
            termios.tcsetattr(_INPUT, termios.TCSANOW, self._modes)
        except (OSError, termios.error):
            return  # there is no terminal any more
