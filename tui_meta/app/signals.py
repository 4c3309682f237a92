"""Signals that end a process: the table of what each does, and the handlers that it needs.

============================== ============= ======================= ==============================
process                        signal        first                   again
============================== ============= ======================= ==============================
dashboard                      INT QUIT TERM save, close             nothing, for it is leaving
(`DASHBOARD_SIGNALS`)          HUP           runs of their own       nothing, for it is leaving
                                             process continue, others
                                             are saved; close
                               TSTP CONT     stop, redraw            the same
headless, ``watch``            INT           save or detach, end     end at once, without saving,
                                                                     where that was announced
(`FirstSignal`)                TERM HUP      save or detach, end     nothing, for it is ending
the same, outliving its        HUP           write to the terminal   the same
terminal                                     no more, continue
short commands, imports        INT           end at once             (no second)
(`interrupt_at_once`)
session process                INT TERM      save, end               nothing, for it is ending
(`core.remote.process`)        HUP           ignored                 ignored
============================== ============= ======================= ==============================

A signal that the process was started to ignore, as by ``nohup``, stays ignored. A process that a
signal ends has `exit_code` of that signal. TSTP and CONT are handled by the driver of the terminal
(`tui_meta.upstream.drivers`). Everything else has the default action.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], None]

DASHBOARD_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
HEADLESS_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def is_hang_up(number: int) -> bool:
    """Return True if the terminal is gone: runs in a process of their own then continue."""
    return number == signal.SIGHUP


def exit_code(number: int) -> int:
    """Return the exit code of a process that a signal ends: 128 and the signal's number."""
    return 128 + number


def is_by_signal(code: int) -> bool:
    """Return True if ``code`` is the exit code of a process that a signal ends."""
    return code >= exit_code(0)


@contextmanager
def handling(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    """Install ``handlers`` while entered, except for signals that the process ignores."""
    before = {}
    for number, handler in handlers.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


@contextmanager
def interrupt_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process at once, where there is nothing to tidy up.

    A ``KeyboardInterrupt`` would be lost, except for a traceback, while a compiler calls back.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class FirstSignal:
    """Records the first signal that ends a process without a dashboard.

    A further Ctrl-C ends the process at once, where that was announced. A process that
    ``outlives_terminal`` continues when the terminal is closed, and no longer writes to it.
    """

    def __init__(self, *, outlives_terminal: bool = False) -> None:
        self.received: int | None = None
        self.may_abandon: Callable[[], bool] = lambda: False
        """Returns True once users know what a further Ctrl-C does."""
        handlers: dict[signal.Signals, Handler] = dict.fromkeys(HEADLESS_SIGNALS, self._record)
        self._null: int | None = None
        self._terminals: list[int] = []
        if outlives_terminal:
            # Looked up before the hang-up, after which none of them is a terminal.
            self._terminals = [standard for standard in (0, 1, 2) if os.isatty(standard)]
            handlers[signal.SIGHUP] = self._leave_terminal
        self._handling: AbstractContextManager[None] = handling(handlers)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the first signal, if there was one."""
        return exit_code(self.received) if self.received else None

    def __enter__(self) -> FirstSignal:
        if self._terminals:
            with suppress(OSError):  # now, since the handler may find no free descriptor
                self._null = os.open(os.devnull, os.O_RDWR)
        self._handling.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._handling.__exit__(*exception)
        if self._null is not None:
            os.close(self._null)

    def _record(self, number: int, _: FrameType | None) -> None:
        if self.received is None:
            self.received = number
        elif number == signal.SIGINT and self.may_abandon():
            try:
                if sys.stdout.isatty():
                    os.write(sys.stdout.fileno(), b"\n")
                os.write(sys.stderr.fileno(), b"quit without saving\n")
            finally:  # whatever the streams are by now
                os._exit(exit_code(number))

    def _leave_terminal(self, *_: Any) -> None:
        """Write to the terminal no more; an exception here would end the runs."""
        if self._null is None:
            return
        for descriptor in self._terminals:
            with suppress(OSError):
                os.dup2(self._null, descriptor)
