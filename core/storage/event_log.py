"""``events.jsonl``: what happened in a run, one event a line, only ever added to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from core.events import AnyEvent, Event, Progress, RolledBack
from core.storage.reading import NOT_JSON, open_regular

LONGEST_LINE = 2**20
"""Bytes; a longer line is none of ours and is passed over. An evaluation has about 5,000."""

PENDING_BYTES = 8 * 2**20
"""Bytes of lines that wait in memory while the disk takes none."""

_BLOCK = 64 * 2**10
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class EventLog:
    """Adds events to the file ``path``; one thread writes, nobody else touches it.

    A line is in the file whole or not at all. What the disk does not take waits, up to
    ``PENDING_BYTES``, for the next ``flush``: beyond that the losses between evaluations are
    dropped first, then the oldest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._end = 0
        self._torn = False
        self._may_create = True
        self._pending: list[tuple[bytes, bool]] = []
        self._bytes = 0

    @property
    def is_behind(self) -> bool:
        """Whether lines wait that are not in the file."""
        return bool(self._pending)

    def append(self, event: Event) -> None:
        """Add a line; ``flush`` writes it."""
        line = msgspec.json.encode(event) + b"\n"
        self._pending.append((line, isinstance(event, Progress)))
        self._bytes += len(line)
        if self._bytes > PENDING_BYTES:
            self._drop()

    def flush(self) -> None:
        """Hand the lines so far to the operating system, in one piece; raises ``OSError``."""
        if not self._pending:
            return
        file = self._opened()
        content = b"".join(line for line, _ in self._pending)
        if self._torn:
            os.ftruncate(file, self._end)
            self._torn = False
        self._write(file, content)
        self._end += len(content)
        self._pending.clear()
        self._bytes = 0

    def sync(self) -> None:
        """``flush``, and on to the disk; raises ``OSError``.

        A file that was removed is made anew only here: whoever deletes the folder can do so.
        """
        self._may_create = True
        self.flush()
        if self._file is not None:
            os.fsync(self._file)

    def close(self) -> None:
        """``flush`` and close the file, even where writing fails; raises ``OSError``."""
        try:
            self.flush()
        finally:
            self._close()

    def hand_over(self, other: EventLog) -> None:
        """Let ``other`` write the lines that wait here."""
        other._pending += self._pending
        other._bytes += self._bytes
        self._pending, self._bytes = [], 0

    def _opened(self) -> int:
        """The file, which must still be where it was: one that was removed is written in vain."""
        if self._file is not None and not _is_at(self._file, self.path):
            self._close()
        if self._file is None:
            create = os.O_CREAT if self._may_create else 0
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | create, 0o666)
            self._may_create = False
            self._end, self._torn = _mended(self._file), False
        return self._file

    def _write(self, file: int, content: bytes) -> None:
        done = 0
        try:
            while done < len(content):
                done += os.write(file, content[done:])
        except OSError:
            self._torn = done > 0
            raise

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _drop(self) -> None:
        kept = [one for one in self._pending if not one[1]]
        size = sum(len(line) for line, _ in kept)
        first = 0
        while size > PENDING_BYTES // 2:
            size -= len(kept[first][0])
            first += 1
        self._pending, self._bytes = kept[first:], size


def read_events(path: Path) -> Iterator[AnyEvent]:
    """The events in the log ``path`` that stand, oldest first; raises ``OSError``.

    What a later ``RolledBack`` replaces is left out. A line that is torn, foreign or longer than
    ``LONGEST_LINE`` is passed over; a log that does not exist has no events.
    """
    if not path.exists():
        return
    with open_regular(path) as log:
        limits = _standing_limits(log)
        log.seek(0)
        for number, line in enumerate(_lines(log)):
            while limits and limits[0][0] < number:
                limits.pop(0)
            event = _decoded(line)
            if event is not None and not (limits and event.iteration > limits[0][1]):
                yield event


def events_after(path: Path, place: int) -> Iterator[tuple[AnyEvent, int]]:
    """The events behind byte ``place`` of the log ``path``, each with where its line ends.

    For readers of a growing log: all events are given, and a ``RolledBack`` says which of them are
    no longer valid. A line that is still being written is left for the next time, and a log
    that does not exist has no events. Raises ``OSError``.
    """
    if not path.exists():
        return
    with open_regular(path) as log:
        log.seek(place)
        for line in _lines(log):
            event = _decoded(line)
            if event is not None and line.endswith(b"\n"):
                yield event, log.tell()


def _standing_limits(log: IO[bytes]) -> list[tuple[int, int]]:
    """(line number, iteration): up to that line, what is beyond that iteration is replaced."""
    limits: list[tuple[int, int]] = []
    for number, line in enumerate(_lines(log)):
        if b'"rewound"' not in line:
            continue
        event = _decoded(line)
        if isinstance(event, RolledBack):
            while limits and limits[-1][1] >= event.iteration:
                limits.pop()
            limits.append((number, event.iteration))
    return limits


def _lines(log: IO[bytes]) -> Iterator[bytes]:
    """The lines of ``log``; one that is too long comes as an empty one."""
    while line := log.readline(LONGEST_LINE):
        whole = line.endswith(b"\n")
        yield line if whole or len(line) < LONGEST_LINE else b""
        while not whole and (rest := log.readline(LONGEST_LINE)):
            whole = rest.endswith(b"\n")


def _decoded(line: bytes) -> AnyEvent | None:
    try:
        return _DECODER.decode(line)
    except NOT_JSON:
        if b"null" not in line:
            return None
    try:
        event: AnyEvent = msgspec.convert(_with_nan(msgspec.json.decode(line)), AnyEvent)
        return event
    except NOT_JSON:
        return None


def _with_nan(plain: object) -> object:
    """``plain`` with the numbers that JSON cannot say, and which are null in it, as NaN."""
    if not isinstance(plain, dict):
        return plain
    fields: dict[str, object] = {
        key: [float("nan") if number is None else number for number in value]
        for key, value in plain.items()
        if isinstance(value, list)
    }
    if plain.get("event") == "progress":
        fields["loss"] = float("nan")
    return {**plain, **fields}


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except OSError:
        return False


def _mended(file: int) -> int:
    """The length of ``file`` after a torn last line has been cut off."""
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        return 0
    end = status.st_size
    while end:
        start = max(0, end - _BLOCK)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != status.st_size:
        os.ftruncate(file, end)
    return end
