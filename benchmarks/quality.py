"""Does training reach what a correct implementation reaches?

Trains the source's protocol to the end over several seeds, evaluates on random tasks, and prints
the mean query losses beside the ranges reached elsewhere. ``python -m benchmarks.quality``.
"""

from __future__ import annotations

import argparse
import dataclasses

from core.adaptation import many_tasks
from core.algorithms import ALGORITHMS
from core.config import RunConfig
from core.engines import make_engine
from core.tasks import Floats

N_TASKS = 1_000
TEST_SEED = 1_000_003
CHUNK = 1_000
STEPS = (0, 1, 5, 10, 32)
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
    "random initialisation": ("4.3", "4.3", "", "4.3", "2.8", "6.3"),
}


def evaluate(config: RunConfig, theta: Floats) -> list[float]:
    """Mean query losses on the same ``N_TASKS`` tasks for every network, as in HEADINGS."""
    engine = make_engine(config)
    lr = config.algorithm.inner_lr
    full = many_tasks(
        engine, theta, config.waves, TEST_SEED, n_tasks=N_TASKS, updates=max(STEPS), lr=lr
    )
    half = many_tasks(
        engine, theta, config.waves, TEST_SEED, n_tasks=N_TASKS, updates=10, lr=lr, right_half=True
    )
    return [*full.mean(0)[list(STEPS)], half.mean(0)[-1]]


def train(config: RunConfig) -> Floats:
    """The meta-parameters after all iterations."""
    engine = make_engine(config)
    state = engine.initial_state()
    while state.iteration < config.iterations:
        n = min(CHUNK, config.iterations - state.iteration)
        state = engine.advance(state, n).state
    return state.theta


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--iterations", type=int, default=50_000)
    arguments = parser.parse_args()
    print("| | " + " | ".join(HEADINGS) + " |")
    print("|---" * (len(HEADINGS) + 1) + "|")
    for name, algorithm in ALGORITHMS.items():
        _row(f"{algorithm.title}, reached elsewhere", REACHED[name])
        for seed in arguments.seeds:
            config = RunConfig(
                algorithm=algorithm(),
                seed=seed,
                iterations=arguments.iterations,
                engine=arguments.engine,
            )
            _row(f"{algorithm.title}, seed {seed}", _texts(evaluate(config, train(config))))
    _row("random initialisation, reached elsewhere", REACHED["random initialisation"])
    untrained = dataclasses.replace(config, seed=0)
    theta = make_engine(untrained).initial_state().theta
    _row("random initialisation, seed 0", _texts(evaluate(untrained, theta)))


def _texts(values: list[float]) -> tuple[str, ...]:
    return tuple(f"{value:.3f}" for value in values)


def _row(label: str, values: tuple[str, ...]) -> None:
    print(f"| {label} | " + " | ".join(values) + " |", flush=True)


if __name__ == "__main__":
    main()
