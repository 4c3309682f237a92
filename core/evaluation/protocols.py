"""Evaluation protocols: how few-shot tasks are drawn, and how many gradient steps adapt to them."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.engines.base import FewShotSets
from core.tasks.base import Floats
from core.tasks.counter_random import Stream, scaled, uniforms
from core.tasks.sine import SineTasks
from core.tasks.sine_sampler import SineWave, query_grid

ProbeName = Literal["validation", "random", "standard", "half-range", "compare"]
"""Protocols that runs are evaluated with; ``validation`` is the periodic one."""

PresetName = Literal[
    "standard", "half-range", "beyond-range", "noisy", "one-point", "contradictory"
]
"""Protocols of the Lab, in the order of their keys."""


@dataclass(frozen=True)
class EvaluationProtocol:
    """How a task is drawn, and how many full-batch gradient ``steps`` adapt to its support set.

    The wave is ``wave``, or random: its amplitude from the trained range, or with ``beyond`` from
    the end of that range to twice as much. ``shots`` values of x come from the whole interval, or
    with ``right_half`` from its upper half. Each y has normal noise of standard deviation
    ``noise``; with a ``contradiction``, each x has two points instead, so far above the wave and
    below it.
    """

    title: str
    stream: Stream
    shots: int = 10
    steps: int = 32
    wave: SineWave | None = None
    right_half: bool = False
    beyond: bool = False
    noise: float = 0.0
    contradiction: float = 0.0
    numbers_per_shot: int = 1
    """Random numbers that each shot takes from the stream, used or not; it fixes the tasks."""

    @property
    def support(self) -> str:
        """Number and interval of the support points in words."""
        interval = "from the right half only" if self.right_half else "over the whole range"
        return f"{self.shots} support points {interval}"

    def amplitudes(self, tasks: SineTasks) -> tuple[float, float]:
        """Smallest and largest amplitude of a random wave."""
        largest = max(map(abs, tasks.amplitude))
        return (largest, 2 * largest) if self.beyond else tasks.amplitude

    def support_interval(self, tasks: SineTasks) -> tuple[float, float]:
        """Interval of x of the support set."""
        low, high = tasks.x
        return ((low + high) / 2 if self.right_half else low), high


REFERENCE_WAVE = SineWave(4.0, 1.0)
"""The fixed wave of the reference implementation's evaluations."""

HALF_RANGE_SHOTS, HALF_RANGE_STEPS = 5, 10
"""Support points and gradient steps where the support set is from the right half only."""

_HALF_RANGE = EvaluationProtocol(
    "half range",
    Stream.HALF_RANGE_PROBE,
    HALF_RANGE_SHOTS,
    HALF_RANGE_STEPS,
    REFERENCE_WAVE,
    right_half=True,
)

PROBES: dict[ProbeName, EvaluationProtocol] = {
    "validation": EvaluationProtocol("random task", Stream.VALIDATION),
    "random": EvaluationProtocol("random task", Stream.RANDOM_PROBE),
    "standard": EvaluationProtocol("standard", Stream.STANDARD_PROBE, wave=REFERENCE_WAVE),
    "half-range": _HALF_RANGE,
    # The reference implementation compares on the very sample of its half-range evaluation.
    "compare": dataclasses.replace(_HALF_RANGE, title="loss per step"),
}

PRESETS: dict[PresetName, EvaluationProtocol] = {
    "standard": PROBES["standard"],
    "half-range": PROBES["half-range"],
    "beyond-range": EvaluationProtocol(
        "beyond the trained range", Stream.BEYOND_RANGE, beyond=True, numbers_per_shot=3
    ),
    # About a fifth of the usual amplitude.
    "noisy": EvaluationProtocol("noisy", Stream.NOISY, noise=0.5, numbers_per_shot=3),
    "one-point": EvaluationProtocol("one point", Stream.ONE_POINT, 1, numbers_per_shot=3),
    "contradictory": EvaluationProtocol(
        "contradictory points", Stream.CONTRADICTORY, 5, contradiction=1.5, numbers_per_shot=3
    ),
}

MANY_TASKS = EvaluationProtocol("random tasks", Stream.MANY_TASKS)
MANY_TASKS_HALF_RANGE = EvaluationProtocol(
    "random tasks, half range",
    Stream.MANY_TASKS_HALF_RANGE,
    HALF_RANGE_SHOTS,
    HALF_RANGE_STEPS,
    right_half=True,
)
"""The two protocols of statistics over many tasks, drawn by ``draw_many``."""


@dataclass(frozen=True)
class FewShotTask:
    """A wave and its support set, ``support_x`` and ``support_y`` of shape ``(n_points,)``."""

    wave: SineWave
    support_x: Floats
    support_y: Floats


@dataclass(frozen=True)
class ManyTasks:
    """Random tasks: ``amplitude`` and ``phase`` are ``(n_tasks,)``."""

    amplitude: Floats
    phase: Floats
    sets: FewShotSets


def many_tasks_protocol(
    *, right_half: bool, shots: int | None = None, steps: int | None = None
) -> EvaluationProtocol:
    """Return the protocol of statistics over many tasks, with other shots and steps if given."""
    usual = MANY_TASKS_HALF_RANGE if right_half else MANY_TASKS
    return dataclasses.replace(
        usual,
        shots=usual.shots if shots is None else shots,
        steps=usual.steps if steps is None else steps,
    )


def draw_task(tasks: SineTasks, seed: int, protocol: EvaluationProtocol, index: int) -> FewShotTask:
    """Draw task number ``index`` of ``protocol``: a pure function of the arguments."""
    shots = protocol.shots
    draws = uniforms(seed, protocol.stream, index, 1, 2 + protocol.numbers_per_shot * shots)[0]
    wave = protocol.wave or SineWave(
        scaled(draws[:1], protocol.amplitudes(tasks)).item(),
        scaled(draws[1:2], tasks.phase).item(),
    )
    x = scaled(draws[2 : 2 + shots], protocol.support_interval(tasks))
    y = wave(x)
    if protocol.noise:
        y = y + protocol.noise * normals(draws[2 + shots :])
    if protocol.contradiction:
        x = np.concatenate([x, x])
        y = np.concatenate([y + protocol.contradiction, y - protocol.contradiction])
    return FewShotTask(wave, x, y)


def draw_many(
    tasks: SineTasks, seed: int, n_tasks: int, protocol: EvaluationProtocol = MANY_TASKS
) -> ManyTasks:
    """Draw ``n_tasks`` random tasks at once; other ``shots`` draw other tasks."""
    draws = uniforms(seed, protocol.stream, 0, n_tasks, 2 + protocol.shots)
    amplitude = scaled(draws[:, 0:1], protocol.amplitudes(tasks))
    phase = scaled(draws[:, 1:2], tasks.phase)
    support_x = scaled(draws[:, 2:], protocol.support_interval(tasks))
    grid = query_grid(tasks)
    sets = FewShotSets(
        support_x,
        amplitude * np.sin(support_x + phase),
        grid,
        amplitude * np.sin(grid + phase),
    )
    return ManyTasks(amplitude[:, 0], phase[:, 0], sets)


def normals(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal numbers ``(n,)`` of ``2 n`` uniform ones of [0, 1) (Box and Muller 1958)."""
    radius, angle = draws.reshape(2, -1)
    normal: NDArray[np.float64] = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
    return normal
