"""A digest of what an engine computes here: it differs where anything changes the bits of runs."""

import dataclasses
import functools
import hashlib
from typing import get_args

from core.algorithms.fomaml import Fomaml
from core.config import DeviceName, EngineName, Precision, RunConfig
from core.engines import make_engine
from core.tasks.sampler import TaskSampler

SAMPLE = RunConfig(algorithm=Fomaml(outer_optimizer="adam"))
ITERATIONS = 3
"""Iterations of the default network: some milliseconds with PyTorch."""
DRAWN = 300
"""Iterations whose data are drawn: 54,000 sines, since a C library may differ in few of them."""


def sample_digest(config: RunConfig, engine: str) -> str:
    """Return the digest of some iterations of a fixed run, by the ``engine`` that runs ``config``.

    It depends on engine, device and precision, and on whatever these depend on: the processor,
    versions, settings of the C library and of PyTorch. It is computed once in each process.
    """
    name = engine if engine in get_args(EngineName) else config.engine
    return _digest(name, config.device, config.precision)


@functools.cache
def _digest(engine: EngineName, device: DeviceName, precision: Precision) -> str:
    config = dataclasses.replace(SAMPLE, engine=engine, device=device, precision=precision)
    made = make_engine(config)
    done = made.advance(made.initial_state(), ITERATIONS)
    drawn = SAMPLE.algorithm.batches(TaskSampler(SAMPLE.tasks, 0, precision), 0, DRAWN)
    computed = (done.state.theta, done.losses, drawn.x, drawn.y, drawn.query_y)
    return hashlib.sha256(b"".join(array.tobytes() for array in computed)).hexdigest()[:12]
