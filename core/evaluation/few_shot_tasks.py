"""The tasks of few-shot evaluations: how single ones and many at once are drawn.

NumPy is imported where tasks are drawn: clients read the names and titles.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.evaluation_protocol import EvaluationProtocol, ProtocolName, named_protocol
from core.tasks.sine import SineTasks, SineWave
from core.tasks.streams import Stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.engines.base import FewShotSets
    from core.tasks.base import Floats

ProbeName = Literal["validation", "random", "standard", "half-range", "compare"]
"""Evaluations of one task; ``validation`` is the periodic one, called so in files since 0.1."""

PresetName = Literal[
    "standard", "half-range", "beyond-range", "noisy", "one-point", "contradictory"
]
"""Tasks of the Lab, in the order of their keys."""


@dataclass(frozen=True)
class TaskDraw:
    """How one task is drawn; its points and gradient steps are those of a named ``protocol``.

    The wave is ``wave``, or random: its amplitude from the trained range, or with ``beyond`` from
    the end of that range to twice as much. Each y has normal noise of standard deviation
    ``noise``; with a ``contradiction``, each x has two points instead, so far above the wave and
    below it.
    """

    title: str
    stream: Stream
    protocol: ProtocolName = "source"
    other_shots: int | None = None
    wave: SineWave | None = None
    beyond: bool = False
    noise: float = 0.0
    contradiction: float = 0.0
    numbers_per_shot: int = 1
    """Random numbers that each shot takes from the stream, used or not; it fixes the tasks."""

    def described(self, tasks: SineTasks) -> EvaluationProtocol:
        """Return shots, steps and support interval for tasks of this family."""
        protocol = named_protocol(self.protocol, tasks)
        shots = self.other_shots
        return dataclasses.replace(protocol, shots=shots) if shots else protocol

    @property
    def steps(self) -> int:
        """The number of gradient steps."""
        return self.described(SineTasks()).last_step

    def amplitudes(self, tasks: SineTasks) -> tuple[float, float]:
        """Smallest and largest amplitude of a random wave."""
        largest = max(map(abs, tasks.amplitude))
        return (largest, 2 * largest) if self.beyond else tasks.amplitude


REFERENCE_WAVE = SineWave(4.0, 1.0)
"""The fixed wave of the reference implementation's evaluations."""

_HALF_RANGE = TaskDraw(
    "half range", Stream.HALF_RANGE_PROBE, "source-half-range", wave=REFERENCE_WAVE
)

PROBES: dict[ProbeName, TaskDraw] = {
    "validation": TaskDraw("random task", Stream.VALIDATION),
    "random": TaskDraw("random task", Stream.RANDOM_PROBE),
    "standard": TaskDraw("standard", Stream.STANDARD_PROBE, wave=REFERENCE_WAVE),
    "half-range": _HALF_RANGE,
    # The reference implementation compares on the very sample of its half-range evaluation.
    "compare": dataclasses.replace(_HALF_RANGE, title="loss per step"),
}

PRESETS: dict[PresetName, TaskDraw] = {
    "standard": PROBES["standard"],
    "half-range": PROBES["half-range"],
    "beyond-range": TaskDraw(
        "beyond the trained range", Stream.BEYOND_RANGE, beyond=True, numbers_per_shot=3
    ),
    # About a fifth of the usual amplitude.
    "noisy": TaskDraw("noisy", Stream.NOISY, noise=0.5, numbers_per_shot=3),
    "one-point": TaskDraw("one point", Stream.ONE_POINT, other_shots=1, numbers_per_shot=3),
    "contradictory": TaskDraw(
        "contradictory points",
        Stream.CONTRADICTORY,
        other_shots=5,
        contradiction=1.5,
        numbers_per_shot=3,
    ),
}


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


def draw_task(tasks: SineTasks, seed: int, draw: TaskDraw, index: int) -> FewShotTask:
    """Draw task number ``index`` of ``draw``: a pure function of the arguments."""
    import numpy as np

    from core.tasks.counter_random import scaled, uniforms

    protocol = draw.described(tasks)
    shots = protocol.shots
    draws = uniforms(seed, draw.stream, index, 1, 2 + draw.numbers_per_shot * shots)[0]
    wave = draw.wave or SineWave(
        scaled(draws[:1], draw.amplitudes(tasks)).item(),
        scaled(draws[1:2], tasks.phase).item(),
    )
    x = scaled(draws[2 : 2 + shots], protocol.support_interval or tasks.x)
    y = wave(x)
    if draw.noise:
        y = y + draw.noise * normals(draws[2 + shots :])
    if draw.contradiction:
        x = np.concatenate([x, x])
        y = np.concatenate([y + draw.contradiction, y - draw.contradiction])
    return FewShotTask(wave, x, y)


def draw_many(protocol: EvaluationProtocol, waves: SineTasks) -> ManyTasks:
    """Draw the tasks of ``protocol``, whose family is ``waves`` where it has none of its own.

    Another number of shots draws other tasks.
    """
    import numpy as np

    from core.engines.base import FewShotSets
    from core.tasks.counter_random import scaled, uniforms
    from core.tasks.sine_sampler import query_grid

    tasks, interval = protocol.family or waves, protocol.support_interval
    stream = Stream.MANY_TASKS if interval is None else Stream.MANY_TASKS_HALF_RANGE
    draws = uniforms(protocol.seed, stream, 0, protocol.tasks, 2 + protocol.shots)
    amplitude = scaled(draws[:, 0:1], tasks.amplitude)
    phase = scaled(draws[:, 1:2], tasks.phase)
    support_x = scaled(draws[:, 2:], interval or tasks.x)
    grid = query_grid(tasks, protocol.query_points)
    sets = FewShotSets(
        support_x,
        amplitude * np.sin(support_x + phase),
        grid,
        amplitude * np.sin(grid + phase),
    )
    return ManyTasks(amplitude[:, 0], phase[:, 0], sets)


def normals(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal numbers ``(n,)`` of ``2 n`` uniform ones of [0, 1) (Box and Muller 1958)."""
    import numpy as np

    radius, angle = draws.reshape(2, -1)
    normal: NDArray[np.float64] = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
    return normal
