"""The dashboard: what it costs, how fast it answers and starts, and what it sends."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.command import PROGRAM
from benchmarks.engines import default_engine
from benchmarks.environment import ROOT
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, by_turns, seconds
from benchmarks.terminals.cost import SIZE, START_SECONDS, await_training, cost, dashboard
from benchmarks.terminals.latency import latency
from benchmarks.terminals.terminal import Terminal
from benchmarks.terminals.traffic import traffic, traffic_table

SMALL = (80, 24)
ROUNDS = 5

COUNT = re.compile(r"\b[1-9][\d,]* */ *[1-9][\d,]*")
"""An iteration count that is no longer zero, as in ``12,300 / 50,000``."""


def watching(effort: Effort) -> Section:
    """Everything about the dashboard."""
    rows: list[tuple[Cell, ...]] = []
    with _trained(*SIZE) as seen:
        answers = latency(seen, effort)
    for columns, lines in (SIZE, SMALL):
        with _trained(columns, lines) as seen:
            rows.append(traffic(seen, effort, f"{columns} x {lines}"))
    tables = [cost(effort), answers, traffic_table(rows), _start_up(effort)]
    return Section("The dashboard", tables, [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    "both runs train at full speed in a real pseudo-terminal, 120 x 40 unless said, true colour; "
    "whoever reads its other end shares the machine",
    "cost: from the `progress` events of `events.jsonl`, both runs together, six seconds after the "
    "start has settled, headless and open in turns",
    "sent: 60 s of steady state, in which evaluations come far faster than the screen shows them; "
    "then 30 s in which every second a key asks for an evaluation on a new wave; then, all runs "
    "paused, 10 s",
    "latency: from the write of a key to the arrival of the bytes that change the expected cell, "
    "which is learned beforehand by pressing the keys slowly",
    "training number: an iteration count above zero on the screen",
)


@contextmanager
def _trained(columns: int, rows: int) -> Iterator[Terminal]:
    """A dashboard of which both runs are training."""
    with dashboard(columns, rows) as (seen, out):
        await_training(out, seen.look)
        yield seen


def _start_up(effort: Effort) -> Table:
    rounds = 1 if effort.quick else ROUNDS
    found = [_start() for _ in range(rounds)]
    shown = by_turns({"help": lambda: seconds(_help)}, 2 * rounds + 1)["help"]
    rows: list[tuple[Cell, ...]] = [
        ("first frame", Spread.of([first for first, _ in found])),
        ("first training number on the screen", Spread.of([number for _, number in found])),
        ("`tui-meta --help`, to its exit", Spread.of(shown)),
    ]
    return Table("From the start of the command", ("", "seconds"), rows)


def _start() -> tuple[float, float]:
    """Seconds to the first frame and to the first training number."""
    with dashboard(*SIZE) as (seen, _):
        frame = seen.wait(lambda: bool(seen.text().strip()), START_SECONDS)
        number = seen.wait(lambda: bool(COUNT.search(seen.text())), START_SECONDS)
        if frame is None or number is None:
            raise RuntimeError(f"the dashboard did not open within {START_SECONDS:.0f} s")
        return frame - seen.began, number - seen.began


def _help() -> None:
    subprocess.run([*PROGRAM, "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
