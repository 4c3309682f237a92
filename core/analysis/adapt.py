"""A few-shot task, step by step: the numbers of ``core.evaluation``, with every step kept."""

from __future__ import annotations

import numpy as np

from core.analysis.answers import Adapted, numbers
from core.analysis.presets import draw_preset
from core.analysis.questions import Adapt, SampledTask
from core.analysis.theta import Theta
from core.analysis.work import require_affordable
from core.engines.base import Engine
from core.evaluation.adaptation import few_shot
from core.evaluation.protocols import PRESETS, FewShotTask
from core.tasks.sine_sampler import QUERY_POINTS, SineWave, query_grid


def adapt(question: Adapt, theta: Theta, engine: Engine) -> Adapted:
    """Fine-tune ``theta`` on the task of ``question``; raises ``ConfigError``."""
    config, task, updates = theta.config, question.task, question.updates
    if isinstance(task, SampledTask):
        updates = PRESETS[task.preset].steps if updates is None else updates
        task = draw_preset(task.preset, task.index, task.seed, config.waves)
    assert updates is not None  # a given task comes with its updates
    lr = question.lr or config.algorithm.inner_lr
    require_affordable(config.network, "updates", updates, 3 * len(task.support_x) + QUERY_POINTS)
    wave = SineWave(task.amplitude, task.phase)
    few = FewShotTask(wave, np.array(task.support_x), np.array(task.support_y))
    result = few_shot(engine, theta.values, config.waves, few, updates, lr, every_step=True)
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
