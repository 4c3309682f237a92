"""Sessions that tests start: found, and ended whatever the outcome of the test."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.remote.registry import SessionInfo, live_sessions

PATIENCE = 60.0
"""Seconds within which a session saves and ends."""


@contextmanager
def folder_for_sockets() -> Iterator[Path]:
    """Yield a folder for the sessions of one test, with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="tm-", dir="/tmp"))
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", str(folder))
    try:
        yield folder
    finally:
        patch.undo()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def folder_for_processes() -> Iterator[Path]:
    """Yield such a folder for processes that a test starts; those left in it are ended."""
    with folder_for_sockets() as folder:
        try:
            yield folder
        finally:
            for entry in live_sessions():
                end(entry)


def only_session() -> SessionInfo:
    """Return the only session."""
    (entry,) = live_sessions()
    return entry


def end(entry: SessionInfo) -> None:
    """End the process of a session, in the end by force."""
    deadline = time.monotonic() + PATIENCE
    with suppress(ProcessLookupError):
        os.kill(entry.pid, signal.SIGTERM)
        os.kill(entry.pid, signal.SIGCONT)
        while time.monotonic() < deadline:
            os.kill(entry.pid, 0)
            time.sleep(0.02)
        os.kill(entry.pid, signal.SIGKILL)
