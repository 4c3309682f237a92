"""Growth of speed and memory: parallel runs, populations, wide layers, many points, length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial

from benchmarks.command import peak_memory
from benchmarks.engines import ENGINES, WarmEngine, warm_engines
from benchmarks.protocol import ALGORITHMS
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios, seconds
from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.models.settings import NetworkConfig
from core.training.batch import train_many
from core.training.pacing import CHUNK_SECONDS

HIDDEN = (1, 16, 32, 50, 64, 128, 256, 512, 1_000)
POPULATIONS = (1, 2, 4, 8, 16, 32, 64)
SUPPORT = (1, 5, 10, 20, 50, 100, 1_000)
ROUNDS = 5


def scaling(effort: Effort) -> Section:
    """Measure several runs, sizes, and memory."""
    effort = replace(effort, rounds=min(effort.rounds, ROUNDS), seconds=effort.seconds / 2)
    few = 4 if effort.quick else 1
    tables = [
        _side_by_side(effort),
        _populations(POPULATIONS[::few], effort),
        _hidden(HIDDEN[::few], effort),
        _support(SUPPORT[::few], effort),
        _memory(effort),
    ]
    return Section("Scaling", tables, _NOTES)


_NOTES = (
    "two runs: total iterations per second of two worker threads of one process, relative to one "
    "alone in the same round",
    "populations: `core.training.batch.train_many` on all processors; total "
    "iterations per second, relative to a population of one in the same round",
    "support size: points of FOMAML's support set, and of each of Reptile's five minibatches",
    "hidden units and support size: in chunks of about 30 ms, as in a run",
    "memory: peak resident size of `tui-meta --no-tui` while it trains both algorithms, including "
    "Python and PyTorch",
)


# Runs side by side.


def _side_by_side(effort: Effort) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for algorithm in ALGORITHMS.values():
        for engine in ENGINES:
            config = RunConfig(algorithm=algorithm, engine=engine)
            with Worker(config, effort) as first, Worker(config, effort) as second:
                one, two = _one_and_two(first, second, effort)
            rows.append((f"{algorithm.title}, {engine}", Spread.of(one), ratios(two, one)))
    return Table("One run and two runs", ("", "one run, iterations/s", "two runs"), rows)


def _one_and_two(first: Worker, second: Worker, effort: Effort) -> tuple[list[float], list[float]]:
    """Return the iterations per second of one run alone, and of both at once."""
    iterations = int(4 * effort.seconds / first.microseconds * 1e6)

    def both() -> None:
        started = [worker.start(iterations) for worker in (first, second)]
        wait(started)

    times = alternate(
        {
            "one": lambda: seconds(first.start(iterations).result),
            "two": lambda: seconds(both),
        },
        effort.rounds,
    )
    return [iterations / t for t in times["one"]], [2 * iterations / t for t in times["two"]]


def _populations(sizes: Sequence[int], effort: Effort) -> Table:
    iterations = 200 if effort.quick else 2_000
    rows: list[tuple[Cell, ...]] = []
    for algorithm in ALGORITHMS.values():
        runs = [
            RunConfig(algorithm=algorithm, iterations=iterations, seed=seed)
            for seed in range(max(sizes))
        ]
        times = alternate(
            {size: partial(_train_time, runs[:size]) for size in sizes}, effort.rounds
        )
        rates = {size: [size * iterations / t for t in times[size]] for size in sizes}
        rows.append((algorithm.title, *(ratios(rates[size], rates[1]) for size in sizes)))
    return Table("Populations", ("", *(f"{size} runs" for size in sizes)), rows)


def _train_time(runs: Sequence[RunConfig]) -> float:
    return seconds(lambda: train_many(runs))


class Worker:
    """A run in a thread of its own, in which its engine is created, as in a trainer."""

    def __init__(self, config: RunConfig, effort: Effort) -> None:
        self._thread = ThreadPoolExecutor(1)
        chunk = 1_000 if config.engine == "fused" else 100
        [self._run] = self._thread.submit(warm_engines, [config], effort, chunk).result()
        self.microseconds = self._thread.submit(self._run.microseconds).result()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.shutdown()

    def start(self, iterations: int) -> Future[None]:
        """Start training; return a future."""
        return self._thread.submit(self._run.advance, iterations)


# Sizes.


def _hidden(sizes: Sequence[int], effort: Effort) -> Table:
    def config(algorithm: Algorithm, size: int) -> RunConfig:
        return RunConfig(algorithm=algorithm, network=NetworkConfig(hidden=(size, size)))

    algorithms = [list(ALGORITHMS.values())] * len(sizes)
    return _sizes("Units of both hidden layers", sizes, algorithms, config, effort)


def _support(sizes: Sequence[int], effort: Effort) -> Table:
    algorithms: list[list[Algorithm]] = [
        [Fomaml(shots=size), Reptile(batch_size=size, points=5 * size)] for size in sizes
    ]
    return _sizes("Support size", sizes, algorithms, lambda a, _: RunConfig(algorithm=a), effort)


def _sizes(
    title: str,
    sizes: Sequence[int],
    algorithms: Sequence[Sequence[Algorithm]],
    config: Callable[[Algorithm, int], RunConfig],
    effort: Effort,
) -> Table:
    """Measure fused and torch at each size; ``algorithms`` has the algorithms of each size."""
    rows = []
    for size, chosen in zip(sizes, algorithms, strict=True):
        cells: list[Cell] = [size]
        for algorithm in chosen:
            configs = [replace(config(algorithm, size), engine=engine) for engine in ENGINES]
            runs = {config.engine: _trainer_like(config, effort) for config in configs}
            times = alternate({e: run.microseconds for e, run in runs.items()}, effort.rounds)
            cells.append(Spread.of(times["fused"]))
            cells.append(ratios(times["torch"], times["fused"]))
        rows.append(tuple(cells))
    columns = tuple(
        text
        for kind in ALGORITHMS.values()
        for text in (f"{kind.title}, fused, µs", "torch, times as long")
    )
    return Table(title, ("", *columns), rows)


def _trainer_like(config: RunConfig, effort: Effort) -> WarmEngine:
    """Return an engine that is advanced in chunks as long as a trainer's.

    The overhead of a chunk, some 50 µs, would be half of the time of a fast chunk of ten.
    """
    [run] = warm_engines([config], effort, chunk=10)
    chunk = max(1, int(CHUNK_SECONDS * 1e6 / run.microseconds()))
    [run] = warm_engines([config], effort, chunk)
    return run


# Memory.


def _memory(effort: Effort) -> Table:
    lengths = (1_000, 10_000) if effort.quick else (10_000, 1_000_000)
    rows: list[tuple[Cell, ...]] = []
    for iterations in lengths:
        rows.append((f"{iterations:,} iterations", peak_memory(["--iterations", str(iterations)])))
    return Table("Memory", ("", "peak, MiB"), rows)
