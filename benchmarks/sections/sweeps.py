"""Sweeps of short runs, beside the engine alone, and their memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from benchmarks.command import sweep_memory
from benchmarks.protocol import ALGORITHMS
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios, seconds
from core.engines import make_engine
from core.evaluation.adaptation import many_tasks
from core.experiments.specification import PlannedRun, specification_of
from core.experiments.sweep import Executor, ThreadExecutor, opened
from core.experiments.sweep_folder import Shard, Store, SweepFolder
from core.training.schedule import next_validation

ROUNDS = 3
ITERATIONS = 1_000
COUNTS = (64, 1_000)
MOST_FOLDERS = 100
"""Runs whose folders are stored: to delete a thousand of them takes minutes."""

MEMORY = (100, 10_000)


def sweeps(effort: Effort) -> Section:
    """Measure sweeps of short runs."""
    rounds = min(effort.rounds, ROUNDS)
    counts = (4, 8) if effort.quick else COUNTS
    tables = [
        _throughput(counts, rounds),
        _processors(counts[:1], min(effort.rounds, 2 * ROUNDS)),
        _memory((10, 20) if effort.quick else MEMORY),
    ]
    return Section("Sweeps", tables, _NOTES)


_NOTES = (
    f"runs of {ITERATIONS:,} iterations with validations at 0, 100 and {ITERATIONS:,}",
    "engine alone: the same iterations, in chunks of 1,000, and the same validations, one run after"
    " the other in one thread, and nothing else",
    "throughput: that of `tui-meta sweep` with one worker, relative to the engine alone, half of "
    "whose runs come before and half after, by what is stored of each run",
    "two workers: relative to a sweep with one, and to the engine alone in two threads at once; "
    "two processors of a shared machine do not always compute twice as much as one",
    "memory: peak resident size of `tui-meta sweep --store none` with runs of 10 iterations",
)


def _throughput(counts: Sequence[int], rounds: int) -> Table:
    every: tuple[Store, ...] = get_args(Store)
    rows: list[tuple[Cell, ...]] = []
    for count in counts:
        stores = [store for store in every if store != "all" or count <= MOST_FOLDERS]
        for algorithm in ALGORITHMS:
            table = _table(algorithm, count)
            runs = specification_of(table).expand()
            candidates = {store: partial(_relative, table, runs, store) for store in stores}
            found = alternate(candidates, rounds if count < 1_000 else 1)
            rows.append(
                (
                    f"{count:,} runs, {ALGORITHMS[algorithm].title}",
                    *(Spread.of(found[store]) if store in found else None for store in every),
                )
            )
    return Table("Throughput, relative to the engine alone", ("", *every), rows)


def _processors(counts: Sequence[int], rounds: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for count in counts:
        for algorithm in ALGORITHMS:
            table = _table(algorithm, count)
            runs = specification_of(table).expand()
            candidates = {
                "one": partial(sweep_time, table, ThreadExecutor(1)),
                "two": partial(sweep_time, table, ThreadExecutor(2)),
                "engines": partial(seconds, partial(_two_alone, runs)),
            }
            times = alternate(candidates, rounds)
            rows.append(
                (
                    f"{count:,} runs, {ALGORITHMS[algorithm].title}",
                    ratios(times["one"], times["two"]),
                    ratios(times["engines"], times["two"]),
                )
            )
    return Table("Throughput of two workers", ("", "of one", "of two engines alone"), rows)


def _memory(counts: Sequence[int]) -> Table:
    rows: list[tuple[Cell, ...]] = [(f"{count:,} runs", sweep_memory(count)) for count in counts]
    return Table("Memory of a sweep", ("", "peak, MiB"), rows)


def _table(algorithm: str, count: int) -> dict[str, Any]:
    return {"algorithms": [algorithm], "seeds": count, "iterations": ITERATIONS}


def _relative(table: dict[str, Any], runs: Sequence[PlannedRun], store: Store) -> float:
    """Return the throughput of a sweep relative to that of the engine alone.

    That is measured in two halves, one before and one after: within minutes a machine's speed
    drifts by more than a sweep costs.
    """
    half = len(runs) // 2
    alone = seconds(partial(_alone, runs[:half]))
    swept = sweep_time(table, ThreadExecutor(1), store)
    alone += seconds(partial(_alone, runs[half:]))
    return alone / swept


def _alone(runs: Sequence[PlannedRun]) -> None:
    for run in runs:
        config = run.config
        engine = make_engine(config)
        state = engine.initial_state()
        many_tasks(engine, state.theta, config, config.validation)
        while (stop := next_validation(config, state.iteration)) and state.iteration < ITERATIONS:
            state = engine.advance(state, stop - state.iteration).state
            many_tasks(engine, state.theta, config, config.validation)


def _two_alone(runs: Sequence[PlannedRun]) -> None:
    """Train one half of the runs beside the other, in two threads."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_alone, (runs[::2], runs[1::2])))


def sweep_time(table: dict[str, Any], executor: Executor, store: Store = "none") -> float:
    """Return the seconds of a new sweep."""
    with TemporaryDirectory() as parent:
        folder = SweepFolder(Path(parent) / "sweep")
        folder.specify(table)
        with opened(folder, Shard(), store) as sweep, closing(sweep.train(executor)) as training:
            return seconds(lambda: sum(1 for _ in training))
