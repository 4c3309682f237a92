"""Training one run of an experiment: in memory, or in a run folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from core.engines import make_engine
from core.engines.base import Engine, TrainState
from core.engines.sample import sample_digest
from core.events import EventHeader, Validated, Validation, spent
from core.experiments.results import Ended, RunResult, failed, identity
from core.experiments.specification import PlannedRun
from core.training import divergence, schedule
from core.training.metrics import Metrics
from core.training.pacing import Pacing
from core.training.self_evaluation import validate

Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Trained:
    """A run that has ended: its result, and what is still to be kept of it.

    That is its final state and the losses since the last logged mean; or nothing, without a state.
    """

    result: RunResult
    state: TrainState | None = None
    recent_losses: tuple[float, ...] = ()


def not_trained(run: PlannedRun, problem: str) -> Trained:
    """Return what there is of a run that could not be trained."""
    return Trained(failed(run, problem))


@dataclass
class _Progress:
    """What a run has measured so far."""

    state: TrainState
    metrics: Metrics = field(default_factory=Metrics)
    training_loss: float | None = None
    validations: list[Validation] = field(default_factory=list)
    last: Validated | None = None


def train_in_memory(run: PlannedRun, cancelled: Cancelled, pacing: Pacing) -> Trained | None:
    """Train ``run`` to its last iteration or until it diverges; None if it was cancelled.

    All numbers are those of the run in a run folder, to the bit. ``pacing`` knows the length of a
    chunk from runs before. Raises ``LabError``.
    """
    config = run.config
    # PyTorch has a number of threads per calling thread: the engine is created in the one it uses.
    engine = make_engine(config)
    progress = _Progress(engine.initial_state())
    began = time.monotonic()
    ended: Ended = "finished"
    problem = ""
    _validate_if_due(run, engine, progress, 0.0)
    while (at := progress.state.iteration) < config.iterations:
        if cancelled():
            return None
        stop = min(schedule.next_validation(config, at) or config.iterations, config.iterations)
        n = min(pacing.chunk, stop - at)
        chunk_began = time.monotonic()
        advance = engine.advance(progress.state, n)
        if not (np.isfinite(advance.losses).all() and advance.state.is_finite()):
            advance, by_loss = divergence.last_finite(engine, progress.state, advance)
            ended, problem = "diverged", divergence.problem(config, advance, by_loss)
        for _, mean in progress.metrics.add_losses(at, advance.losses):
            progress.training_loss = mean
        progress.state = advance.state
        if ended == "diverged":
            break
        pacing.finish_chunk(n, chunk_began)
        _validate_if_due(run, engine, progress, time.monotonic() - began)
    used = spent(config.algorithm.budget, progress.state.iteration, time.monotonic() - began)
    result = RunResult(
        **identity(run),
        state=ended,
        iteration=progress.state.iteration,
        spent=used,
        problem=problem,
        training_loss=progress.training_loss,
        validations=tuple(progress.validations),
        last=progress.last,
        engine=engine.name,
        sample=sample_digest(config, engine.name),
    )
    return Trained(result, progress.state, progress.metrics.recent_losses)


def _validate_if_due(run: PlannedRun, engine: Engine, progress: _Progress, seconds: float) -> None:
    at = progress.state.iteration
    if schedule.is_validated(run.config, at):
        header: EventHeader = {"run": run.name, "iteration": at, "time": time.time()}
        validated = validate(engine, progress.state.theta, run.config, seconds, header)
        progress.last = validated
        if validated.result:
            progress.validations.append(validated.result)
