"""Few-shot adaptation: fine-tune meta-parameters on support sets, record the query loss."""

import functools

import numpy as np
from numpy.typing import NDArray

from core.config import RunConfig
from core.engines.base import Adaptation, Engine, FewShotSets
from core.errors import EngineError
from core.evaluation.few_shot_tasks import FewShotTask, ManyTasks, draw_many
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.base import Floats
from core.tasks.family import TaskFamily
from core.tasks.functions import query_grid

MOST_KEPT = 2**16
"""Points of the tasks that are kept for the next network, which is often evaluated on the same."""


def few_shot(
    engine: Engine,
    theta: Floats,
    tasks: TaskFamily,
    task: FewShotTask,
    steps: int,
    lr: float,
    *,
    every_step: bool = False,
) -> Adaptation:
    """Fine-tune ``theta`` on one support set, and report each step from 0 to ``steps``.

    The arrays of the result have one row.
    """
    grid = task.function.points(query_grid(tasks))
    sets = FewShotSets(
        *(task.support_x[None], task.support_y[None], grid, task.function(grid)[None]),
        np.array([task.function.parameters]),
    )
    return engine.adapt(theta, sets, range(steps + 1), lr, every_step=every_step)


def many_tasks(
    engine: Engine, theta: Floats, config: RunConfig, protocol: EvaluationProtocol
) -> NDArray[np.float64]:
    """Fine-tune ``theta`` on the tasks of ``protocol``.

    Return query losses ``(tasks, n_reported)``, after each of ``protocol.reported_steps``.
    ``config`` is that of the run, whose task family and inner learning rate hold where ``protocol``
    has none. Raises ``EngineError`` for tasks of other inputs and outputs than the network's.
    """
    family = protocol.family or config.tasks
    if (family.inputs, family.outputs) != (config.tasks.inputs, config.tasks.outputs):
        ends = f"{family.inputs} and {family.outputs}"
        problem = f"{ends} inputs and outputs, where the run's {config.tasks.plural} have "
        problem += f"{config.tasks.inputs} and {config.tasks.outputs}"
        raise EngineError(family.plural, problem, "choose a protocol without tasks of its own")
    drawn = _drawn(protocol, config.tasks)
    lr = protocol.inner_lr or config.algorithm.inner_lr
    return engine.adapt(theta, drawn.sets, protocol.reported_steps, lr).losses


def _drawn(protocol: EvaluationProtocol, family: TaskFamily) -> ManyTasks:
    points = protocol.tasks * (protocol.shots + protocol.query_points)
    return (_kept if points <= MOST_KEPT else draw_many)(protocol, family)


@functools.lru_cache(maxsize=4)
def _kept(protocol: EvaluationProtocol, family: TaskFamily) -> ManyTasks:
    drawn = draw_many(protocol, family)
    for array in (drawn.parameters, *vars(drawn.sets).values()):
        array.flags.writeable = False  # all runs share them
    return drawn
