"""Signals that ask a process without a dashboard to end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Where there is nothing to tidy up, Ctrl-C ends the process at once.

    A ``KeyboardInterrupt`` would be lost, but for a traceback, while a compiler calls back.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class SignalWatch:
    """Remembers the first signal that asks to end; a further Ctrl-C ends the process at once.

    A signal that the process was told to ignore, as by ``nohup``, stays ignored. A process that
    ``outlives_terminal`` takes the terminal's end for no reason to end, and writes to it no more.
    """

    def __init__(self, *, outlives_terminal: bool = False) -> None:
        self.received: int | None = None
        self._terminals = _terminals() if outlives_terminal else None
        self._before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int | None:
        """128 and the signal's number, once there was one."""
        return 128 + self.received if self.received else None

    def __enter__(self) -> SignalWatch:
        handlers = {
            signal.SIGINT: self._hear,
            signal.SIGTERM: self._hear,
            signal.SIGHUP: self._hear if self._terminals is None else self._hang_up,
        }
        for number, handler in handlers.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hang_up(self, *_: object) -> None:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in self._terminals or ():
            os.dup2(nothing, descriptor)
        os.close(nothing)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self.received is None:
            self.received = number
        elif number == signal.SIGINT:
            if sys.stdout.isatty():
                os.write(sys.stdout.fileno(), b"\n")
            os._exit(128 + number)


def _terminals() -> Sequence[int]:
    """Those of standard input, output and error that are a terminal."""
    return [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]
