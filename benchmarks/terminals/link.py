"""A terminal at the other end of a slow connection: what is sent waits, travels, and arrives."""

from __future__ import annotations

import os
import re
import select
import time
from collections import deque
from collections.abc import Sequence

from benchmarks.terminals.terminal import Terminal

BYTES_PER_SECOND = 64_000 / 8
WAY_SECONDS = 0.15
"""Of every byte, in each direction: the round trip is twice as long."""

HELD_BYTES = 128 * 1024
"""What sshd takes from the program, at most, before the connection has carried it."""

PIECE_BYTES = 256

_MARK = re.compile(rb"\x1b\[\?2026([hl])")
"""Before a repaint, and after it."""
_MARK_BYTES = len(b"\x1b[?2026h")


class FarTerminal(Terminal):
    """The program believes to be under ssh, and is reached over 64 kbit/s with a delay.

    As sshd does, the relay takes what the program writes as long as it has room for it. Keys and
    answers travel the way back, of which they fill nothing.
    """

    def __init__(self, command: Sequence[str], columns: int, rows: int) -> None:
        self._on_way: deque[tuple[float, bytes]] = deque()
        """Pieces, and when they arrive."""
        self._back: deque[tuple[float, bytes]] = deque()
        """The same of keys and answers."""
        self._free_at = 0.0
        """When the connection will have sent all that waits for it."""
        self._gone = False
        """Whether the program has ended; what it sent still arrives."""
        self._begun = b""
        """The end of what was sent, in which a mark may have begun."""
        self._repaints: deque[float] = deque()
        """When those arrive that have not yet."""
        self.most_on_way = 0
        """Of the repaints that were on their way when another one left the program."""
        super().__init__(command, columns, rows, {"SSH_TTY": "/dev/pts/0"})

    def _write(self, data: bytes) -> None:
        self._back.append((time.perf_counter() + WAY_SECONDS, data))

    def _receive(self, end: float) -> bytes | None:
        while True:
            now = time.perf_counter()
            while self._back and self._back[0][0] <= now and not self._gone:
                os.write(self._process.fd, self._back.popleft()[1])
            if self._on_way and self._on_way[0][0] <= now:
                return self._on_way.popleft()[1]
            if now >= end or (self._gone and not self._on_way):
                return None
            self._take(min([end, *self._due(now)]))

    def _due(self, now: float) -> list[float]:
        """When something arrives next, at either end, or there is room again."""
        ways = (self._on_way,) if self._gone else (self._on_way, self._back)
        due = [way[0][0] for way in ways if way]
        return due if self._room(now) else [*due, now + PIECE_BYTES / BYTES_PER_SECOND]

    def _room(self, now: float) -> int:
        waiting = max(0.0, self._free_at - now) * BYTES_PER_SECOND
        return max(0, HELD_BYTES - int(waiting))

    def _take(self, end: float) -> None:
        """Take from the program what there is room for, or wait."""
        now = time.perf_counter()
        room = 0 if self._gone else self._room(now)
        from_program = [self._process.fd] if room else []
        if not select.select(from_program, [], [], max(0.0, end - now))[0]:
            return
        try:
            data = os.read(self._process.fd, room)
        except OSError:
            data = b""
        self._gone = not data
        self._send(data)

    def _send(self, data: bytes) -> None:
        now = time.perf_counter()
        begin = max(self._free_at, now)
        self._free_at = begin + len(data) / BYTES_PER_SECOND
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            sent = begin + (start + len(piece)) / BYTES_PER_SECOND
            self._on_way.append((sent + WAY_SECONDS, piece))
        self._count_repaints(data, now, begin)

    def _count_repaints(self, data: bytes, now: float, begin: float) -> None:
        while self._repaints and self._repaints[0] <= now:
            self._repaints.popleft()
        text = self._begun + data
        read = 0
        for mark in _MARK.finditer(text):
            read = mark.end()
            if mark[1] == b"h":
                self.most_on_way = max(self.most_on_way, len(self._repaints))
            else:
                sent = begin + (read - len(self._begun)) / BYTES_PER_SECOND
                self._repaints.append(sent + WAY_SECONDS)
        self._begun = text[max(read, len(text) - _MARK_BYTES + 1) :]
