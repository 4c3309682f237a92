"""The dashboard: its cost, latency and traffic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section
from benchmarks.rounds import Effort
from benchmarks.terminals.cost import SIZE, await_training, cost, dashboard
from benchmarks.terminals.latency import latency
from benchmarks.terminals.terminal import Terminal
from benchmarks.terminals.traffic import traffic, traffic_table

SMALL = (80, 24)

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
    tables = [cost(effort), answers, traffic_table(rows)]
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
