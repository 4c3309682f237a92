"""Adaptation to one few-shot task, with the loss and the predictions of every step."""

import numpy as np

from core.analysis.answers import Adapted
from core.analysis.executors import require_affordable
from core.analysis.lab_tasks import draw_preset
from core.analysis.questions import Adapt, SampledTask
from core.analysis.theta_cache import Theta
from core.engines.base import Engine
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PRESETS, FewShotTask
from core.evaluation.statistics import numbers
from core.tasks.sine import SineWave
from core.tasks.sine_sampler import QUERY_POINTS, query_grid


def adapt(question: Adapt, theta: Theta, engine: Engine) -> Adapted:
    """Fine-tune ``theta`` on the task of ``question``; raises ``ConfigError``."""
    config, task, steps = theta.config, question.task, question.updates
    if isinstance(task, SampledTask):
        steps = PRESETS[task.preset].steps if steps is None else steps
        task = draw_preset(task.preset, task.index, task.seed, config.waves)
    assert steps is not None  # an explicit task comes with its number of steps
    lr = question.lr or config.algorithm.inner_lr
    require_affordable(config.network, "updates", steps, 3 * len(task.support_x) + QUERY_POINTS)
    wave = SineWave(task.amplitude, task.phase)
    few_shot_task = FewShotTask(wave, np.array(task.support_x), np.array(task.support_y))
    result = few_shot(engine, theta.values, config.waves, few_shot_task, steps, lr, every_step=True)
    grid = query_grid(config.waves)
    return Adapted(
        iteration=theta.iteration,
        task=task,
        lr=lr,
        query_x=tuple(grid.tolist()),
        query_y=tuple(wave(grid).tolist()),
        losses=numbers(result.losses[0]),
        predictions=tuple(numbers(row) for row in result.predictions[0]),
    )
