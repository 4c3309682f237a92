"""The fast engine: chunks of meta-iterations as compiled code without the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from core.algorithms import optimizers as outer
from core.algorithms.base import Algorithm
from core.algorithms.query import QueryAlgorithm
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


class FusedEngine:
    """Meta-iterations of an algorithm that has a ``Kernel``, on one thread of the processor."""

    name = "fused"
    device = f"cpu ({MACHINE.name})"

    def __init__(self, config: RunConfig, report: Callable[[str], None] = lambda _: None) -> None:
        """Prepare the engine; while it is compiled, ``report`` is called with what is done."""
        kernel, reason = config.algorithm.kernel, unsupported_reason(config)
        if reason or kernel is None:
            raise EngineError("fused engine", reason or "no kernel", Advice.OTHER_ENGINE)
        self._kernel = kernel
        self._config = config
        self._sampler = sampler_of(config)
        network = config.network
        self._network = FusedNetwork(network.hidden, network.activation, config.precision)
        prepare(config.precision, report)
        problem = cache_problem(config.precision)
        advice = "set XDG_CACHE_HOME to another folder"
        self.note = f"every start compiles ({problem}); {advice}" if problem else ""

    def initial_state(self) -> TrainState:
        return untrained(self._config)

    def advance(self, state: TrainState, n: int) -> Advance:
        algorithm = self._config.algorithm
        batches = algorithm.batches(self._sampler, state.iteration, n)
        names = outer.MOMENTS[algorithm.outer_optimizer]
        stacked = [state.moments[name] for name in names]
        kernel = self._kernel
        x, y, query_x, query_y = (_curve(array) for array in batches.arrays)
        theta, moments, losses = self._network.advance(
            state.theta,
            np.array(stacked, state.theta.dtype).reshape(len(names), len(state.theta)),
            x=x,
            y=y,
            query_x=query_x,
            query_y=query_y,
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
        if sets.query_x.ndim == 3:  # the kernel takes query points that all tasks share
            parts = (sets.part(task, 1) for task in range(len(sets.query_x)))
            alone = (replace(part, query_x=part.query_x[0]) for part in parts)
            return Adaptation.joined(
                [self.adapt(theta, one, steps, lr, every_step=every_step) for one in alone]
            )
        losses, predictions = self._network.adapt(
            theta,
            x=_curve(sets.support_x),
            y=_curve(sets.support_y),
            query_x=_curve(sets.query_x),
            query_y=_curve(sets.query_y),
            steps=steps,
            lr=lr,
            every_step=every_step,
        )
        return Adaptation(losses, predictions[..., None])


def unsupported_reason(config: RunConfig) -> str | None:
    """Return the reason why this engine cannot run ``config``; None if it can."""
    if config.model:
        return "the network is one of your own"
    if config.algorithm.kernel is None:
        return f"no kernel for {config.algorithm.variant}"
    if isinstance(config.algorithm, QueryAlgorithm) and config.algorithm.query == "random":
        return "no kernel for random query points"
    if not config.tasks.is_curve:
        return f"{config.tasks.plural} have more than one input and one output"
    if config.device not in ("auto", "cpu"):
        return f"runs on the processor, not on {config.device}"
    return None


def _curve(array: Floats) -> Floats:
    """Return data without the axis of its one feature."""
    return array[..., 0]


def _decays(algorithm: Algorithm) -> tuple[float, float]:
    """Return the decay rates of the outer optimiser's moments."""
    if algorithm.outer_optimizer == "momentum":
        return algorithm.momentum, 0.0
    return algorithm.adam_betas
