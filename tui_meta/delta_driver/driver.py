"""The driver: it never makes the application wait for its terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final, cast

from textual import events
from textual.drivers.linux_driver import LinuxDriver

from tui_meta.delta_driver.flow import PATIENCE, Flow
from tui_meta.delta_driver.output import Output

if TYPE_CHECKING:
    from io import TextIOWrapper

    from textual.app import App
    from textual.message import Message


LAST_ANSWER: Final = 1.0
"""Seconds in which answers may come that are still on their way when the application ends."""

SETTLED: Final = 0.1
"""Seconds without another size after which the terminal keeps the one that it has."""

_WAITED_FOR: Final = (events.InputEvent, events.Paste)
"""Somebody who has done this looks for what comes of it."""


class DeltaDriver(LinuxDriver):
    """Textual's driver, but for what it sends: only what the terminal does not show yet.

    However slow the terminal is, the application goes on. What waits is never more than the
    newest screen, and what is no part of a screen; ``backlog`` tells for how long. What is on its
    way to a terminal that answers questions is one repaint, or two if a key was pressed (`Flow`).
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._lock = threading.Lock()
        self._output = Output(*app.size)
        self._flow = Flow()
        self._forgotten = self._will_look = False
        self._settling: asyncio.TimerHandle | None = None
        self._called = False
        """Whether the writing thread has been told that there is something to send."""
        self._unsent_since: float | None = None
        self._sending_since: float | None = None
        # The thread calls it for every text that is put into its queue, and gets the real text
        # only then: so one call at a time is enough, and the queue is never full.
        file = cast("IO[str]", sys.__stderr__)
        self._file = cast("TextIOWrapper", _Sender(file, self._take, self._sent))
        # A signal comes at any point of the program, even where it holds the lock.
        signal.signal(signal.SIGTSTP, partial(self._in_its_turn, self._sigtstp_application))
        signal.signal(signal.SIGCONT, partial(self._in_its_turn, self._sigcont_application))

    @property
    def backlog(self) -> float:
        """For how many seconds the terminal has not shown the newest screen; 0 if it does."""
        times = (self._flow.since, self._sending_since, self._unsent_since)
        return time.monotonic() - min(filter(None, times), default=time.monotonic())

    def forget(self) -> None:
        """Whatever the terminal shows: send the whole screen again."""
        self._forgotten = True
        self._call()

    def write(self, data: str) -> None:
        """Show what ``data`` means, as soon as the terminal takes it."""
        with self._lock:
            self._output.resize(*self._app.size)
            self._output.write(data)
            self._unsent_since = self._unsent_since or time.monotonic()
            updating = self._output.updating
        if not updating:
            self._call()

    def start_application_mode(self) -> None:
        """Start on a terminal that may show anything."""
        with self._lock:
            self._output = Output(*self._app.size)
            self._flow = Flow()
        self._called = False
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's lacks types
        # A second change of size in the midst of telling the first was told before it, and the
        # application stayed at the first.
        tell_size = signal.getsignal(signal.SIGWINCH)
        if callable(tell_size):

            def tell() -> None:
                tell_size(signal.SIGWINCH, None)
                self._settle()

            signal.signal(signal.SIGWINCH, partial(self._in_its_turn, tell))

    def disable_input(self) -> None:
        """Read no more; what answers questions must be read before."""
        self._flow.end(LAST_ANSWER)
        super().disable_input()

    def close(self) -> None:
        """Send what is left, and end the writing thread."""
        self._flow.end(0)
        self._output.updating = False
        self._call()
        super().close()

    def process_message(self, message: Message) -> None:
        """Take note of keys, of answers, and of a terminal that tells its new size by itself."""
        if isinstance(message, events.CursorPosition):
            self._flow.answer()
            self._call()
            return
        if isinstance(message, events.Resize):
            self._forgotten = True
            self._settle()
        elif isinstance(message, _WAITED_FOR) and not isinstance(message, events.MouseMove):
            self._flow.press()
        super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        self._forgotten = True  # it is asked for whenever the terminal may have been resized
        return super()._get_terminal_size()

    def _settle(self) -> None:
        """Have all drawn once the size stays.

        The application draws nothing for a size that comes back before it has looked, but the
        terminal may have lost what it showed.
        """
        if self._settling:
            self._settling.cancel()
        self._settling = self._loop.call_later(SETTLED, self._app.refresh)

    def _in_its_turn(self, handle: Callable[[], None], number: int, _: object) -> None:
        """Handle a signal between two steps of the application."""
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(handle)
        elif number == signal.SIGTSTP:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _call(self) -> None:
        if self._writer_thread is not None and not self._called:
            self._called = True
            self._writer_thread.write("")

    def _take(self) -> str:
        time.sleep(self._flow.gathering)
        with self._lock:
            self._called = False
            if not self._flow.is_open:
                self._look_later()
                return ""
            if self._forgotten:
                self._forgotten = False
                self._output.forget()
            self._sending_since, self._unsent_since = self._unsent_since, None
            data = self._output.take()
            return data + self._flow.send() if data else ""

    def _sent(self) -> None:
        self._sending_since = None

    def _look_later(self) -> None:
        """See whether an answer was lost; one that comes has what waits sent at once."""
        if not self._will_look:
            self._will_look = True
            self._loop.call_soon_threadsafe(self._loop.call_later, PATIENCE, self._look)

    def _look(self) -> None:
        self._will_look = False
        self._call()


class _Sender:
    """A file for the writing thread, which asks what is to be sent only when it can be sent."""

    def __init__(self, file: IO[str], take: Callable[[], str], sent: Callable[[], None]) -> None:
        self._file = file
        self._take = take
        self._sent = sent

    def write(self, _: str) -> None:
        """Send what there is."""
        if data := self._take():
            self._file.write(data)
            self._file.flush()
        self._sent()

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        """Of the terminal."""
        return self._file.fileno()
