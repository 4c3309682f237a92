"""Sessions of a benchmark, in a registry of their own, killed at the end."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.remote.registry import live_sessions

REGISTRY_VARIABLE = "XDG_RUNTIME_DIR"


@contextmanager
def private_sessions() -> Iterator[None]:
    """Keep sessions in a temporary registry; kill those that are left at the end."""
    before = os.environ.get(REGISTRY_VARIABLE)
    # In /tmp, since the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="tm-", dir="/tmp") as folder:
        os.environ[REGISTRY_VARIABLE] = folder
        try:
            yield
        finally:
            _kill_all()
            os.environ.pop(REGISTRY_VARIABLE)
            if before is not None:
                os.environ[REGISTRY_VARIABLE] = before


def _kill_all() -> None:
    """Kill every session and return when none is left."""
    while sessions := list(live_sessions()):
        for entry in sessions:
            with suppress(ProcessLookupError):
                os.kill(entry.pid, signal.SIGKILL)
        time.sleep(0.01)
