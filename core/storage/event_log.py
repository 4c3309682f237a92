"""Writing ``events.jsonl``: one event per line, appended only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from core.events import Event, Progress
from core.storage.io import sync

PENDING_BYTES = 8 * 2**20
"""Bytes of lines that are held in memory while the disk is full."""

_BLOCK = 64 * 2**10


class EventLog:
    """Appends events to the file ``path``; used by one thread.

    A line is in the file whole or not at all. What cannot be written is kept for the next
    ``flush``, up to ``PENDING_BYTES``: beyond that ``Progress`` events are dropped first, then
    the oldest lines.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._end = 0
        self._torn = False
        self._may_create = True
        self._pending: list[tuple[bytes, bool]] = []
        self._bytes = 0

    def append(self, event: Event) -> None:
        """Add a line; ``flush`` writes it."""
        line = msgspec.json.encode(event) + b"\n"
        self._pending.append((line, isinstance(event, Progress)))
        self._bytes += len(line)
        if self._bytes > PENDING_BYTES:
            self._drop()

    def flush(self) -> None:
        """Write the pending lines in one call; raises ``OSError``."""
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
        """Flush and bring the file to disk; raises ``OSError``.

        Only this recreates a file that was removed, so that a user can delete the folder.
        """
        self._may_create = True
        self.flush()
        if self._file is not None:
            sync(self._file)

    def close(self) -> None:
        """Flush and close the file, even where writing fails; raises ``OSError``."""
        try:
            self.flush()
        finally:
            self._close()

    def move_pending(self, other: EventLog) -> None:
        """Move the pending lines to ``other``."""
        other._pending += self._pending
        other._bytes += self._bytes
        self._pending, self._bytes = [], 0

    def _opened(self) -> int:
        """Return the open file; opens it again if another file has its path by now."""
        if self._file is not None and not _is_at(self._file, self.path):
            self._close()
        if self._file is None:
            create = os.O_CREAT if self._may_create else 0
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | create, 0o666)
            self._may_create = False
            self._end, self._torn = _cut_torn_line(self._file), False
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
        kept = [pending for pending in self._pending if not pending[1]]
        size = sum(len(line) for line, _ in kept)
        first = 0
        while size > PENDING_BYTES // 2:
            size -= len(kept[first][0])
            first += 1
        self._pending, self._bytes = kept[first:], size


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except OSError:
        return False


def _cut_torn_line(file: int) -> int:
    """Cut off a torn last line of ``file`` and return the length that is left."""
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
