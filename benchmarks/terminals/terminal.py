"""A program in a real pseudo-terminal, with its output interpreted as by a user's terminal."""

from __future__ import annotations

import itertools
import os
import re
import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyte
from ptyprocess import PtyProcess  # type: ignore[import-untyped]

from benchmarks.environment import ROOT, environment

TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}

ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}
"""Answers to two queries: the cursor's position, by which the program learns what has been shown,
and support for synchronized output."""

_QUERY = re.compile(b"|".join(map(re.escape, ANSWERS)))
_LONGEST = max(map(len, ANSWERS))

CellContent = tuple[object, ...]
"""The character and the style of a cell."""

Screen = dict[tuple[int, int], CellContent]
"""Cells by row and column."""


class Terminal:
    """A program in a pseudo-terminal, and the screen that its output has produced so far."""

    def __init__(
        self,
        command: Sequence[str],
        columns: int,
        rows: int,
        variables: Mapping[str, str] | None = None,
        folder: str = str(ROOT),
    ) -> None:
        self.started = time.perf_counter()
        self._process = PtyProcess.spawn(
            list(command),
            cwd=folder,
            env=environment({**TERMINAL, **(variables or {})}),
            dimensions=(rows, columns),
        )
        # On a busy machine a program with large libraries ends slowly, even when it is killed.
        self._process.delayafterterminate = 1.0
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unanswered = b""
        """The end of the output read so far, which may be the beginning of a query."""

    @property
    def pid(self) -> int:
        """Process ID of the program."""
        return int(self._process.pid)

    def drain(self, duration: float) -> int:
        """Read for ``duration`` seconds and return the number of bytes; interpret them then."""
        end = time.perf_counter() + duration
        received = [*iter(lambda: self._read(end), None)]
        # What comes later changes the screen that these make.
        for data in received:
            self._stream.feed(data)
        return sum(map(len, received))

    def read_for(self, duration: float) -> None:
        """Read and interpret for ``duration`` seconds."""
        self.wait_until(lambda: False, duration)

    def wait_until(self, reached: Callable[[], bool], limit: float) -> float | None:
        """Return the time of the bytes that made ``reached`` true; None after ``limit`` seconds."""
        end = time.perf_counter() + limit
        while (data := self._read(end)) is not None:
            arrived = time.perf_counter()
            self._stream.feed(data)
            if reached():
                return arrived
        return None

    def press(self, keys: bytes) -> float:
        """Type ``keys`` and return the time."""
        now = time.perf_counter()
        self._write(keys)
        return now

    def cell(self, row: int, column: int) -> CellContent:
        """Return one cell."""
        return tuple(self._screen.buffer[row][column])

    def cells(self) -> Screen:
        """Return all cells."""
        places = itertools.product(range(self._screen.lines), range(self._screen.columns))
        return {place: self.cell(*place) for place in places}

    def text(self) -> str:
        """Return the screen as text without styles."""
        return "\n".join(self._screen.display)

    def close(self) -> None:
        """End the program."""
        self._process.close(force=True)

    def _read(self, end: float) -> bytes | None:
        """Return the next bytes; None after ``end`` or when the program has ended."""
        data = self._receive(end)
        if data and (answers := self._answers(data)):
            self._write(answers)
        return data

    def _receive(self, end: float) -> bytes | None:
        wait = max(0.0, end - time.perf_counter())
        ready, _, _ = select.select([self._process.fd], [], [], wait)
        try:
            return os.read(self._process.fd, 65_536) or None if ready else None
        except OSError:
            return None

    def _write(self, data: bytes) -> None:
        os.write(self._process.fd, data)

    def _answers(self, data: bytes) -> bytes:
        """Return the answers to the queries that end in ``data``."""
        data = self._unanswered + data
        found = list(_QUERY.finditer(data))
        read = max(found[-1].end() if found else 0, len(data) - _LONGEST + 1)
        self._unanswered = data[read:]
        return b"".join(ANSWERS[query[0]] for query in found)


@contextmanager
def open_terminal(command: Sequence[str], columns: int, rows: int) -> Iterator[Terminal]:
    """Run ``command`` in a pseudo-terminal of this size; end it at the end."""
    terminal = Terminal(command, columns, rows)
    try:
        yield terminal
    finally:
        terminal.close()
