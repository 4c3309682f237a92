"""The interface of task families: settings, and the function that each task is.

A family is a frozen dataclass whose fields are settings. No NumPy is imported here, as ``--help``
reads them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from core import validation

if TYPE_CHECKING:
    from core.tasks.base import Floats

Interval = tuple[float, float]

QueryPoints = Literal["grid", "random"]
"""The points of a query set: those that all tasks share, or uniform ones of each task."""


NO_CURVE = "functions of several numbers cannot be drawn"
"""What is said in place of a curve."""


@dataclass(frozen=True, kw_only=True)
class TaskFamily:
    """A distribution of tasks: functions of x that differ in the values of ``parameters``.

    A task is a pure function of ``draws`` uniform random numbers. Each parameter is a field with
    the interval of its uniform distribution, unless a family overrides ``ranges`` and ``values``.
    """

    name: ClassVar[str]
    table: ClassVar[str]
    """The table of its settings in a configuration file: its name, but for the sine family, whose
    table is older than its name."""
    plural: ClassVar[str]
    """What its tasks are, such as "sine waves"."""
    inputs: ClassVar[int] = 1
    outputs: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        if "name" in cls.__dict__ and "table" not in cls.__dict__:
            cls.table = cls.name

    def __post_init__(self) -> None:
        for name in (one for one in (*self.parameters, "x") if one in self._fields):
            validation.interval(f"{self.table}.{name}", getattr(self, name))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the values in which tasks differ; most families have a class variable."""
        raise NotImplementedError

    @property
    def x(self) -> Interval:
        """The interval of each input; a family has a setting of that name."""
        raise NotImplementedError

    @property
    def draws(self) -> int:
        """The uniform random numbers that a task takes."""
        return len(self.parameters)

    @property
    def ranges(self) -> tuple[Interval, ...]:
        """The usual interval of each parameter."""
        return tuple(getattr(self, name) for name in self.parameters)

    @property
    def steps(self) -> tuple[float, ...]:
        """By how much a key changes each parameter of a task."""
        return tuple((high - low) / 20 or 0.1 for low, high in self.ranges)

    @property
    def is_curve(self) -> bool:
        """True for functions of one number with one value, which can be drawn."""
        return self.inputs == self.outputs == 1

    @property
    def reference(self) -> tuple[float, ...]:
        """The parameters of the one task that is the same for every run."""
        return tuple(low + 0.75 * (high - low) for low, high in self.ranges)

    def reference_of(self, group: int) -> tuple[float, ...]:
        """Return the reference of the group of this number; of the only one without ``groups``."""
        return self.reference

    def size(self, *parameters: float) -> float:
        """Return what the axes of one task's chart must reach at least; 0 for the usual height."""
        return 0.0

    @property
    def height(self) -> float | None:
        """The largest absolute value of usual tasks, for axes; None where it must be sampled."""
        return None

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of kinds of tasks, whose number is the first parameter; none if all are one."""
        return ()

    @property
    def described(self) -> dict[str, Interval]:
        """The usual interval of each parameter, by its name."""
        return dict(zip(self.parameters, self.ranges, strict=True))

    def member(self, *parameters: float) -> tuple[TaskFamily, tuple[float, ...]]:
        """Return the family of one task, and its parameters there: of a mixture, one of several."""
        return self, parameters

    def points(self, x: Floats, *parameters: Floats) -> Floats:
        """Return the points of tasks, where ``x`` has points of the interval; arguments as of y."""
        return x

    def values(self, draws: Floats) -> Floats:
        """Turn uniform numbers of [0, 1) ``(..., draws)`` into parameters ``(..., parameters)``."""
        import numpy as np

        low, high = np.array(self.ranges, np.float64).reshape(-1, 2).T
        scaled: Floats = low + (high - low) * draws
        return scaled

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        """Return the values ``(..., points, outputs)`` of tasks at ``x`` ``(..., points, inputs)``.

        Each of ``parameters`` is ``(..., 1, 1)``; all have the floating-point type of the result.
        """
        raise NotImplementedError

    def write(self, y: Floats, x: Floats, *parameters: Floats) -> None:
        """Write what ``y`` returns into the array ``y``; a family may save temporary arrays."""
        y[...] = self.y(x, *parameters)

    def label(self, *parameters: float) -> str:
        """Return a task as text."""
        return ", ".join(
            f"{name} {value:.2f}" for name, value in zip(self.parameters, parameters, strict=True)
        )

    def beyond(self) -> TaskFamily:
        """Return the family whose first parameter reaches from the end of its range to twice that.

        A family without such a parameter is returned as it is.
        """
        first = next(iter(self.parameters), "")
        if first not in self._fields:
            return self
        largest = max(map(abs, getattr(self, first)))
        return dataclasses.replace(self, **{first: (largest, 2 * largest)})

    @property
    def _fields(self) -> set[str]:
        return {one.name for one in dataclasses.fields(self)}
