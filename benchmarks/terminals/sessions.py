"""Sessions that a benchmark begins: nobody else finds them, and none is left."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.remote.registry import live_sessions

PLACE = "XDG_RUNTIME_DIR"


@contextmanager
def own_place() -> Iterator[None]:
    """While entered, sessions live in a folder of their own; those left in it are killed."""
    before = os.environ.get(PLACE)
    # Short, as a socket's path must be.
    with tempfile.TemporaryDirectory(prefix="tm-", dir="/tmp") as folder:
        os.environ[PLACE] = folder
        try:
            yield
        finally:
            _end_all()
            os.environ.pop(PLACE)
            if before is not None:
                os.environ[PLACE] = before


def _end_all() -> None:
    """Kill every session there is, and return when none is left."""
    while living := list(live_sessions()):
        for entry in living:
            with suppress(ProcessLookupError):
                os.kill(entry.pid, signal.SIGKILL)
        time.sleep(0.01)
