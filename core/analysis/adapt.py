"""Adaptation to one few-shot task, with the loss and the predictions of every step."""

import numpy as np

from core.analysis.answers import Adapted
from core.analysis.executors import require_affordable
from core.analysis.lab_tasks import draw_preset, require_curve
from core.analysis.questions import Adapt, SampledTask
from core.analysis.theta_cache import Theta
from core.engines.base import Engine
from core.errors import QuestionError
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PRESETS, FewShotTask
from core.evaluation.statistics import numbers
from core.tasks.functions import QUERY_POINTS, TaskFunction, query_grid


def adapt(question: Adapt, theta: Theta, engine: Engine) -> Adapted:
    """Fine-tune ``theta`` on the task of ``question``.

    Raises ``ConfigError`` and ``QuestionError``.
    """
    config, task, steps = theta.config, question.task, question.updates
    if isinstance(task, SampledTask):
        steps = PRESETS[task.preset].steps if steps is None else steps
        task = draw_preset(task.preset, task.index, task.seed, config.tasks)
    assert steps is not None  # an explicit task comes with its number of steps
    lr = question.lr or config.algorithm.inner_lr
    require_affordable(config, "updates", steps, 3 * len(task.support_x) + QUERY_POINTS)
    family = config.tasks
    require_curve(family)
    if task.family != family.name or len(task.parameters) != len(family.parameters):
        problem = f"trained on {family.plural}, not on {task.family} tasks"
        raise QuestionError(config.algorithm.title, problem, "choose another run")
    function = TaskFunction(family, task.parameters)
    points = (np.array(values)[:, None] for values in (task.support_x, task.support_y))
    few_shot_task = FewShotTask(function, *points)
    result = few_shot(engine, theta.values, family, few_shot_task, steps, lr, every_step=True)
    grid = query_grid(family)
    return Adapted(
        iteration=theta.iteration,
        task=task,
        lr=lr,
        query_x=tuple(grid[:, 0].tolist()),
        query_y=tuple(function(grid)[:, 0].tolist()),
        losses=numbers(result.losses[0]),
        predictions=tuple(numbers(row) for row in result.predictions[0, ..., 0]),
    )
