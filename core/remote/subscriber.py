"""One subscriber as the server sees it: what is sent to it, and what it skips."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from core.remote.protocol import Hello, Message, to_frame

MOST_WAITING = 4 * 2**20
"""Bytes that may wait for a subscriber, beside the backlog that it begins with; one that would have
more is dropped."""

STUCK_SECONDS = 60.0
"""A subscriber for which something has waited so long, without a break, is dropped."""

CLOSE_SECONDS = 2.0
"""How long a subscriber may take to read the last message."""


class Subscriber:
    """Sends to one client without ever waiting for it.

    Events are always sent, in order. Changes of snapshots are left out while older bytes still
    wait, and replaced by full snapshots after that.
    """

    def __init__(
        self,
        name: str,
        writer: asyncio.StreamWriter,
        hello: Hello,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.hello = hello
        self.questions: dict[int, threading.Event] = {}
        """The open questions by call; an event that is set cancels its question."""
        self._writer = writer
        self._clock = clock
        self._skipped = False
        self._waiting_since: float | None = None
        self._most_waiting = MOST_WAITING

    def send_initial(self, message: Message) -> None:
        """Send a part of the initial state, which does not count towards the bound."""
        frame = to_frame(message)
        self._most_waiting += len(frame)
        self.send_frame(frame)

    def send(self, message: Message) -> None:
        """Send ``message``, however slow the subscriber is, up to the bound."""
        self.send_frame(to_frame(message))

    def send_frame(self, frame: bytes) -> None:
        """Send a message that is encoded once for all subscribers."""
        if self._backlog() + len(frame) > self._most_waiting:
            self.drop()
        elif not self._writer.is_closing():
            self._writer.write(frame)

    def send_snapshot(self, change: bytes | None, full: Callable[[], bytes]) -> None:
        """Send the ``change`` of the snapshots, or ``full`` ones after some change was skipped."""
        if self._backlog():
            self._skipped |= change is not None
            now = self._clock()
            self._waiting_since = now if self._waiting_since is None else self._waiting_since
            if now - self._waiting_since > STUCK_SECONDS:
                self.drop()
            return
        self._waiting_since = None
        frame = full() if self._skipped else change
        self._skipped = False
        if frame:
            self.send_frame(frame)

    async def close(self, message: Message) -> None:
        """Send the last message, and wait a moment until it is read."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                self.send(message)
                self._writer.close()
                await self._writer.wait_closed()
        self.drop()

    def drop(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    def _backlog(self) -> int:
        return self._writer.transport.get_write_buffer_size()
