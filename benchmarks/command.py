"""Headless runs of ``tui-meta`` in a process of their own."""

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
    """A successful headless run: wall time in seconds and peak memory in MiB."""

    seconds: float
    memory: float


def run_headless(options: Sequence[str], extra: Mapping[str, str] | None = None) -> Finished:
    """Train in a temporary folder. Raises ``RuntimeError`` for an exit code other than 0."""
    with tempfile.TemporaryDirectory() as out:
        return _finished(["--no-tui", "--out", out, *options], extra or {})


def peak_memory(options: Sequence[str]) -> float:
    """Return the peak memory of a headless run in MiB."""
    return run_headless(options).memory


def sweep_memory(runs: int) -> float:
    """Return the peak memory in MiB of a sweep of so many runs of ten iterations."""
    with tempfile.TemporaryDirectory() as out:
        settings = ["--algorithms", "reptile", "--seeds", str(runs), "--iterations", "10"]
        more = ["--validation.interval", "0", "--store", "none"]
        return _finished(["sweep", f"{out}/sweep", *settings, *more], {}).memory


def _finished(arguments: Sequence[str], extra: Mapping[str, str]) -> Finished:
    """Run ``tui-meta``; raises ``RuntimeError`` for an exit code other than 0."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.DEVNULL, cwd=ROOT, env=environment(extra)
    )
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"tui-meta {' '.join(arguments)} exited {process.returncode}")
    kib = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return Finished(elapsed, kib / 1024)
