"""The dashboard in a real pseudo-terminal, seen as a person's terminal sees it."""

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
"""To where the cursor is, which is asked to learn what has been shown, and to synchronized output:
this terminal has it."""

_QUESTION = re.compile(b"|".join(map(re.escape, ANSWERS)))
_LONGEST = max(map(len, ANSWERS))

Content = tuple[object, ...]
"""What stands in a cell: the character and its style."""


Screen = dict[tuple[int, int], Content]
"""What stands where, by row and column."""


class Terminal:
    """A program's pseudo-terminal; ``screen`` interprets what has been read so far."""

    def __init__(
        self,
        command: Sequence[str],
        columns: int,
        rows: int,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.began = time.perf_counter()
        self._process = PtyProcess.spawn(
            list(command),
            cwd=str(ROOT),
            env=environment({**TERMINAL, **(variables or {})}),
            dimensions=(rows, columns),
        )
        # On a busy machine a program with large libraries dies slowly, even when it is killed.
        self._process.delayafterterminate = 1.0
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._unanswered = b""
        """The end of what was read, in which a question may have begun."""

    @property
    def pid(self) -> int:
        """Of the program."""
        return int(self._process.pid)

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
        """Type ``keys``; gives when."""
        now = time.perf_counter()
        self._write(keys)
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
        """To the questions that end in ``data``."""
        data = self._unanswered + data
        found = list(_QUESTION.finditer(data))
        read = max(found[-1].end() if found else 0, len(data) - _LONGEST + 1)
        self._unanswered = data[read:]
        return b"".join(ANSWERS[question[0]] for question in found)


@contextmanager
def terminal(command: Sequence[str], columns: int, rows: int) -> Iterator[Terminal]:
    """Run ``command`` in a pseudo-terminal of that size; it is ended at the end."""
    seen = Terminal(command, columns, rows)
    try:
        yield seen
    finally:
        seen.close()
