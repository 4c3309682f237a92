"""Starts the process of a session, which imports what it needs while it waits for its request.

This module imports little: a program that will launch a session starts its process first, and both
import what they need at the same time.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from core.user_folders import user_folder

LONGEST_LOG = 2**20
"""Bytes of ``session.log`` with which it is renamed, in place of the one before it."""

TITLE = ("tui-meta", "session")
"""Arguments that the script ignores: ``pgrep -f tui-meta`` finds the process."""

DAEMON = Path(__file__).with_stem("daemon")
"""The script that a process runs."""


class SessionProcess:
    """A process that waits for a request, and ends if its input ends without one.

    Raises ``OSError`` where it cannot be started.
    """

    def __init__(self) -> None:
        with _open_log() as log:
            self.log = log.name
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(DAEMON), *TITLE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def answer(self, request: bytes, timeout: float) -> bytes:
        """Send the request, and return the reply; raises ``TimeoutExpired``."""
        with self._process as process:
            try:
                reply, _ = process.communicate(request, timeout)
            except BaseException:
                process.kill()
                raise
        return reply

    def end(self) -> None:
        """Send no request."""
        with self._process:
            pass


_early: list[SessionProcess] = []


@contextmanager
def early_process() -> Iterator[None]:
    """Start the process of the session that is launched while this is entered, if there is one."""
    with suppress(Exception):  # a launch tries again, and reports the problem
        _early.append(SessionProcess())
    try:
        yield
    finally:
        end_early()


def end_early() -> None:
    """End the process that was started early and has no request."""
    while _early:
        _early.pop().end()


def session_process() -> SessionProcess:
    """Return the process that was started early, or a new one; raises ``OSError``."""
    return _early.pop() if _early else SessionProcess()


def _open_log() -> IO[bytes]:
    """Open the file for tracebacks of internal errors; a long one gives way to a new one."""
    try:
        folder = user_folder("state")
        folder.mkdir(parents=True, exist_ok=True)
        return _opened(folder / "session.log")
    except OSError:
        from core.remote.registry import sessions_folder

        return _opened(sessions_folder() / "session.log")


def _opened(log: Path) -> IO[bytes]:
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_suffix(".log.old"))
    return log.open("ab")
