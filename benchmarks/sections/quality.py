"""Quality of the trained networks, beside the ranges that other implementations reach.

Trains the source's protocol to the end for several seeds and reports mean query losses on random
tasks.
"""

from __future__ import annotations

import dataclasses

from benchmarks.engines import default_engine
from benchmarks.protocol import ALGORITHMS, FOMAML
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort
from core.config import RunConfig
from core.engines import make_engine
from core.evaluation.adaptation import many_tasks
from core.evaluation_protocol import ProtocolName, named_protocol
from core.tasks.base import Floats
from core.training.batch import train_many

SEEDS = (0, 1, 2)
N_TASKS = 1_000
TEST_SEED = 1_000_003
PROTOCOLS: tuple[ProtocolName, ...] = ("source", "source-half-range")
HEADINGS = ("before", "1 step", "5 steps", "10 steps", "32 steps", "half range, 5 points, 10 steps")

# Ranges over seeds that independent implementations of the source's protocol reached.
REACHED = {
    "fomaml": (
        "4.3 - 7.4",
        "0.39 - 0.77",
        "0.05 - 0.09",
        "0.043 - 0.07",
        "0.040 - 0.063",
        "0.13 - 0.6",
    ),
    "reptile": (
        "4.4 - 4.8",
        "0.50 - 0.55",
        "0.07 - 0.09",
        "0.060 - 0.075",
        "0.059 - 0.067",
        "0.16 - 0.26",
    ),
    "random initialisation": ("4.3", "4.3", "-", "4.3", "2.8", "6.3"),
}


def quality(effort: Effort) -> Section:
    """Evaluate both algorithms over ``SEEDS``, and a random initialisation."""
    iterations = 2_000 if effort.quick else 50_000
    seeds = SEEDS[:1] if effort.quick else SEEDS
    rows: list[tuple[Cell, ...]] = []
    for name, algorithm in ALGORITHMS.items():
        rows.append((f"{algorithm.title}, reached elsewhere", *REACHED[name]))
        for seed in seeds:
            config = RunConfig(algorithm=algorithm, seed=seed, iterations=iterations)
            [trained] = train_many([config])
            found = evaluate(config, trained.state.theta)
            rows.append((f"{algorithm.title}, seed {seed}", *found))
    config = RunConfig(algorithm=FOMAML)
    theta = make_engine(config).initial_state().theta
    rows.append(("random initialisation, reached elsewhere", *REACHED["random initialisation"]))
    rows.append(("random initialisation, seed 0", *evaluate(config, theta)))
    title = f"Mean query loss on {N_TASKS:,} random tasks after {iterations:,} iterations"
    notes = [f"engine: {default_engine()}", *_QUICK_NOTES * effort.quick]
    return Section("Quality", [Table(title, ("", *HEADINGS), rows)], notes)


_QUICK_NOTES = ("a smoke run: too short to reach the ranges",)


def evaluate(config: RunConfig, theta: Floats) -> list[float]:
    """Return mean query losses on the same ``N_TASKS`` tasks for every network, as in HEADINGS."""
    engine = make_engine(config)
    full, half = (
        many_tasks(
            engine,
            theta,
            config,
            dataclasses.replace(named_protocol(name, config.tasks), tasks=N_TASKS, seed=TEST_SEED),
        )
        for name in PROTOCOLS
    )
    return [*full.mean(0).tolist(), float(half.mean(0)[-1])]
