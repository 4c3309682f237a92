"""Time from the command to the source's complete result."""

from __future__ import annotations

import tempfile

from benchmarks.command import run_headless
from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread

ROUNDS = 3


def complete(effort: Effort) -> Section:
    """Measure the wall time of ``tui-meta --no-tui``, with and without compiled kernels."""
    options = ["--iterations", "2000"] if effort.quick else []
    with tempfile.TemporaryDirectory() as empty:
        first = run_headless(options, {"XDG_CACHE_HOME": empty}).seconds
    later = Spread.of([run_headless(options).seconds for _ in range(min(effort.rounds, ROUNDS))])
    rows: list[tuple[Cell, ...]] = [
        ("the first start on a machine (kernels are compiled)", first),
        ("every later start", later),
    ]
    what = "2,000 iterations" if effort.quick else "50,000 iterations"
    title = f"Both algorithms, {what} each, evaluations and checkpoints included"
    table = Table(title, ("", "seconds"), rows)
    return Section("Time to the complete result", [table], [f"engine: {default_engine()}"])
