"""The dashboard: its cost, latency, traffic and start."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.command import PROGRAM
from benchmarks.engines import default_engine
from benchmarks.environment import ROOT
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, seconds
from benchmarks.terminals.cost import SIZE, START_SECONDS, await_training, cost, dashboard
from benchmarks.terminals.latency import latency
from benchmarks.terminals.terminal import Terminal
from benchmarks.terminals.traffic import traffic, traffic_table

SMALL = (80, 24)
ROUNDS = 5

_ITERATION_COUNT = re.compile(r"\b[1-9][\d,]* */ *[1-9][\d,]*")
"""An iteration count above zero, as in ``12,300 / 50,000``."""


def watching(effort: Effort) -> Section:
    """Measure the dashboard."""
    rows: list[tuple[Cell, ...]] = []
    with _training_dashboard(*SIZE) as terminal:
        answers = latency(terminal, effort)
    for columns, lines in (SIZE, SMALL):
        with _training_dashboard(columns, lines) as terminal:
            rows.append(traffic(terminal, effort, f"{columns} x {lines}"))
    tables = [cost(effort), answers, traffic_table(rows), _start_up(effort)]
    return Section("The dashboard", tables, [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    "both runs train at full speed in a real pseudo-terminal, 120 x 40 unless noted, true colour; "
    "the process that reads its output shares the machine",
    "cost: from the `progress` events of `events.jsonl`, both runs together, six seconds after the "
    "start has settled, alternately headless and with the dashboard",
    "sent: 60 s of steady state, in which evaluations happen far more often than the screen shows "
    "them; then 30 s with a key every second that evaluates on a new wave; then 10 s with all runs "
    "paused",
    "latency: from the write of a key to the arrival of the bytes that change the expected cell, "
    "which is found beforehand by pressing the keys slowly",
    "training number: an iteration count above zero on the screen",
)


def has_iteration_count(terminal: Terminal) -> bool:
    """Return True if an iteration count above zero is on the screen."""
    return bool(_ITERATION_COUNT.search(terminal.text()))


@contextmanager
def _training_dashboard(columns: int, rows: int) -> Iterator[Terminal]:
    """Open a dashboard and wait until both runs are training."""
    with dashboard(columns, rows) as (terminal, out):
        await_training(out, terminal.read_for)
        yield terminal


def _start_up(effort: Effort) -> Table:
    rounds = 1 if effort.quick else ROUNDS
    found = [_first_frame_and_number() for _ in range(rounds)]
    shown = alternate({"help": lambda: seconds(_help)}, 2 * rounds + 1)["help"]
    rows: list[tuple[Cell, ...]] = [
        ("first frame", Spread.of([first for first, _ in found])),
        ("first training number on the screen", Spread.of([number for _, number in found])),
        ("`tui-meta --help`, to its exit", Spread.of(shown)),
    ]
    return Table("From the start of the command", ("", "seconds"), rows)


def _first_frame_and_number() -> tuple[float, float]:
    """Return the seconds to the first frame and to the first training number."""
    with dashboard(*SIZE) as (terminal, _):
        frame = terminal.wait_until(lambda: bool(terminal.text().strip()), START_SECONDS)
        number = terminal.wait_until(lambda: has_iteration_count(terminal), START_SECONDS)
        if frame is None or number is None:
            raise RuntimeError(f"the dashboard did not open within {START_SECONDS:.0f} s")
        return frame - terminal.started, number - terminal.started


def _help() -> None:
    subprocess.run([*PROGRAM, "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
