"""The fast engine: chunks of meta-iterations as compiled code without the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from core.algorithms import optimizers as outer
from core.algorithms.base import Algorithm, Kernel
from core.config import RunConfig
from core.engines.base import (
    Adaptation,
    Advance,
    FewShotSets,
    TrainState,
    sampler_of,
    untrained,
)
from core.engines.fused.machine import MACHINE
from core.engines.fused.network import FusedNetwork, cache_problem, prepare
from core.errors import Advice, EngineError
from core.tasks.base import Floats

BLOCK = 2**20
"""Bytes of data that are drawn at once. Each block costs 0.2 ms more than its iterations; longer
ones cost page faults, because their temporary arrays take new memory."""


class FusedEngine:
    """Meta-iterations of an algorithm that has a ``Kernel``, on one thread of the processor."""

    name = "fused"
    device = f"cpu ({MACHINE.name})"

    def __init__(self, config: RunConfig, report: Callable[[str], None] = lambda _: None) -> None:
        """Prepare the engine; while it is compiled, ``report`` is called with what is done."""
        reason = unsupported_reason(config)
        if reason is not None:
            raise EngineError("fused engine", reason, Advice.OTHER_ENGINE)
        self._kernel = _kernel(config)
        self._config = config
        self._sampler = sampler_of(config)
        self._network = network_for(config)
        prepare(self._network.variant, report)
        problem = cache_problem(self._network.variant)
        advice = "set XDG_CACHE_HOME to another folder"
        self.note = f"every start compiles ({problem}); {advice}" if problem else ""

    def initial_state(self) -> TrainState:
        return untrained(self._config)

    def advance(self, state: TrainState, n: int) -> Advance:
        losses = np.empty(n)
        # Without iterations too: the state that is returned shares no memory with the given one.
        block = self._block
        for first in range(0, n or 1, block):
            part = self._advance(state, min(block, n - first))
            state, losses[first : first + block] = part.state, part.losses
        return Advance(state, losses)

    @cached_property
    def _block(self) -> int:
        """Iterations whose data are drawn at once."""
        batches = self._config.algorithm.batches(self._sampler, 0, 1)
        arrays = batches.x, batches.y, batches.query_x, batches.query_y
        return max(1, BLOCK // sum(array.nbytes for array in arrays))

    def _advance(self, state: TrainState, n: int) -> Advance:
        algorithm = self._config.algorithm
        batches = algorithm.batches(self._sampler, state.iteration, n)
        names = outer.MOMENTS[algorithm.outer_optimizer]
        stacked = [state.moments[name] for name in names]
        kernel = self._kernel
        theta, moments, losses = self._network.advance(
            state.theta,
            np.array(stacked, state.theta.dtype).reshape(len(names), len(state.theta)),
            x=batches.x,
            y=batches.y[..., 0],
            query_x=batches.query_x,
            query_y=batches.query_y[..., 0],
            rates=outer.learning_rates(algorithm, state.iteration, n, self._config.iterations),
            inner_steps=kernel.inner_steps,
            inner_lr=kernel.inner_lr,
            share=kernel.share,
            optimizer=algorithm.outer_optimizer,
            decays=_decays(algorithm),
            iteration=state.iteration,
        )
        after = dict(zip(names, moments, strict=True))
        return Advance(TrainState(state.iteration + n, theta, after), losses)

    def adapt(
        self,
        theta: Floats,
        sets: FewShotSets,
        steps: Sequence[int],
        lr: float,
        *,
        every_step: bool = False,
    ) -> Adaptation:
        losses, predictions = self._network.adapt(
            theta,
            x=sets.support_x,
            y=sets.support_y[..., 0],
            query_x=sets.query_x,
            query_y=sets.query_y[..., 0],
            steps=steps,
            lr=lr,
            every_step=every_step,
        )
        return Adaptation(losses, predictions[..., None])


def network_for(config: RunConfig) -> FusedNetwork:
    """Return the network that trains ``config``, which this engine can run."""
    network, kernel = config.network, _kernel(config)
    return FusedNetwork(
        *(config.tasks.inputs, network.hidden, network.activation, config.precision),
        *(kernel.adapted, kernel.second_order),
    )


def _kernel(config: RunConfig) -> Kernel:
    kernel = config.algorithm.kernel
    assert kernel is not None  # or the engine cannot run it
    return kernel


def unsupported_reason(config: RunConfig) -> str | None:
    """Return the reason why this engine cannot run ``config``; None if it can."""
    if config.model:
        return "the network is one of your own"
    if config.algorithm.kernel is None:
        return f"no kernel for {config.algorithm.variant}"
    if config.tasks.outputs > 1:
        return f"{config.tasks.plural} have {config.tasks.outputs} outputs"
    if config.device not in ("auto", "cpu"):
        return f"runs on the processor, not on {config.device}"
    return None


def _decays(algorithm: Algorithm) -> tuple[float, float]:
    """Return the decay rates of the outer optimiser's moments."""
    if algorithm.outer_optimizer == "momentum":
        return algorithm.momentum, 0.0
    return algorithm.adam_betas
