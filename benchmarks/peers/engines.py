"""The engines of this project, with batches drawn as in a run."""

from __future__ import annotations

from benchmarks.protocol import ALGORITHMS, SECOND_ORDER
from core.config import EngineName, RunConfig
from core.engines import make_engine


class EnginePeer:
    """One engine, advanced in chunks about as long as the trainer's 30 ms."""

    chunk = 1_000
    name: EngineName

    def __init__(self) -> None:
        self._engines = {name: make_engine(config) for name, config in self.configs().items()}
        self._states = {name: engine.initial_state() for name, engine in self._engines.items()}

    def configs(self) -> dict[str, RunConfig]:
        """Return what is trained, by name."""
        return {
            name: RunConfig(algorithm=algorithm, engine=self.name)
            for name, algorithm in ALGORITHMS.items()
        }

    def run(self, algorithm: str, iterations: int) -> None:
        for _ in range(iterations // self.chunk):
            advance = self._engines[algorithm].advance(self._states[algorithm], self.chunk)
            self._states[algorithm] = advance.state


class TorchPeer(EnginePeer):
    """The reference engine: PyTorch, batched over tasks, explicit gradients."""

    name = "torch"
    chunk = 100


class SecondOrderPeer(EnginePeer):
    """The compiled kernels with second derivatives, and FOMAML beside them."""

    name = "fused"

    def configs(self) -> dict[str, RunConfig]:
        return {"fomaml": super().configs()["fomaml"], **SECOND_ORDER}


class FusedPeer(EnginePeer):
    """The compiled kernel."""

    name = "fused"
