"""Few-shot adaptation: fine-tune meta-parameters on support sets, record the query loss."""

import numpy as np
from numpy.typing import NDArray

from core.engines.base import Adaptation, Engine, FewShotSets
from core.evaluation.protocols import EvaluationProtocol, FewShotTask, draw_many
from core.tasks.base import Floats
from core.tasks.sine import SineTasks
from core.tasks.sine_sampler import query_grid


def few_shot(
    engine: Engine,
    theta: Floats,
    tasks: SineTasks,
    task: FewShotTask,
    steps: int,
    lr: float,
    *,
    every_step: bool = False,
) -> Adaptation:
    """Fine-tune ``theta`` on one support set; the arrays of the result have one row."""
    grid = query_grid(tasks)
    sets = FewShotSets(task.support_x[None], task.support_y[None], grid, task.wave(grid)[None])
    return engine.adapt(theta, sets, steps, lr, every_step=every_step)


def many_tasks(
    engine: Engine,
    theta: Floats,
    tasks: SineTasks,
    seed: int,
    protocol: EvaluationProtocol,
    *,
    n_tasks: int,
    lr: float,
) -> NDArray[np.float64]:
    """Fine-tune ``theta`` on random tasks; return query losses ``(n_tasks, steps + 1)``.

    Tasks depend on ``seed`` and ``protocol`` alone, so several networks can be compared in pairs.
    """
    drawn = draw_many(tasks, seed, n_tasks, protocol)
    return engine.adapt(theta, drawn.sets, protocol.steps, lr).losses
