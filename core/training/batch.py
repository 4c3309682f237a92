"""Many independent runs in one call: seeds or hyper-parameters, spread over threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core import validation
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Advance

CHUNK = 1_000
"""Iterations of one call of an engine: their random data fits a core's cache."""


def train_many(configs: Sequence[RunConfig], threads: int | None = None) -> list[Advance]:
    """The final state and all training losses ``(iterations,)`` of each run, in order.

    Runs share nothing, so each learns what it would learn alone, to the bit. ``threads`` defaults
    to the number of processors; nothing is saved. A run that diverges goes on with what is not
    finite. Raises ``ConfigError`` and ``EngineError``.
    """
    workers = threads or os.cpu_count() or 1
    validation.count("threads", workers)
    with ThreadPoolExecutor(workers, thread_name_prefix="population") as pool:
        return list(pool.map(_train, configs))


def _train(config: RunConfig) -> Advance:
    # PyTorch counts its threads for each of ours, so the engine is made where it runs.
    engine = make_engine(config)
    state = engine.initial_state()
    losses = []
    while state.iteration < config.iterations:
        advance = engine.advance(state, min(CHUNK, config.iterations - state.iteration))
        state = advance.state
        losses.append(advance.losses)
    return Advance(state, np.concatenate(losses))
