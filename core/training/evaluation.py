"""A few-shot evaluation of a run, as an event."""

from __future__ import annotations

from core.config import RunConfig
from core.engines.base import Engine
from core.evaluation.adaptation import few_shot
from core.evaluation.protocols import PROBES, ProbeName, draw_task
from core.events import Evaluated, EventHeader
from core.tasks.base import Floats
from core.tasks.sine_sampler import query_grid


def evaluation(
    engine: Engine,
    config: RunConfig,
    theta: Floats,
    probe: ProbeName,
    index: int,
    training_loss: float | None,
    header: EventHeader,
) -> Evaluated:
    """Adapt ``theta`` ``(n_parameters,)`` to task ``index`` of ``probe`` and return the losses."""
    task = draw_task(config.waves, config.seed, PROBES[probe], index)
    updates, lr = PROBES[probe].steps, config.algorithm.inner_lr
    result = few_shot(engine, theta, config.waves, task, updates, lr)
    return Evaluated(
        probe=probe,
        index=index,
        amplitude=task.wave.amplitude,
        phase=task.wave.phase,
        support_x=tuple(task.support_x.tolist()),
        support_y=tuple(task.support_y.tolist()),
        query_x=tuple(query_grid(config.waves).tolist()),
        before=tuple(result.before[0].tolist()),
        after=tuple(result.after[0].tolist()),
        losses=tuple(result.losses[0].tolist()),
        training_loss=training_loss,
        **header,
    )
