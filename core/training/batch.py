"""Many independent runs in one call: seeds or hyper-parameters, spread over threads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core import validation
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Advance
from core.training.memory import require_memory
from core.training.processors import usable_processors

CHUNK = 1_000
"""Iterations per call of an engine, whose random data fits the cache of a core."""


def train_many(configs: Sequence[RunConfig], threads: int | None = None) -> list[Advance]:
    """Train all runs; return the final state and the losses ``(iterations,)`` of each, in order.

    Runs share nothing, so the bits of each are those of the run alone. ``threads`` defaults to the
    number of processors that this process may use; nothing is saved. A run that diverges continues
    with values that are not finite. Raises ``ConfigError`` and ``EngineError``.
    """
    workers = threads or usable_processors()
    validation.count("threads", workers)
    require_memory(configs, at_once=workers)
    with ThreadPoolExecutor(workers, thread_name_prefix="batch") as pool:
        return list(pool.map(_train, configs))


def _train(config: RunConfig) -> Advance:
    # PyTorch has a number of threads per calling thread: the engine is created in the one it uses.
    engine = make_engine(config)
    state = engine.initial_state()
    losses = []
    while state.iteration < config.iterations:
        advance = engine.advance(state, min(CHUNK, config.iterations - state.iteration))
        state = advance.state
        losses.append(advance.losses)
    return Advance(state, np.concatenate(losses))
