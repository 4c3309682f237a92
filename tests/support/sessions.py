"""Sessions that tests begin: found, and ended whatever became of the test."""

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
    """A place for sessions of a test alone, short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="tm-", dir="/tmp"))
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", str(folder))
    try:
        yield folder
    finally:
        patch.undo()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def place_of_its_own() -> Iterator[Path]:
    """Such a place for processes that a test begins; those left in it are ended."""
    with folder_for_sockets() as folder:
        try:
            yield folder
        finally:
            for entry in live_sessions():
                end(entry)


def only_session() -> SessionInfo:
    """The one session there is."""
    (entry,) = live_sessions()
    return entry


def end(entry: SessionInfo) -> None:
    """End the process of a session, at last by force."""
    deadline = time.monotonic() + PATIENCE
    with suppress(ProcessLookupError):
        os.kill(entry.pid, signal.SIGTERM)
        os.kill(entry.pid, signal.SIGCONT)
        while time.monotonic() < deadline:
            os.kill(entry.pid, 0)
            time.sleep(0.02)
        os.kill(entry.pid, signal.SIGKILL)
