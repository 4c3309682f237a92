"""State of the Lab: the task that is edited, the shown gradient step, and the cursor.

States are immutable: the function of every key returns a new one, or raises ``ConfigError``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from core import validation
from core.analysis.lab_tasks import draw_points, draw_preset
from core.analysis.questions import (
    MOST_UPDATES,
    Adapt,
    AnySource,
    ExplicitTask,
    require_number,
)
from core.errors import ConfigError
from core.evaluation.few_shot_tasks import PRESETS, PresetName
from core.tasks.family import TaskFamily
from core.tasks.functions import TaskFunction
from core.tasks.sine import SineTasks
from tui_meta.views.plots.axis import round_step
from tui_meta.views.plots.wave import axis_height

COLUMNS = 50
ROWS = 24
"""Steps of the cursor across the chart, about so many of y: those are round numbers."""

INTERVALS = ("whole range", "right half", "left half")
"""Intervals from which support points are drawn."""

T = TypeVar("T")


@dataclass(frozen=True)
class LabState:
    """State of the Lab.

    ``preset`` is None once anything but steps and rate was set; points that the user placed
    (``by_hand``) stay in place when the wave changes, others move with it. ``lr`` of None is
    the inner learning rate of each run. ``step`` is the update that is looked at, ``held`` the
    number of the point that the cursor carries. ``index`` counts the tasks that were drawn.
    Where runs have tasks that are not ``drawable``, no run can adapt to the task.
    """

    task: ExplicitTask
    family: TaskFamily = field(default_factory=SineTasks)
    seed: int = 0
    preset: PresetName | None = None
    index: int = 0
    interval: int = 0
    noise: float = 0.0
    by_hand: bool = False
    updates: int = 32
    lr: float | None = None
    step: int = 0
    x: float = 0.0
    y: float = 0.0
    held: int | None = None
    drawable: bool = True

    @property
    def function(self) -> TaskFunction:
        """The curve of the task."""
        return TaskFunction(self.family, self.task.parameters)

    @property
    def height(self) -> float:
        """The chart reaches from minus to plus this."""
        size = max(self.family.size(*self.task.parameters), *map(abs, self.task.support_y))
        usual = axis_height(self.function.member)
        return usual if size <= usual else 1.2 * size


def begin(family: TaskFamily, seed: int = 0) -> LabState:
    """Return the state with the standard task; that of waves where tasks cannot be drawn."""
    drawable = family.is_curve
    family = family if drawable else SineTasks()
    middle = sum(family.x) / 2
    task = ExplicitTask(family.reference, (middle,), (0.0,), family.name)
    return choose(LabState(task, family, seed, x=middle, drawable=drawable), "standard")


# Which task.


def choose(lab: LabState, preset: PresetName) -> LabState:
    """The task number ``lab.index`` of a preset, its number of updates, and the last of them."""
    task = draw_preset(preset, lab.index, lab.seed, lab.family)
    draw = PRESETS[preset]
    return replace(
        _fresh(lab, task),
        preset=preset,
        interval=0 if draw.described(lab.family).support_interval is None else 1,
        noise=draw.noise,
        updates=draw.steps,
        step=draw.steps,
    )


def another(lab: LabState) -> LabState:
    """Draw the next task of the same kind."""
    lab = replace(lab, index=lab.index + 1)
    return choose(lab, lab.preset) if lab.preset else with_points(lab, len(lab.task.support_x))


def open_task(lab: LabState, task: ExplicitTask, updates: int) -> LabState:
    """Open a task from another screen, such as one of the battery's worst."""
    return replace(_fresh(lab, task), updates=updates, step=updates)


def with_parameter(lab: LabState, index: int, value: float) -> LabState:
    """Set a parameter of the task.

    Its points move with the curve, at their old distance, unless the user placed them.
    """
    require_number(lab.family.parameters[index], value)
    parameters = list(lab.task.parameters)
    parameters[index] = value
    return _with_curve(lab, tuple(parameters))


def with_group(lab: LabState, group: int) -> LabState:
    """Set the family of the task, one of those of a mixture; points move as above."""
    return _with_curve(lab, lab.family.reference_of(group))


def _with_curve(lab: LabState, parameters: tuple[float, ...]) -> LabState:
    old, new = lab.function, TaskFunction(lab.family, parameters)
    xs, ys = lab.task.support_x, lab.task.support_y
    if not lab.by_hand:
        moved = zip(ys, _values(new, xs), _values(old, xs), strict=True)
        ys = tuple(y + (now - then) for y, now, then in moved)
    task = ExplicitTask(new.parameters, xs, ys, lab.family.name)
    return replace(lab, task=task, preset=None)


def with_points(lab: LabState, n: int) -> LabState:
    """Draw ``n`` points from the interval."""
    low, high = lab.family.x
    middle = (low + high) / 2
    interval = ((low, high), (middle, high), (low, middle))[lab.interval]
    task = draw_points(lab.function, n, interval, lab.noise, lab.index, lab.seed)
    return replace(lab, task=task, preset=None, by_hand=False, held=None)


def with_noise(lab: LabState, noise: float) -> LabState:
    """Draw as many points, with noise of this standard deviation."""
    return with_points(replace(lab, noise=noise), len(lab.task.support_x))


def with_interval(lab: LabState, which: int) -> LabState:
    """Draw as many points from another of the ``INTERVALS``, around the ends."""
    lab = replace(lab, interval=which % len(INTERVALS))
    return with_points(lab, len(lab.task.support_x))


# Points under the cursor.


def move(lab: LabState, columns: int, rows: int) -> LabState:
    """Move the cursor, and a grabbed point, right and up; it stays on the chart."""
    low, high = lab.family.x
    x = lab.x + columns * (high - low) / COLUMNS
    y = lab.y + rows * round_step(2 * lab.height / ROWS)
    return place(lab, max(low, min(high, x)), max(-lab.height, min(lab.height, y)))


def place(lab: LabState, x: float, y: float) -> LabState:
    """Place the cursor, and a grabbed point, as a mouse does."""
    lab = replace(lab, x=x, y=y)
    if lab.held is None:
        return lab
    xs, ys = list(lab.task.support_x), list(lab.task.support_y)
    xs[lab.held], ys[lab.held] = x, y
    return _edited(lab, xs, ys)


def add(lab: LabState) -> LabState:
    """Add a point at the cursor."""
    edited = _edited(lab, [*lab.task.support_x, lab.x], [*lab.task.support_y, lab.y])
    return replace(edited, held=None)


def take(lab: LabState) -> LabState:
    """Grab the point nearest to the cursor, which jumps there; or drop a grabbed point."""
    if lab.held is not None:
        return replace(lab, held=None)
    nearest = _nearest(lab)
    x, y = lab.task.support_x[nearest], lab.task.support_y[nearest]
    return replace(lab, held=nearest, x=x, y=y)


def delete(lab: LabState) -> LabState:
    """Delete the grabbed point, or the one nearest to the cursor; the last point stays."""
    if len(lab.task.support_x) == 1:
        raise ConfigError("points", 0, "must be at least 1")
    gone = _nearest(lab) if lab.held is None else lab.held
    xs, ys = list(lab.task.support_x), list(lab.task.support_y)
    del xs[gone], ys[gone]
    return replace(_edited(lab, xs, ys), held=None)


# The mouse, which is exact to ``near``: half the width and the height of what counts as the same.


def press(lab: LabState, x: float, y: float, near: tuple[float, float]) -> LabState:
    """Grab the point at a place, or add a new one there and grab it."""
    found = _at(lab, x, y, near)
    if found is None:
        lab = add(replace(lab, x=x, y=y, held=None))
        found = len(lab.task.support_x) - 1
    return replace(lab, x=x, y=y, held=found)


def release(lab: LabState) -> LabState:
    """Drop the grabbed point."""
    return replace(lab, held=None)


def wipe(lab: LabState, x: float, y: float, near: tuple[float, float]) -> LabState:
    """Delete the point at a place, if there is one."""
    found = _at(lab, x, y, near)
    return lab if found is None else delete(replace(lab, held=found))


# Steps.


def with_updates(lab: LabState, updates: int) -> LabState:
    """Set the number of gradient steps; a view of the last step stays at the last."""
    validation.count("gradient steps", updates, low=0, high=MOST_UPDATES)
    last = lab.step == lab.updates
    return replace(lab, updates=updates, step=updates if last else min(lab.step, updates))


def with_rate(lab: LabState, lr: float | None) -> LabState:
    """Set the inner learning rate; None for that of each run."""
    if lr is not None:
        validation.positive("inner lr", lr)
    return replace(lab, lr=lr)


def step(lab: LabState, by: int) -> LabState:
    """Show a later or an earlier step."""
    return replace(lab, step=max(0, min(lab.updates, lab.step + by)))


# Questions.


def questions(lab: LabState, sources: Mapping[str, AnySource]) -> dict[str, Adapt]:
    """Return the question for each source, by its title; all on the same task."""
    return {
        title: Adapt(source=source, task=lab.task, updates=lab.updates, lr=lab.lr)
        for title, source in sources.items()
    }


def at_step(lab: LabState, steps: Sequence[T]) -> T:
    """Return the element for the current step; the last one if there are fewer."""
    return steps[min(lab.step, len(steps) - 1)]


def _fresh(lab: LabState, task: ExplicitTask) -> LabState:
    return replace(lab, task=task, preset=None, noise=0.0, by_hand=False, held=None)


def _edited(lab: LabState, xs: list[float], ys: list[float]) -> LabState:
    task = msgspec.structs.replace(lab.task, support_x=tuple(xs), support_y=tuple(ys))
    return replace(lab, task=task, preset=None, by_hand=True)


def _nearest(lab: LabState) -> int:
    """Return the number of the point nearest to the cursor, as seen on the chart."""
    low, high = lab.family.x
    width = (high - low) or 1.0

    def distance(index: int) -> float:
        across = (lab.task.support_x[index] - lab.x) / width
        up = (lab.task.support_y[index] - lab.y) / (2 * lab.height)
        return across * across + up * up

    return min(range(len(lab.task.support_x)), key=distance)


def _at(lab: LabState, x: float, y: float, near: tuple[float, float]) -> int | None:
    """Return the number of the point at a place; None if there is none."""
    nearest = _nearest(replace(lab, x=x, y=y))
    across, up = lab.task.support_x[nearest] - x, lab.task.support_y[nearest] - y
    return nearest if abs(across) <= near[0] and abs(up) <= near[1] else None


def _values(function: TaskFunction, xs: tuple[float, ...]) -> list[float]:
    import numpy as np

    return [float(value) for value in function.at(np.array(xs))]
