"""The evaluations that a run makes of itself: validations, and of single tasks."""

from typing import Any

from core.config import RunConfig
from core.engines.base import Adaptation, Engine
from core.evaluation.adaptation import few_shot, many_tasks
from core.evaluation.few_shot_tasks import PROBES, FewShotTask, ProbeName, draw_task, task_fields
from core.evaluation.statistics import Statistics, number, numbers
from core.events import Evaluated, EventHeader, Validated, spent
from core.tasks.base import Floats
from core.tasks.functions import query_grid


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
    task = draw_task(config.tasks, config.seed, PROBES[probe], index)
    result = few_shot(engine, theta, config.tasks, task, steps, inner_lr)
    grid = query_grid(config.tasks)
    return Evaluated(
        probe=probe,
        index=index,
        losses=tuple(result.losses[0].tolist()),
        training_loss=training_loss,
        **task_fields(task.function, grid),
        **(_points(task, grid, result) if config.tasks.is_curve else {}),
        **header,
    )


def _points(task: FewShotTask, grid: Floats, result: Adaptation) -> dict[str, Any]:
    """Return the support points and the predictions on ``grid``, of tasks that are curves."""
    arrays = {
        "support_x": task.support_x,
        "support_y": task.support_y,
        "query_x": grid,
        "before": result.before[0],
        "after": result.after[0],
    }
    return {name: tuple(array[:, 0].tolist()) for name, array in arrays.items()}
