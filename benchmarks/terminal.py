"""The dashboard in a real pseudo-terminal, seen as a person's terminal sees it."""

from __future__ import annotations

import itertools
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyte
from ptyprocess import PtyProcess  # type: ignore[import-untyped]

from benchmarks.environment import ROOT, environment

TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}

Content = tuple[object, ...]
"""What stands in a cell: the character and its style."""


Screen = dict[tuple[int, int], Content]
"""What stands where, by row and column."""


class Terminal:
    """A program's pseudo-terminal; ``screen`` interprets what has been read so far."""

    def __init__(self, command: Sequence[str], columns: int, rows: int) -> None:
        self.began = time.perf_counter()
        self._process = PtyProcess.spawn(
            list(command), cwd=str(ROOT), env=environment(TERMINAL), dimensions=(rows, columns)
        )
        # On a busy machine a program with large libraries dies slowly, even when it is killed.
        self._process.delayafterterminate = 1.0
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def drain(self, duration: float) -> int:
        """Read for ``duration`` seconds as a terminal far away does; gives the number of bytes."""
        end = time.perf_counter() + duration
        return sum(len(data) for data in iter(lambda: self._read(end), None))

    def look(self, duration: float) -> None:
        """Read and interpret for ``duration`` seconds."""
        self.wait(lambda: False, duration)

    def wait(self, reached: Callable[[], bool], limit: float) -> float | None:
        """When the bytes came that made ``reached`` true; None if not within ``limit`` seconds."""
        end = time.perf_counter() + limit
        while (data := self._read(end)) is not None:
            arrived = time.perf_counter()
            self._stream.feed(data)
            if reached():
                return arrived
        return None

    def press(self, keys: bytes) -> float:
        """Write to the program; gives when."""
        now = time.perf_counter()
        os.write(self._process.fd, keys)
        return now

    def content(self, row: int, column: int) -> Content:
        """What stands in one cell."""
        return tuple(self._screen.buffer[row][column])

    def contents(self) -> Screen:
        """The whole screen."""
        places = itertools.product(range(self._screen.lines), range(self._screen.columns))
        return {place: self.content(*place) for place in places}

    def text(self) -> str:
        """The whole screen without styles."""
        return "\n".join(self._screen.display)

    def close(self) -> None:
        """End the program."""
        self._process.close(force=True)

    def _read(self, end: float) -> bytes | None:
        """The next bytes; None after ``end`` or when the program is gone."""
        wait = max(0.0, end - time.perf_counter())
        ready, _, _ = select.select([self._process.fd], [], [], wait)
        try:
            return os.read(self._process.fd, 65_536) or None if ready else None
        except OSError:
            return None


@contextmanager
def terminal(command: Sequence[str], columns: int, rows: int) -> Iterator[Terminal]:
    """Run ``command`` in a pseudo-terminal of that size; it is ended at the end."""
    seen = Terminal(command, columns, rows)
    try:
        yield seen
    finally:
        seen.close()
