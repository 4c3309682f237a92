"""Cost of validation, beside the training that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.protocol import ALGORITHMS
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, alternate, ratios, seconds
from core.algorithms.base import Algorithm
from core.config import RunConfig
from core.engines import make_engine
from core.evaluation.adaptation import many_tasks
from core.training.schedule import is_validated


def validation(effort: Effort) -> Section:
    """Compare all validations of the source's run with its training, on one thread."""
    part = 1_000 if effort.quick else 5_000
    rows: list[tuple[Cell, ...]] = []
    for algorithm in ALGORITHMS.values():
        run = _Run(algorithm)
        measures: dict[str, Callable[[], float]] = {
            "train": partial(run.train, part),
            "validate": run.validate,
        }
        times = alternate(measures, effort.rounds)
        iterations = run.config.iterations
        validations = sum(is_validated(run.config, at) for at in range(iterations + 1))
        trained = [each * iterations / part for each in times["train"]]
        validated = [100 * validations * each for each in times["validate"]]
        rows.append((algorithm.title, validations, ratios(validated, trained)))
    columns = ("", "validations", "% of the training time")
    settings = RunConfig(algorithm=next(iter(ALGORITHMS.values()))).validation
    title = f"{settings.tasks} tasks, {settings.shots} points, {settings.last_step} gradient steps"
    return Section("Validation", [Table(title, columns, rows)])


class _Run:
    """A run of the source's protocol, some way into its training."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.config = RunConfig(algorithm=algorithm)
        self._engine = make_engine(self.config)
        self._state = self._engine.advance(self._engine.initial_state(), 1_000).state
        self.validate()

    def train(self, iterations: int) -> float:
        """Return the seconds of ``iterations`` iterations, in the chunks of a run."""
        return seconds(lambda: self._advance(iterations))

    def validate(self) -> float:
        """Return the seconds of one validation."""
        protocol = self.config.validation
        return seconds(lambda: many_tasks(self._engine, self._state.theta, self.config, protocol))

    def _advance(self, iterations: int) -> None:
        for _ in range(0, iterations, 500):
            self._engine.advance(self._state, 500)
