"""The program ``tui-meta`` as a process: headless runs and what they leave."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.environment import ROOT, environment

PROGRAM = (sys.executable, "-m", "tui_meta")


@dataclass(frozen=True)
class Finished:
    """A headless run that ended well: its wall time in seconds and its peak memory in MiB."""

    seconds: float
    memory: float


def run_headless(options: Sequence[str], extra: Mapping[str, str] | None = None) -> Finished:
    """Train in a folder that is removed afterwards; raises ``RuntimeError`` if it did not end well.

    Paths in the options are relative to that folder.
    """
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            [*PROGRAM, "--no-tui", "--out", out, *options],
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            env=environment(extra or {}),
        )
        _, status, usage = os.wait4(process.pid, 0)
        spent = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"tui-meta --no-tui {' '.join(options)} exited {process.returncode}")
    kib = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return Finished(spent, kib / 1024)


def peak_memory(options: Sequence[str]) -> float:
    """MiB that a headless run holds at most."""
    return run_headless(options).memory
