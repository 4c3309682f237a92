"""Tasks of the Lab, drawn as pure functions and in the form that questions name them in."""

from core import validation
from core.analysis.questions import LARGEST_NUMBER, MOST_POINTS, ExplicitTask
from core.evaluation.few_shot_tasks import PRESETS, FewShotTask, PresetName, draw_task, normals
from core.tasks.counter_random import scaled, uniforms
from core.tasks.sine import SineTasks, SineWave
from core.tasks.streams import Stream


def draw_preset(name: PresetName, index: int, seed: int, tasks: SineTasks) -> ExplicitTask:
    """Draw task number ``index`` of a preset; raises ``ConfigError`` for huge waves."""
    return explicit(draw_task(tasks, seed, PRESETS[name], index))


def draw_points(
    wave: SineWave, n: int, interval: tuple[float, float], noise: float, index: int, seed: int
) -> ExplicitTask:
    """Draw ``n`` points of ``wave`` from ``interval``, with normal noise of deviation ``noise``.

    A larger ``n`` keeps the points of a smaller one, and no x depends on the noise. Raises
    ``ConfigError``.
    """
    validation.count("points", n, high=MOST_POINTS)
    validation.within("noise", noise, 0, LARGEST_NUMBER)
    draws = uniforms(seed, Stream.LAB, index, 1, 3 * MOST_POINTS)[0]
    x = scaled(draws[:n], interval)
    return explicit(FewShotTask(wave, x, wave(x) + noise * normals(draws[MOST_POINTS:])[:n]))


def explicit(task: FewShotTask) -> ExplicitTask:
    """Convert ``task`` to plain numbers; raises ``ConfigError`` for those that are too large."""
    wave, x, y = task.wave, task.support_x.tolist(), task.support_y.tolist()
    return ExplicitTask(wave.amplitude, wave.phase, tuple(x), tuple(y))
