"""Few-shot evaluation of many tasks at once."""

from __future__ import annotations

import dataclasses

from benchmarks.engines import ENGINES
from benchmarks.protocol import FOMAML
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios, seconds
from core.config import EngineName, RunConfig
from core.engines import make_engine
from core.evaluation.adaptation import many_tasks
from core.evaluation_protocol import EvaluationProtocol

ROUNDS = 5
EVERY_STEP = EvaluationProtocol(steps=tuple(range(33)))


def few_shot(effort: Effort) -> Section:
    """Evaluate 1,000 random tasks: ten points, 32 gradient steps, the query loss after each."""
    n_tasks = 100 if effort.quick else 1_000
    rounds = min(effort.rounds, ROUNDS)
    times = alternate({name: _Evaluation(name, n_tasks).seconds for name in ENGINES}, rounds)
    rows: list[tuple[Cell, ...]] = [
        ("fused", Spread.of(times["fused"]), None),
        ("torch", Spread.of(times["torch"]), ratios(times["torch"], times["fused"])),
    ]
    columns = ("engine", "seconds", "times fused")
    title = f"{n_tasks:,} tasks x {EVERY_STEP.last_step} gradient steps, one thread"
    return Section("Few-shot evaluation", [Table(title, columns, rows)])


class _Evaluation:
    """The computation of ``tui-meta eval``, for an untrained network."""

    def __init__(self, engine: EngineName, n_tasks: int) -> None:
        self._config = RunConfig(algorithm=FOMAML, engine=engine)
        self._engine = make_engine(self._config)
        self._theta = self._engine.initial_state().theta
        self._evaluate(1)
        self._n_tasks = n_tasks

    def seconds(self) -> float:
        return seconds(lambda: self._evaluate(self._n_tasks))

    def _evaluate(self, n_tasks: int) -> None:
        protocol = dataclasses.replace(EVERY_STEP, tasks=n_tasks)
        many_tasks(self._engine, self._theta, self._config, protocol)
