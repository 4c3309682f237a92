"""The driver: it never blocks the application, however slow the terminal is."""

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

from tui_meta.delta_driver.direct import DirectOutput
from tui_meta.delta_driver.flow import ANSWER_TIMEOUT, Flow
from tui_meta.delta_driver.output import Output

if TYPE_CHECKING:
    from io import TextIOWrapper

    from textual.app import App
    from textual.message import Message


FINAL_ANSWERS_TIMEOUT: Final = 1.0
"""Seconds to wait for outstanding answers when the application ends."""

SETTLED: Final = 0.1
"""Seconds without a further resize after which the size is taken as final."""

_USER_INPUT: Final = (events.InputEvent, events.Paste)
"""Events after which the user waits for the next repaint."""


class DeltaDriver(LinuxDriver):
    """Textual's Linux driver, except that it sends only what the terminal does not show yet.

    The application never waits for the terminal. At most the newest screen is waiting to be sent,
    besides output that is not part of a screen; ``backlog`` is the time it has waited. At most one
    repaint is in transit to a terminal that answers queries, or two after a key (`Flow`).
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
        self._redraw_all = self._check_scheduled = False
        self._settling: asyncio.TimerHandle | None = None
        file = cast("TextIOWrapper", sys.__stderr__)
        self._encoding = file.encoding, file.errors or "strict"
        self._direct = DirectOutput(file.fileno())
        self._writer_woken = False
        """True while the writer thread knows that there is something to send."""
        self._is_writing = False
        """True while the writer thread may be writing."""
        self._ready = b""
        """What the writer thread is to send first."""
        self._unsent_since: float | None = None
        self._sending_since: float | None = None
        # The writer thread writes each text of its queue to this file, which fetches what is to be
        # sent only then. So one empty text at a time suffices, and the queue, which would block the
        # application when full, never is.
        self._file = cast("TextIOWrapper", _LateFile(file, self._take, self._sent))
        # A signal may arrive at any point of the program, even while it holds the lock.
        signal.signal(signal.SIGTSTP, partial(self._in_event_loop, self._sigtstp_application))
        signal.signal(signal.SIGCONT, partial(self._in_event_loop, self._sigcont_application))

    @property
    def backlog(self) -> float:
        """Seconds for which the terminal has not shown the newest screen; 0 if it does."""
        times = (self._flow.since, self._sending_since, self._unsent_since)
        return time.monotonic() - min(filter(None, times), default=time.monotonic())

    def forget(self) -> None:
        """Send the whole screen again, whatever the terminal shows."""
        self._redraw_all = True
        self._wake_writer()

    def write(self, data: str) -> None:
        """Apply ``data`` to the screen, and send the difference once the terminal takes it."""
        with self._lock:
            self._output.resize(*self._app.size)
            self._output.write(data)
            self._unsent_since = self._unsent_since or time.monotonic()
            if self._output.updating:
                return
            # Python runs one thread at a time: the writer thread would encode and write by turns
            # with what the application does next.
            if self._is_writer_idle and self._flow.is_open:
                self._ready = self._direct.write(self._encode())
                if not self._ready:
                    self._sending_since = None
                    return
        self._wake_writer()

    def start_application_mode(self) -> None:
        """Start on a terminal with unknown content."""
        with self._lock:
            self._output = Output(*self._app.size)
            self._flow = Flow()
            self._ready = b""
        self._writer_woken = self._is_writing = False
        self._direct.open()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's lacks types
        # Textual 8.2.8 reports a resize inside the signal handler: one that arrives while another
        # is reported is reported before it, and the application keeps the older size.
        report_size = signal.getsignal(signal.SIGWINCH)
        if callable(report_size):

            def report() -> None:
                report_size(signal.SIGWINCH, None)
                self._redraw_when_settled()

            signal.signal(signal.SIGWINCH, partial(self._in_event_loop, report))

    def disable_input(self) -> None:
        """Stop reading, after the outstanding answers have arrived."""
        self._flow.end(FINAL_ANSWERS_TIMEOUT)
        super().disable_input()

    def close(self) -> None:
        """Send what is left, and end the writer thread."""
        self._flow.end(0)
        self._output.updating = False
        self._wake_writer()
        super().close()
        self._direct.close()

    def process_message(self, message: Message) -> None:
        """Handle answers, and note keys and resizes that the terminal reports by itself."""
        if isinstance(message, events.CursorPosition):
            self._flow.answer()
            self._wake_writer()
            return
        if isinstance(message, events.Resize):
            self._redraw_all = True
            self._redraw_when_settled()
        elif isinstance(message, _USER_INPUT) and not isinstance(message, events.MouseMove):
            self._flow.expect_repaint()
        super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        self._redraw_all = True  # called whenever the terminal may have been resized
        return super()._get_terminal_size()

    def _redraw_when_settled(self) -> None:
        """Redraw everything once the size stays the same.

        The application draws nothing if the old size is back before it looks, but the terminal may
        have lost its content.
        """
        if self._settling:
            self._settling.cancel()
        self._settling = self._loop.call_later(SETTLED, self._app.refresh)

    def _in_event_loop(self, handle: Callable[[], None], number: int, _: object) -> None:
        """Handle a signal between two steps of the event loop."""
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(handle)
        elif number == signal.SIGTSTP:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _wake_writer(self) -> None:
        if self._writer_thread is not None and not self._writer_woken:
            self._writer_woken = True
            self._writer_thread.write("")

    @property
    def _is_writer_idle(self) -> bool:
        is_waiting = not (self._writer_woken or self._is_writing)
        return is_waiting and self._writer_thread is not None and not self._flow.gathering

    def _take(self) -> bytes:
        if gathering := self._flow.gathering:
            time.sleep(gathering)
        with self._lock:
            self._writer_woken, self._is_writing = False, True
            ready, self._ready = self._ready, b""
            if ready and self._unsent_since is None and not self._redraw_all:
                return ready
            if not self._flow.is_open:
                self._check_later()
                return ready
            return ready + self._encode()

    def _encode(self) -> bytes:
        """Return what the terminal does not show yet, to be sent next."""
        if self._redraw_all:
            self._redraw_all = False
            self._output.forget()
        self._sending_since, self._unsent_since = self._unsent_since, None
        data = self._output.take()
        return (data + self._flow.send()).encode(*self._encoding) if data else b""

    def _sent(self) -> None:
        self._sending_since, self._is_writing = None, False

    def _check_later(self) -> None:
        """Check later whether the answer was lost; if it arrives, the rest is sent at once."""
        if not self._check_scheduled:
            self._check_scheduled = True
            self._loop.call_soon_threadsafe(self._loop.call_later, ANSWER_TIMEOUT, self._check)

    def _check(self) -> None:
        self._check_scheduled = False
        self._wake_writer()


class _LateFile:
    """The file of the writer thread: it fetches what to send only when it can be sent."""

    def __init__(self, file: IO[str], take: Callable[[], bytes], sent: Callable[[], None]) -> None:
        self._file = file
        self._take = take
        self._sent = sent

    def write(self, _: str) -> None:
        """Send what there is to send."""
        data = self._take()
        while data:
            data = data[os.write(self.fileno(), data) :]
        self._sent()

    def flush(self) -> None:
        """Do nothing: every write flushes."""

    def fileno(self) -> int:
        """Return the file descriptor of the terminal."""
        return self._file.fileno()
