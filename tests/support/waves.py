"""Sine waves as tests name them."""

from __future__ import annotations

import numpy as np

from core.analysis.questions import ExplicitTask
from core.evaluation.few_shot_tasks import FewShotTask
from core.tasks.base import Floats
from core.tasks.functions import TaskFunction
from core.tasks.sine import SineTasks


def sine_wave(amplitude: float, phase: float) -> TaskFunction:
    """Return amplitude * sin(x + phase)."""
    return TaskFunction(SineTasks(), (amplitude, phase))


def explicit_task(task: ExplicitTask) -> FewShotTask:
    """Return the task that a question names."""
    return FewShotTask(sine_wave(*task.parameters), column(task.support_x), column(task.support_y))


def column(values: object) -> Floats:
    """Return numbers as data with one feature, ``(n, 1)``."""
    return np.asarray(values, np.float64)[..., None]
