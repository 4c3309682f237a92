"""Few-shot evaluation: fine-tune meta-parameters on a support set, watch the query loss.

The three evaluations of the source, the random one of every ``eval_interval`` iterations, and the
same over many tasks at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.engines.base import Adaptation, Engine, FewShotSets
from core.tasks.base import Floats
from core.tasks.counter_random import Stream, scaled, uniforms
from core.tasks.sine import SineTasks
from core.tasks.sine_sampler import QUERY_POINTS, SineWave, query_grid

ProbeName = Literal["validation", "random", "standard", "half-range", "compare"]

SOURCE_WAVE = SineWave(4.0, 1.0)


@dataclass(frozen=True)
class Probe:
    """A kind of few-shot evaluation.

    ``wave`` is the task, or None for a random one; ``right_half`` restricts the support set to the
    upper half of the interval of x.
    """

    title: str
    stream: Stream
    shots: int
    updates: int
    wave: SineWave | None = None
    right_half: bool = False


PROBES: dict[ProbeName, Probe] = {
    "validation": Probe("random task", Stream.VALIDATION, shots=10, updates=32),
    "random": Probe("random task", Stream.RANDOM_PROBE, shots=10, updates=32),
    "standard": Probe("standard", Stream.STANDARD_PROBE, 10, 32, SOURCE_WAVE),
    "half-range": Probe("half range", Stream.HALF_RANGE_PROBE, 5, 10, SOURCE_WAVE, True),
    # The source compares on the very sample of its half-range evaluation, hence the same stream.
    "compare": Probe("loss per update", Stream.HALF_RANGE_PROBE, 5, 10, SOURCE_WAVE, True),
}
"""The evaluations by name. ``validation`` is the periodic one."""


@dataclass(frozen=True)
class FewShotTask:
    """A wave and its support set, ``support_x`` and ``support_y`` of shape ``(shots,)``."""

    wave: SineWave
    support_x: Floats
    support_y: Floats


def draw_task(tasks: SineTasks, seed: int, name: ProbeName, index: int) -> FewShotTask:
    """The task number ``index`` of the probe ``name``: a pure function of its arguments."""
    probe = PROBES[name]
    draws = uniforms(seed, probe.stream, index, 1, 2 + probe.shots)[0]
    wave = probe.wave or _wave(tasks, draws)
    x = _support(tasks, draws[2:], probe.right_half)
    return FewShotTask(wave, x, wave(x))


def few_shot(
    engine: Engine,
    theta: Floats,
    tasks: SineTasks,
    task: FewShotTask,
    updates: int,
    lr: float,
    *,
    every_step: bool = False,
) -> Adaptation:
    """Fine-tune ``theta`` on one support set; the arrays of the result have one row."""
    grid = query_grid(tasks)
    sets = FewShotSets(task.support_x[None], task.support_y[None], grid, task.wave(grid)[None])
    return engine.adapt(theta, sets, updates, lr, every_step=every_step)


@dataclass(frozen=True)
class Statistics:
    """Mean with its 95 % interval, and median, of a loss over ``n`` tasks."""

    n: int
    mean: float
    low: float
    high: float
    median: float

    @classmethod
    def of(cls, losses: NDArray[np.float64]) -> Statistics:
        """Of ``losses`` ``(n,)``; the interval is mean +- 1.96 standard errors."""
        mean = float(losses.mean())
        margin = 1.96 * float(losses.std(ddof=1)) / len(losses) ** 0.5 if len(losses) > 1 else 0.0
        return cls(len(losses), mean, mean - margin, mean + margin, float(np.median(losses)))


def many_tasks(
    engine: Engine,
    theta: Floats,
    tasks: SineTasks,
    seed: int,
    *,
    n_tasks: int,
    updates: int,
    lr: float,
    right_half: bool = False,
) -> NDArray[np.float64]:
    """Query losses ``(n_tasks, updates + 1)`` of ``theta`` fine-tuned on random tasks.

    Ten uniform points, or five of the right half. Tasks depend on ``seed`` alone, so several
    networks evaluated with it can be compared in pairs.
    """
    drawn = draw_many(tasks, seed, n_tasks, right_half=right_half)
    return engine.adapt(theta, drawn.sets, updates, lr).losses


@dataclass(frozen=True)
class ManyTasks:
    """Random tasks: ``amplitude`` and ``phase`` are ``(n_tasks,)``."""

    amplitude: Floats
    phase: Floats
    sets: FewShotSets


def draw_many(
    tasks: SineTasks, seed: int, n_tasks: int, *, right_half: bool = False, shots: int | None = None
) -> ManyTasks:
    """The tasks of ``many_tasks``; with other ``shots`` than its ten or five, other tasks."""
    name: ProbeName = "half-range" if right_half else "random"
    stream = Stream.MANY_TASKS_HALF_RANGE if right_half else Stream.MANY_TASKS
    draws = uniforms(seed, stream, 0, n_tasks, 2 + (shots or PROBES[name].shots))
    amplitude = scaled(draws[:, 0:1], tasks.amplitude)
    phase = scaled(draws[:, 1:2], tasks.phase)
    support_x = _support(tasks, draws[:, 2:], right_half)
    grid = query_grid(tasks, QUERY_POINTS)
    sets = FewShotSets(
        support_x,
        amplitude * np.sin(support_x + phase),
        grid,
        amplitude * np.sin(grid + phase),
    )
    return ManyTasks(amplitude[:, 0], phase[:, 0], sets)


def _wave(tasks: SineTasks, draws: NDArray[np.float64]) -> SineWave:
    amplitude, phase = scaled(draws[:1], tasks.amplitude), scaled(draws[1:2], tasks.phase)
    return SineWave(amplitude.item(), phase.item())


def _support(tasks: SineTasks, draws: NDArray[np.float64], right_half: bool) -> Floats:
    low, high = tasks.x
    if right_half:
        low = (low + high) / 2
    return scaled(draws, (low, high))
