"""One watcher as the server sees it: what it is sent, and what it skips."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from core.remote.protocol import Hello

MOST_WAITING = 4 * 2**20
"""Bytes that may wait for a watcher beside the story that it came for; one that would have more is
dropped."""

PATIENCE_SECONDS = 60.0
"""A watcher for which something has waited so long, without a break, is dropped."""

PARTING_SECONDS = 2.0
"""How long a watcher may take to hear that all has ended."""


class Subscriber:
    """Sends to one watcher without ever waiting for it.

    What happened is always sent, in order. How the runs stand is left out while older bytes still
    wait, and told in full after that.
    """

    def __init__(self, name: str, writer: asyncio.StreamWriter, hello: Hello) -> None:
        self.name = name
        self.hello = hello
        self._writer = writer
        self._skipped = False
        self._waiting_since: float | None = None
        self._most_waiting = MOST_WAITING

    def greet(self, frame: bytes) -> None:
        """Send a part of what the watcher must know first, which counts for no bound."""
        self._most_waiting += len(frame)
        self.tell(frame)

    def tell(self, frame: bytes) -> None:
        """Send ``frame``, however far behind the watcher is, up to the bounds."""
        if self._backlog() + len(frame) > self._most_waiting:
            self._drop()
        elif not self._writer.is_closing():
            self._writer.write(frame)

    def show(self, change: bytes | None, full: Callable[[], bytes]) -> None:
        """Send how the runs stand: the ``change``, or everything after some was skipped."""
        if self._backlog():
            self._skipped |= change is not None
            self._lose_patience()
            return
        self._waiting_since = None
        frame = full() if self._skipped else change
        self._skipped = False
        if frame:
            self.tell(frame)

    async def part(self, frame: bytes) -> None:
        """Say the last thing, and wait a moment for it to be heard."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                self.tell(frame)
                self._writer.close()
                await self._writer.wait_closed()
        self._drop()

    def _backlog(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    def _lose_patience(self) -> None:
        now = time.monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
        elif now - self._waiting_since > PATIENCE_SECONDS:
            self._drop()

    def _drop(self) -> None:
        self._writer.transport.abort()
