"""The processes of a benchmark end with it, also where it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKER = "TUI_META_BENCHMARK"
"""Environment variable by which all of them are known, detached sessions included."""


@contextmanager
def killed_at_the_end() -> Iterator[None]:
    """Kill all processes that are started meanwhile, at the end or when this one dies.

    SIGTERM and SIGHUP end it as an exception does, so that temporary folders are removed too.
    """
    os.environ[MARKER] = f"{os.getpid()}-{time.time_ns()}"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    guard = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.children", os.environ[MARKER]],
        stdin=subprocess.PIPE,  # it ends when this process does, however that happens
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()
        del os.environ[MARKER]


def _leave(number: int, _: object) -> None:
    sys.exit(128 + number)


def kill_marked(value: str) -> None:
    """Kill every other process with this value of the marker; return when none is left."""
    marker = f"{MARKER}={value}".encode()
    while marked := [pid for pid in _processes() if marker in _environment(pid)]:
        for pid in marked:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _processes() -> list[int]:
    """Return the processes of this machine but this one; none where there is no ``/proc``."""
    folders = Path("/proc").glob("[0-9]*")
    return [int(folder.name) for folder in folders if int(folder.name) != os.getpid()]


def _environment(pid: int) -> list[bytes]:
    """Return the environment that a process started with; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


if __name__ == "__main__":
    sys.stdin.read()
    kill_marked(sys.argv[1])
