"""The engines of this project, warmed up in this process."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.protocol import FOMAML
from benchmarks.rounds import Effort, calibrate_length, seconds
from core.config import EngineName, RunConfig
from core.engines import make_engine

ENGINES: tuple[EngineName, ...] = ("fused", "torch")


def default_engine() -> str:
    """Return the name of the engine that ``auto`` picks for the source's protocol."""
    return make_engine(RunConfig(algorithm=FOMAML)).name


class WarmEngine:
    """An engine with its training state, advanced ``chunk`` iterations per call."""

    def __init__(self, config: RunConfig, chunk: int = 100) -> None:
        self._engine = make_engine(config)
        self._state = self._engine.initial_state()
        self._chunk = chunk
        self._length = chunk

    def warm_up(self, effort: Effort) -> None:
        """Compile, and find how many iterations take about ``effort.seconds``."""
        self._length = calibrate_length(self._seconds, effort.seconds, self._chunk)

    def microseconds(self) -> float:
        """Return the wall time of one meta-iteration."""
        return self._seconds(self._length) / self._length * 1e6

    def advance(self, iterations: int) -> None:
        """Train at least ``iterations``, in whole chunks."""
        for _ in range(0, iterations, self._chunk):
            self._state = self._engine.advance(self._state, self._chunk).state

    def _seconds(self, iterations: int) -> float:
        return seconds(lambda: self.advance(iterations))


def warm_engines(
    configs: Sequence[RunConfig], effort: Effort, chunk: int = 100
) -> list[WarmEngine]:
    """Return a warmed-up engine for each configuration."""
    runs = [WarmEngine(config, chunk) for config in configs]
    for run in runs:
        run.warm_up(effort)
    return runs
