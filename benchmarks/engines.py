"""This project's engines in this process, ready to be measured."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.protocol import FOMAML
from benchmarks.rounds import Effort, length_for, seconds
from core.config import EngineName, RunConfig
from core.engines import make_engine

ENGINES: tuple[EngineName, ...] = ("fused", "torch")


def default_engine() -> str:
    """The name of the engine that runs the source's protocol where none is asked for."""
    return make_engine(RunConfig(algorithm=FOMAML)).name


class Running:
    """An engine with the state it has come to; ``chunk`` iterations are advanced at once."""

    def __init__(self, config: RunConfig, chunk: int = 100) -> None:
        self._engine = make_engine(config)
        self._state = self._engine.initial_state()
        self._chunk = chunk
        self._length = chunk

    def warm_up(self, effort: Effort) -> None:
        """Compile, and find how many iterations take about ``effort.seconds``."""
        self._length = length_for(self._seconds, effort.seconds, self._chunk)

    def microseconds(self) -> float:
        """Wall time of one meta-iteration."""
        return self._seconds(self._length) / self._length * 1e6

    def advance(self, iterations: int) -> None:
        """At least ``iterations``, in whole chunks."""
        for _ in range(0, iterations, self._chunk):
            self._state = self._engine.advance(self._state, self._chunk).state

    def _seconds(self, iterations: int) -> float:
        return seconds(lambda: self.advance(iterations))


def warm(configs: Sequence[RunConfig], effort: Effort, chunk: int = 100) -> list[Running]:
    """An engine for each configuration, warmed up."""
    runs = [Running(config, chunk) for config in configs]
    for run in runs:
        run.warm_up(effort)
    return runs
