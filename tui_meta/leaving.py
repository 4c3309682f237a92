"""Leaving when the system says so: the runs are saved, whatever has become of the terminal."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.session import Session
    from tui_meta.app import TuiMetaApp

BASE = 128
"""A process that a signal ends has this and the signal's number as its exit code."""

PATIENCE_SECONDS = 3.0
"""How long the application may take to restore the terminal once everything is saved."""

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class LeaveOnSignal:
    """While entered, SIGTERM and SIGHUP save the runs of ``session`` and close ``app``.

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

    def __enter__(self) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                self._before[number] = signal.signal(number, self._hear)

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._leave, args=(BASE + number,), daemon=True).start()

    def _leave(self, code: int) -> None:
        self._app.call_later(self._app.say_leaving)
        self._session.stop(save=True)
        self._app.call_later(self._app.exit, return_code=code)
        if not self._closed.wait(PATIENCE_SECONDS):
            os._exit(code)
