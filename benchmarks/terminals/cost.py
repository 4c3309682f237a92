"""The cost of the dashboard: iterations per second with and without it."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.command import PROGRAM
from benchmarks.environment import ROOT
from benchmarks.report import Cell, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios
from benchmarks.terminals.sessions import private_sessions
from benchmarks.terminals.terminal import Terminal, open_terminal

SIZE = (120, 40)
START_SECONDS = 60.0
"""Limit for a start that compiles kernels."""

SETTLE_SECONDS = 2.0
"""From the first progress to the measured window."""

Pause = Callable[[float], object]
"""Waits for a number of seconds, reading any output meanwhile."""


def cost(effort: Effort) -> Table:
    """Measure headless runs and runs with a dashboard in alternation."""
    window, rounds = (1.0, 1) if effort.quick else (6.0, 5)
    rates = alternate(
        {"headless": lambda: headless_rate(window), "open": lambda: _dashboard_rate(window)}, rounds
    )
    rows: list[tuple[Cell, ...]] = [
        ("headless", Spread.of(rates["headless"]), None),
        ("dashboard open", Spread.of(rates["open"]), ratios(rates["open"], rates["headless"])),
    ]
    return Table("Cost of the dashboard", ("", "iterations/s", "of headless"), rows)


def endless_training(out: str | Path) -> list[str]:
    """Return a command that trains both algorithms for longer than any measurement."""
    return [*PROGRAM, "--out", str(out), "--iterations", "100000000"]


@contextmanager
def dashboard(columns: int, rows: int, *options: str) -> Iterator[tuple[Terminal, Path]]:
    """Open the dashboard of an endless training; yield its terminal and the folder of its runs."""
    with (
        tempfile.TemporaryDirectory() as out,
        private_sessions(),
        open_terminal([*endless_training(out), *options], columns, rows) as terminal,
    ):
        yield terminal, Path(out)


def await_training(out: Path, pause: Pause, runs: int = 2) -> None:
    """Return when all ``runs`` have logged progress and settled."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        pause(0.1)
        logs = list(out.glob("*/events.jsonl"))
        if len(logs) == runs and all(any(_progress(log)) for log in logs):
            pause(SETTLE_SECONDS)
            return
    raise RuntimeError(f"the runs made no progress within {START_SECONDS:.0f} s")


def headless_rate(window: float) -> float:
    """Return the iterations per second of both runs together, trained headless."""
    with private_sessions(), tempfile.TemporaryDirectory() as out:
        command = [*endless_training(out), "--no-tui"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            return rate(Path(out), window, time.sleep)
        finally:
            process.kill()
            process.wait()


def _dashboard_rate(window: float) -> float:
    with dashboard(*SIZE) as (terminal, out):
        return rate(out, window, terminal.drain)


def rate(out: Path, window: float, pause: Pause) -> float:
    """Return the iterations per second of both runs together in a window after the start."""
    await_training(out, pause)
    return rate_now(out, window, pause)


def rate_now(out: Path, window: float, pause: Pause) -> float:
    """Return the iterations per second of both runs together in a window that begins now."""
    logs = {log: log.stat().st_size for log in out.glob("*/events.jsonl")}
    pause(window)
    return sum(_run_rate(log, start) for log, start in logs.items())


def _run_rate(log: Path, start: int) -> float:
    points = list(_progress(log, start))
    (first_time, first), (last_time, last) = points[0], points[-1]
    return (last - first) / (last_time - first_time)


def _progress(log: Path, start: int = 0) -> Iterator[tuple[float, int]]:
    """Yield time and iteration of the ``progress`` events after byte ``start``.

    The line that contains ``start`` is skipped, and so is the last one, which may be incomplete.
    """
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().split(b"\n")
    for line in lines[bool(start) : -1]:
        event = msgspec.json.decode(line)
        if event["event"] == "progress":
            yield event["time"], event["iteration"]
