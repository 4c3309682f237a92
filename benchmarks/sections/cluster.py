"""A Dask cluster on this machine, beside threads."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks.protocol import ALGORITHMS
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios
from benchmarks.sections.sweeps import sweep_time
from core.experiments.dask_executor import connected
from core.experiments.sweep import Executor, ThreadExecutor
from core.experiments.sweep_folder import Store

ROUNDS = 5
WORKERS = 2
RUNS = 64
LENGTHS = (1_000, 5_000)
STORES: tuple[Store, ...] = ("none", "final")


def cluster(effort: Effort) -> Section:
    """Measure sweeps by two local workers of a cluster; needs the extra ``dask``."""
    from distributed import Client, LocalCluster

    effort = replace(effort, rounds=min(effort.rounds, ROUNDS))
    with (
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, memory_limit=0, dashboard_address=":0"
        ) as local,
        Client(local, set_as_default=False) as client,
    ):
        client.wait_for_workers(WORKERS)
        table = _throughput(local.scheduler_address, effort)
    return Section("Sweeps on a Dask cluster", [table], _NOTES)


_NOTES = (
    f"{RUNS} runs, {WORKERS} worker processes of one thread each, relative to {WORKERS} threads "
    "of one process in the same round",
    "the workers and the client are on the same machine, and have loaded their compiled code",
    "final: networks are sent to the client, which saves them",
)


def _throughput(scheduler: str, effort: Effort) -> Table:
    rows: list[tuple[Cell, ...]] = []
    with connected(scheduler) as dask:
        for iterations in LENGTHS[:1] if effort.quick else LENGTHS:
            for name, algorithm in ALGORITHMS.items():
                table: dict[str, Any] = {"algorithms": [name], "iterations": iterations}
                table["seeds"] = 4 if effort.quick else RUNS
                sweep_time({**table, "seeds": WORKERS}, dask)  # loads the compiled code
                cells = [_ratio(table, dask, store, effort.rounds) for store in STORES]
                rows.append((f"{algorithm.title}, {iterations:,} iterations", *cells))
    return Table("Throughput, relative to threads", ("", *STORES), rows)


def _ratio(table: dict[str, Any], dask: Executor, store: Store, rounds: int) -> Spread:
    candidates = {
        executor: partial(sweep_time, table, executor, store)
        for executor in (ThreadExecutor(WORKERS), dask)
    }
    threads, workers = alternate(candidates, rounds).values()
    return ratios(threads, workers)
