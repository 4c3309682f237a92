"""Tasks of the Lab, drawn as pure functions and in the form that questions name them in."""

from core import validation
from core.analysis.questions import LARGEST_NUMBER, MOST_POINTS, ExplicitTask
from core.errors import QuestionError
from core.evaluation.few_shot_tasks import PRESETS, FewShotTask, PresetName, draw_task
from core.tasks.counter_random import normals, scaled, uniforms
from core.tasks.family import NO_CURVE, TaskFamily
from core.tasks.functions import TaskFunction
from core.tasks.streams import Stream


def draw_preset(name: PresetName, index: int, seed: int, tasks: TaskFamily) -> ExplicitTask:
    """Draw task number ``index`` of a preset.

    Raises ``ConfigError`` for huge numbers, and ``QuestionError`` where tasks are not curves.
    """
    require_curve(tasks)
    return explicit(draw_task(tasks, seed, PRESETS[name], index))


def draw_points(
    function: TaskFunction,
    n: int,
    interval: tuple[float, float],
    noise: float,
    index: int,
    seed: int,
) -> ExplicitTask:
    """Draw ``n`` points of ``function`` of ``interval``, with normal noise of deviation ``noise``.

    A larger ``n`` keeps the points of a smaller one, and no x depends on the noise. Raises
    ``ConfigError``.
    """
    validation.count("points", n, high=MOST_POINTS)
    validation.within("noise", noise, 0, LARGEST_NUMBER)
    draws = uniforms(seed, Stream.LAB, index, 1, 3 * MOST_POINTS)[0]
    x = scaled(draws[:n], interval)[:, None]
    noises = noise * normals(draws[MOST_POINTS:])[:n, None]
    return explicit(FewShotTask(function, x, function(x) + noises))


def explicit(task: FewShotTask) -> ExplicitTask:
    """Convert ``task`` to plain numbers; raises ``ConfigError`` for those that are too large."""
    x, y = (tuple(points[:, 0].tolist()) for points in (task.support_x, task.support_y))
    return ExplicitTask(task.function.parameters, x, y, task.function.family.name)


def require_curve(family: TaskFamily) -> None:
    """Raise ``QuestionError`` if tasks are not functions of one number with one value."""
    if not family.is_curve:
        raise QuestionError(family.plural, NO_CURVE, "use the battery")
