"""Standard output and error of a process that never waits for their readers.

A terminal that was stopped with Ctrl-S, or a pipe without a reader that reads, blocks each write: a
process that writes in its main thread then obeys no signal and ends no session.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tui_meta.console import print_error

MOST_WAITING = 16 * 2**20
"""Bytes that wait for a reader: some ten seconds of JSON at full speed. Later lines are left out
until it has read some."""

PATIENCE_SECONDS = 1.0
"""A process that a user ends waits so long for a reader that reads nothing."""

HANG_UP_SECONDS = 1.0
"""Within this time after its terminal hung up, a process has replaced it."""

PIECE = 2**16

NOT_READ = "standard output is not read"

LOGGED = "events.jsonl has all events"
"""Where lines of training that were left out are found."""


class BackgroundWriter(io.RawIOBase):
    """Writes to ``target`` in a thread of its own; an error there is raised by the next write.

    ``on_loss`` is called when a first line is left out, and again when that happens later on.
    """

    def __init__(
        self,
        target: Any,
        *,
        on_loss: Callable[[], None] = lambda: None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._target = target
        self._on_loss = on_loss
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._error: Exception | None = None
        self._is_losing = False
        self.left_out = 0
        """Lines that were left out."""
        threading.Thread(target=self._work, name="output", daemon=True).start()

    @property
    def is_idle(self) -> bool:
        """True if everything was written."""
        return not self._waiting

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self._target.isatty())

    def fileno(self) -> int:
        return int(self._target.fileno())

    def write(self, content: Any) -> int:
        """Take ``content``, or leave it out where too much waits; never blocks."""
        with self._changed:
            self.flush()
            # Room for half of it again, so that no short line fits alone between lost ones.
            most = self._most_waiting // 2 if self._is_losing else self._most_waiting
            fits = self._waiting + len(content) <= most
            begins_to_lose = not fits and not self._is_losing
            self._is_losing = not fits
            if fits:
                self._pieces.append(bytes(content))
                self._waiting += len(content)
                self._changed.notify_all()
            else:
                self.left_out += 1
        if begins_to_lose:
            self._on_loss()
        return len(content)

    def flush(self) -> None:
        """Raise the error of an earlier write."""
        if self._error is not None:
            raise self._error

    def drain(self, patience: float | None = None) -> None:
        """Wait until all is written, or nothing was for ``patience`` seconds; None for ever."""
        with self._changed:
            while self._waiting and not self._error:
                before = self._waiting
                self._changed.wait(patience)
                if self._waiting == before and patience is not None:
                    return

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pieces)
                content = self._pieces.popleft()
            try:
                self._write_all(content)
            except Exception as error:
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return

    def _write_all(self, content: bytes) -> None:
        hung_up: float | None = None
        while content:
            try:
                done = self._target.write(content[:PIECE])
                self._target.flush()
            except OSError as error:
                now = time.monotonic()
                hung_up = now if hung_up is None else hung_up
                if error.errno != errno.EIO or now - hung_up > HANG_UP_SECONDS:
                    raise
                time.sleep(0.01)
                continue
            if done is None:  # the reader's end made it non-blocking
                waiting = select.poll()
                waiting.register(self._target, select.POLLOUT)
                waiting.poll()
                continue
            content = content[done:]
            with self._changed:
                self._waiting -= done
                self._changed.notify_all()


class BackgroundStdio:
    """Replaces standard output and error by streams that never block.

    ``kept`` says where the content of lines that are left out is found.
    """

    def __init__(self, kept: str) -> None:
        self._before = sys.stdout, sys.stderr
        self._kept = kept
        self._output = BackgroundWriter(_raw(sys.stdout), on_loss=self._report_loss)
        one_file = _is_one_file(sys.stdout, sys.stderr)  # then the order of lines is kept, too
        self._error = self._output if one_file else BackgroundWriter(_raw(sys.stderr))
        sys.stdout = _text(self._output, sys.stdout)
        sys.stderr = _text(self._error, sys.stderr)

    def finish(self, *, patient: bool) -> None:
        """Wait until all is read, but not long unless ``patient``.

        Raises ``OSError`` where standard output could not be written.
        """
        self.drain(None if patient else PATIENCE_SECONDS)
        self._output.flush()

    def drain(self, patience: float | None) -> None:
        """Wait until all is read, or a reader reads nothing for ``patience`` seconds."""
        self._output.drain(patience)
        if lines := self._output.left_out:
            print_error(f"{NOT_READ}: {lines:,} lines were left out; {self._kept}")
        self._error.drain(PATIENCE_SECONDS)

    def restore(self) -> None:
        """Put the former streams back."""
        sys.stdout, sys.stderr = self._before

    def _report_loss(self) -> None:
        print_error(f"{NOT_READ}; lines are left out until it is, and {self._kept}")


@contextmanager
def background_stdio(kept: str = LOGGED) -> Iterator[BackgroundStdio]:
    """Write to standard output and error in the background while entered."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    stdio = BackgroundStdio(kept)
    try:
        yield stdio
    except BaseException:
        stdio.drain(PATIENCE_SECONDS)
        raise
    finally:
        stdio.restore()


def stdio_is_read() -> bool:
    """Return True if the readers of standard output and error have read everything."""
    writers = (getattr(stream, "buffer", None) for stream in (sys.stdout, sys.stderr))
    return all(writer.is_idle for writer in writers if isinstance(writer, BackgroundWriter))


def _raw(stream: Any) -> Any:
    """Return the part of ``stream`` that holds no lock while it writes."""
    return getattr(stream.buffer, "raw", stream.buffer)


def _text(writer: BackgroundWriter, like: Any) -> TextIO:
    stream: Any = writer
    return io.TextIOWrapper(stream, like.encoding, like.errors, write_through=True)


def _is_one_file(*streams: Any) -> bool:
    try:
        return os.path.sameopenfile(*(stream.fileno() for stream in streams))
    except OSError:  # as a test replaces them
        return False
