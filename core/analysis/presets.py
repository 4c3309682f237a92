"""Tasks that are a key away: what each preset draws, as a pure function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import validation
from core.analysis.questions import LARGEST_NUMBER, MOST_POINTS, ExplicitTask, PresetName
from core.evaluation.adaptation import PROBES, ProbeName, draw_task
from core.tasks.base import Floats
from core.tasks.counter_random import Stream, scaled, uniforms
from core.tasks.sine import SineTasks
from core.tasks.sine_sampler import SineWave

NOISE = 0.5
"""Standard deviation of the noise of a support point's y, about a fifth of the usual amplitude."""

CONTRADICTION = 1.5
"""How far two points of one x lie from the wave, one above, one below."""


@dataclass(frozen=True)
class Preset:
    """How a task is drawn; its inner learning rate is that of the run.

    ``probe`` names an evaluation whose tasks these are. Others draw ``points`` values of x, and
    take their amplitude from the trained range, or with ``beyond`` from its end to twice that.
    """

    title: str
    updates: int
    stream: Stream = Stream.RANDOM_PROBE
    points: int = 10
    probe: ProbeName | None = None
    beyond: bool = False


def _of_probe(name: ProbeName, title: str) -> Preset:
    probe = PROBES[name]
    return Preset(title, probe.updates, probe.stream, probe.shots, name)


PRESETS: dict[PresetName, Preset] = {
    "standard": _of_probe("standard", "standard"),
    "half-range": _of_probe("half-range", "half range"),
    "beyond-range": Preset("beyond the trained range", 32, Stream.BEYOND_RANGE, beyond=True),
    "noisy": Preset("noisy", 32, Stream.NOISY),
    "one-point": Preset("one point", 32, Stream.ONE_POINT, points=1),
    "contradictory": Preset("contradictory points", 32, Stream.CONTRADICTORY, points=5),
}
"""In the order of their keys."""


def draw_preset(name: PresetName, index: int, seed: int, tasks: SineTasks) -> ExplicitTask:
    """The task number ``index`` of the preset ``name``; raises ``ConfigError`` for huge waves."""
    preset = PRESETS[name]
    if preset.probe:
        task = draw_task(tasks, seed, preset.probe, index)
        return _given(task.wave, task.support_x, task.support_y)
    draws = uniforms(seed, preset.stream, index, 1, 2 + 3 * preset.points)[0]
    wave = SineWave(
        scaled(draws[:1], _amplitudes(tasks, preset.beyond)).item(),
        scaled(draws[1:2], tasks.phase).item(),
    )
    x = scaled(draws[2 : 2 + preset.points], tasks.x)
    if name == "noisy":
        return _given(wave, x, wave(x) + NOISE * _normal(draws[2 + preset.points :]))
    if name == "contradictory":
        y = wave(x)
        apart = np.concatenate([y + CONTRADICTION, y - CONTRADICTION])
        return _given(wave, np.concatenate([x, x]), apart)
    return _given(wave, x, wave(x))


def draw_points(
    wave: SineWave, n: int, interval: tuple[float, float], noise: float, index: int, seed: int
) -> ExplicitTask:
    """``n`` points of ``wave`` from ``interval``, with normal ``noise`` of that deviation.

    The first points of many are those of few, and no x depends on the noise. Raises
    ``ConfigError``.
    """
    validation.count("points", n, high=MOST_POINTS)
    validation.within("noise", noise, 0, LARGEST_NUMBER)
    draws = uniforms(seed, Stream.LAB, index, 1, 3 * MOST_POINTS)[0]
    x = scaled(draws[:n], interval)
    return _given(wave, x, wave(x) + noise * _normal(draws[MOST_POINTS:])[:n])


def _amplitudes(tasks: SineTasks, beyond: bool) -> tuple[float, float]:
    largest = max(map(abs, tasks.amplitude))
    return (largest, 2 * largest) if beyond else tasks.amplitude


def _given(wave: SineWave, x: Floats, y: Floats) -> ExplicitTask:
    return ExplicitTask(wave.amplitude, wave.phase, tuple(x.tolist()), tuple(y.tolist()))


def _normal(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal numbers ``(n,)`` of ``2 n`` uniform ones of [0, 1) (Box and Muller 1958)."""
    radius, angle = draws.reshape(2, -1)
    normal: NDArray[np.float64] = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
    return normal
