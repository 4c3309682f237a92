"""The evaluations that a run makes of itself: validations, and of single tasks."""

from core.config import RunConfig
from core.engines.base import Engine
from core.evaluation.adaptation import few_shot, many_tasks
from core.evaluation.few_shot_tasks import PROBES, ProbeName, draw_task
from core.evaluation.statistics import Statistics, number, numbers
from core.events import Evaluated, EventHeader, Validated, spent
from core.tasks.base import Floats
from core.tasks.sine_sampler import query_grid


def validate(
    engine: Engine, theta: Floats, config: RunConfig, seconds: float, header: EventHeader
) -> Validated:
    """Evaluate ``theta`` on the tasks of ``config.validation``, after ``seconds`` of training."""
    protocol = config.validation
    losses = many_tasks(engine, theta, config, protocol)
    columns = Statistics.per_step(losses)
    return Validated(
        steps=protocol.reported_steps,
        mean=tuple(number(one.mean) for one in columns),
        low=tuple(number(one.low) for one in columns),
        high=tuple(number(one.high) for one in columns),
        median=tuple(number(one.median) for one in columns),
        diverged=tuple(one.diverged for one in columns),
        losses=numbers(losses[:, -1]),
        spent=spent(config.algorithm.budget, header["iteration"], seconds),
        **header,
    )


def evaluate(
    engine: Engine,
    theta: Floats,
    config: RunConfig,
    probe: ProbeName,
    index: int,
    training_loss: float | None,
    header: EventHeader,
) -> Evaluated:
    """Adapt ``theta`` to task ``index`` of ``probe``."""
    steps, inner_lr = PROBES[probe].steps, config.algorithm.inner_lr
    task = draw_task(config.waves, config.seed, PROBES[probe], index)
    result = few_shot(engine, theta, config.waves, task, steps, inner_lr)
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
