"""A terminal at the other end of a slow connection, simulated with its buffers and delays."""

from __future__ import annotations

import os
import re
import select
import time
from collections import deque
from collections.abc import Sequence

from benchmarks.terminals.terminal import Terminal

BYTES_PER_SECOND = 64_000 / 8
DELAY_SECONDS = 0.15
"""Delay of every byte in each direction; the round trip takes twice as long."""

BUFFER_BYTES = 128 * 1024
"""Limit of the bytes that sshd reads from the program before the connection has carried them."""

PIECE_BYTES = 256

_MARK = re.compile(rb"\x1b\[\?2026([hl])")
"""Begin and end of a repaint."""
_MARK_BYTES = len(b"\x1b[?2026h")


class RemoteTerminal(Terminal):
    """A terminal reached over 64 kbit/s with a delay; the program believes to run under ssh.

    Like sshd, the relay reads the program's output as long as its buffer has room. Keys and answers
    travel back with the same delay and use no bandwidth.
    """

    def __init__(self, command: Sequence[str], columns: int, rows: int) -> None:
        self._in_flight: deque[tuple[float, bytes]] = deque()
        """Pieces with their times of arrival."""
        self._to_program: deque[tuple[float, bytes]] = deque()
        """The same for keys and answers."""
        self._idle_at = 0.0
        """Time at which the connection will have sent everything in the buffer."""
        self._ended = False
        """True after the program has ended; its output still arrives."""
        self._partial = b""
        """The end of the output so far, which may be the beginning of a mark."""
        self._repaints: deque[float] = deque()
        """Times of arrival of the repaints in flight."""
        self.most_in_flight = 0
        """Largest number of repaints in flight when another one left the program."""
        super().__init__(command, columns, rows, {"SSH_TTY": "/dev/pts/0"})

    def _write(self, data: bytes) -> None:
        self._to_program.append((time.perf_counter() + DELAY_SECONDS, data))

    def _receive(self, end: float) -> bytes | None:
        while True:
            now = time.perf_counter()
            while self._to_program and self._to_program[0][0] <= now and not self._ended:
                os.write(self._process.fd, self._to_program.popleft()[1])
            if self._in_flight and self._in_flight[0][0] <= now:
                return self._in_flight.popleft()[1]
            if now >= end or (self._ended and not self._in_flight):
                return None
            self._read_program(min([end, *self._due(now)]))

    def _due(self, now: float) -> list[float]:
        """Return the times of the next arrivals, and of the next room in the buffer."""
        ways = (self._in_flight,) if self._ended else (self._in_flight, self._to_program)
        due = [way[0][0] for way in ways if way]
        return due if self._room(now) else [*due, now + PIECE_BYTES / BYTES_PER_SECOND]

    def _room(self, now: float) -> int:
        waiting = max(0.0, self._idle_at - now) * BYTES_PER_SECOND
        return max(0, BUFFER_BYTES - int(waiting))

    def _read_program(self, end: float) -> None:
        """Read from the program what fits into the buffer, or wait."""
        now = time.perf_counter()
        room = 0 if self._ended else self._room(now)
        from_program = [self._process.fd] if room else []
        if not select.select(from_program, [], [], max(0.0, end - now))[0]:
            return
        try:
            data = os.read(self._process.fd, room)
        except OSError:
            data = b""
        self._ended = not data
        self._send(data)

    def _send(self, data: bytes) -> None:
        now = time.perf_counter()
        begin = max(self._idle_at, now)
        self._idle_at = begin + len(data) / BYTES_PER_SECOND
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            sent = begin + (start + len(piece)) / BYTES_PER_SECOND
            self._in_flight.append((sent + DELAY_SECONDS, piece))
        self._count_repaints(data, now, begin)

    def _count_repaints(self, data: bytes, now: float, begin: float) -> None:
        while self._repaints and self._repaints[0] <= now:
            self._repaints.popleft()
        text = self._partial + data
        read = 0
        for mark in _MARK.finditer(text):
            read = mark.end()
            if mark[1] == b"h":
                self.most_in_flight = max(self.most_in_flight, len(self._repaints))
            else:
                sent = begin + (read - len(self._partial)) / BYTES_PER_SECOND
                self._repaints.append(sent + DELAY_SECONDS)
        self._partial = text[max(read, len(text) - _MARK_BYTES + 1) :]
