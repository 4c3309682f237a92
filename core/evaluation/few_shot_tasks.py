"""The tasks of few-shot evaluations: how single ones and many at once are drawn.

NumPy is imported where tasks are drawn: clients read the names and titles.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.evaluation_protocol import EvaluationProtocol, ProtocolName, named_protocol
from core.tasks.family import TaskFamily
from core.tasks.functions import TaskFunction, points_of, query_grid, values_at
from core.tasks.sine import SineTasks
from core.tasks.streams import Stream

if TYPE_CHECKING:
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

    With ``fixed`` the task is the reference of its family, else a random one: its first parameter
    is from the trained range, or with ``beyond`` from the end of that range to twice as much. Each
    y has normal noise of standard deviation ``noise``; with a ``contradiction``, each x has two
    points instead, so far above the function and below it.
    """

    title: str
    stream: Stream
    protocol: ProtocolName = "source"
    other_shots: int | None = None
    fixed: bool = False
    beyond: bool = False
    noise: float = 0.0
    contradiction: float = 0.0
    numbers_per_shot: int = 1
    """Random numbers that each shot takes from the stream, used or not; it fixes the tasks."""

    def described(self, tasks: TaskFamily) -> EvaluationProtocol:
        """Return shots, steps and support interval for tasks of this family."""
        protocol = named_protocol(self.protocol, tasks)
        shots = self.other_shots
        return dataclasses.replace(protocol, shots=shots) if shots else protocol

    @property
    def steps(self) -> int:
        """The number of gradient steps."""
        return self.described(SineTasks()).last_step


_HALF_RANGE = TaskDraw("half range", Stream.HALF_RANGE_PROBE, "source-half-range", fixed=True)

PROBES: dict[ProbeName, TaskDraw] = {
    "validation": TaskDraw("random task", Stream.VALIDATION),
    "random": TaskDraw("random task", Stream.RANDOM_PROBE),
    "standard": TaskDraw("standard", Stream.STANDARD_PROBE, fixed=True),
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
    """A task and its support set, ``(n_points, inputs)`` and ``(n_points, outputs)``."""

    function: TaskFunction
    support_x: Floats
    support_y: Floats


@dataclass(frozen=True)
class ManyTasks:
    """Random tasks of a ``family``, with their ``parameters`` ``(n_tasks, n_parameters)``."""

    family: TaskFamily
    parameters: Floats
    sets: FewShotSets

    def task(self, index: int) -> FewShotTask:
        """Return one of the tasks."""
        function = TaskFunction(self.family, tuple(self.parameters[index].tolist()))
        return FewShotTask(function, self.sets.support_x[index], self.sets.support_y[index])


def draw_task(tasks: TaskFamily, seed: int, draw: TaskDraw, index: int) -> FewShotTask:
    """Draw task number ``index`` of ``draw``: a pure function of the arguments."""
    import numpy as np

    from core.tasks.counter_random import normals, scaled, uniforms

    protocol = draw.described(tasks)
    shots = protocol.shots
    first, after = tasks.draws, tasks.draws + shots * tasks.inputs
    width = after + (draw.numbers_per_shot - 1) * shots
    draws = uniforms(seed, draw.stream, index, 1, width)[0]
    family = tasks.beyond() if draw.beyond else tasks
    parameters = tasks.reference if draw.fixed else tuple(family.values(draws[:first]).tolist())
    function = TaskFunction(tasks, parameters)
    places = scaled(draws[first:after], protocol.support_interval or tasks.x).reshape(shots, -1)
    x = function.points(places)
    y = function(x)
    if draw.noise:
        y = y + draw.noise * normals(draws[after:])[:, None]
    if draw.contradiction:
        x = np.concatenate([x, x])
        y = np.concatenate([y + draw.contradiction, y - draw.contradiction])
    return FewShotTask(function, x, y)


def task_fields(function: TaskFunction, grid: Floats) -> dict[str, Any]:
    """Return what a recorded evaluation says about its task, whose query set is ``grid``."""
    if isinstance(function.family, SineTasks) and len(function.parameters) == 2:
        return dict(zip(function.family.parameters, function.parameters, strict=True))
    fields: dict[str, Any] = {"parameters": function.parameters, "label": function.label}
    if function.family.is_curve:
        fields["query_y"] = tuple(function(grid)[:, 0].tolist())
    return fields


def drawn_bytes(protocol: EvaluationProtocol, family: TaskFamily) -> tuple[int, str]:
    """Return the bytes that the data of ``protocol`` take at least, and the settings they are of.

    Those are of ``draw_many``: its random numbers, and the points that are made of them.
    """
    tasks = protocol.family or family
    shots, queries = protocol.shots, protocol.query_points
    numbers = tasks.draws + shots * (2 * tasks.inputs + tasks.outputs) + queries * tasks.outputs
    if protocol.query == "random":
        numbers += 2 * queries * tasks.inputs
    if protocol.noise:
        numbers += 2 * (shots + queries) * tasks.outputs
    points = "shots" if shots >= queries else "query_points"
    return 8 * protocol.tasks * numbers, " * ".join(
        f"{protocol.prefix}{name}" for name in ("tasks", points)
    )


def draw_many(protocol: EvaluationProtocol, family: TaskFamily) -> ManyTasks:
    """Draw the tasks of ``protocol``, from ``family`` where it has none of its own.

    Another number of shots draws other tasks.
    """
    import numpy as np

    from core.engines.base import FewShotSets
    from core.tasks.counter_random import normals, scaled, uniforms

    tasks, interval = protocol.family or family, protocol.support_interval
    n, shots, queries = protocol.tasks, protocol.shots, protocol.query_points
    random, noise = protocol.query == "random", protocol.noise
    noisy = 2 * (shots + queries) * tasks.outputs if noise else 0
    sizes = (tasks.draws, shots * tasks.inputs, queries * tasks.inputs if random else 0, noisy)
    stream = Stream.MANY_TASKS if interval is None else Stream.MANY_TASKS_HALF_RANGE
    draws = np.split(uniforms(protocol.seed, stream, 0, n, sum(sizes)), np.cumsum(sizes)[:3], 1)
    parameters = tasks.values(draws[0])
    support = scaled(draws[1], interval or tasks.x).reshape(n, shots, tasks.inputs)
    query = query_grid(tasks, queries)
    if random:
        query = scaled(draws[2], tasks.x).reshape(n, *query.shape)
    support_x, query_x = (points_of(tasks, parameters, x) for x in (support, query))
    support_y, query_y = (values_at(tasks, parameters, x) for x in (support_x, query_x))
    if noise:
        noises = noise * normals(draws[3]).reshape(n, shots + queries, tasks.outputs)
        support_y, query_y = support_y + noises[:, :shots], query_y + noises[:, shots:]
    sets = FewShotSets(support_x, support_y, query_x, query_y, parameters)
    return ManyTasks(tasks, parameters, sets)
