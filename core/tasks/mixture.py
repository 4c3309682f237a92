"""Mixtures of task families: each task is of one of them. No NumPy is imported for settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from core.errors import ConfigError
from core.tasks.family import Interval, TaskFamily

if TYPE_CHECKING:
    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class MixtureTasks(TaskFamily):
    """Tasks of several ``families``, each as often as the others.

    The first parameter of a task is the number of its family, the others are those of that family,
    and 0 where it has fewer. Families of fewer inputs are functions of the first ones, and their
    points have 1 for the others, as in Yao et al. (2020, ARML).
    """

    families: tuple[TaskFamily, ...]

    def __post_init__(self) -> None:
        names = [one.name for one in self.families]
        if len(names) < 2 or len(set(names)) < len(names):
            raise ConfigError("tasks", self.name, "must be different families")
        for of in ("x", "outputs"):
            found = {one.table: getattr(one, of) for one in self.families}
            if len(set(found.values())) > 1:
                words = ", ".join(f"{table}.{of} is {value}" for table, value in found.items())
                raise ConfigError("tasks", self.name, f"must all have the same {of}; {words}")

    @property
    def name(self) -> str:  # type: ignore[override]
        return "+".join(one.name for one in self.families)

    @property
    def table(self) -> str:  # type: ignore[override]
        return self.name

    @property
    def plural(self) -> str:  # type: ignore[override]
        return " + ".join(one.name for one in self.families)

    @property
    def parameters(self) -> tuple[str, ...]:
        columns = zip_longest(*(one.parameters for one in self.families), fillvalue="")
        names = ("/".join(filter(None, dict.fromkeys(column))) for column in columns)
        return ("family", *names)

    @property
    def inputs(self) -> int:  # type: ignore[override]
        return max(one.inputs for one in self.families)

    @property
    def outputs(self) -> int:  # type: ignore[override]
        return self.families[0].outputs

    @property
    def x(self) -> Interval:
        return self.families[0].x

    @property
    def draws(self) -> int:
        return 1 + max(one.draws for one in self.families)

    @property
    def ranges(self) -> tuple[Interval, ...]:
        columns = zip_longest(*(one.ranges for one in self.families), fillvalue=(0.0, 0.0))
        lows_and_highs = (zip(*column, strict=True) for column in columns)
        of_parameters = ((min(lows), max(highs)) for lows, highs in lows_and_highs)
        return ((0.0, len(self.families)), *of_parameters)

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.families)

    @property
    def described(self) -> dict[str, Interval]:
        return {
            f"{one.name} {name}": interval
            for one in self.families
            for name, interval in one.described.items()
        }

    @property
    def reference(self) -> tuple[float, ...]:
        return self.reference_of(0)

    def reference_of(self, group: int) -> tuple[float, ...]:
        number = group % len(self.families)
        known = (float(number), *self.families[number].reference)
        return known + (0.0,) * (len(self.parameters) - len(known))

    def member(self, *parameters: float) -> tuple[TaskFamily, tuple[float, ...]]:
        family = self.families[int(parameters[0]) % len(self.families)]
        return family, parameters[1 : 1 + len(family.parameters)]

    def size(self, *parameters: float) -> float:
        family, own = self.member(*parameters)
        return family.size(*own)

    def label(self, *parameters: float) -> str:
        """Return family and task as text, such as ``line: 1.50·x - 2.00``."""
        family, own = self.member(*parameters)
        return f"{family.name}: {family.label(*own)}"

    def beyond(self) -> TaskFamily:
        return MixtureTasks(families=tuple(one.beyond() for one in self.families))

    def values(self, draws: Floats) -> Floats:
        import numpy as np

        values = np.zeros((*draws.shape[:-1], len(self.parameters)))
        values[..., 0] = np.floor(draws[..., 0] * len(self.families))
        for number, family in enumerate(self.families):
            of = values[..., 0] == number
            own = family.values(draws[of, 1 : 1 + family.draws])
            values[of, 1 : 1 + len(family.parameters)] = own
        return values

    def points(self, x: Floats, *parameters: Floats) -> Floats:
        if all(one.inputs == self.inputs for one in self.families):
            return x

        def placed(family: TaskFamily, x: Floats, *own: Floats) -> Floats:
            x = x.copy()
            x[..., family.inputs :] = 1
            return x

        return self._each(placed, self.inputs, x, parameters)

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        def values(family: TaskFamily, x: Floats, *own: Floats) -> Floats:
            return family.y(x[..., : family.inputs], *own)

        return self._each(values, self.outputs, x, parameters)

    def _each(
        self,
        function: Callable[..., Floats],
        features: int,
        x: Floats,
        parameters: tuple[Floats, ...],
    ) -> Floats:
        """Return the values of ``function`` of family, x and parameters, for each task its own."""
        import numpy as np

        shape = np.broadcast_shapes(parameters[0].shape[:-2], x.shape[:-2])
        x = np.broadcast_to(x, (*shape, *x.shape[-2:]))
        which, *others = (np.broadcast_to(one, (*shape, 1, 1)) for one in parameters)
        found = np.empty((*x.shape[:-1], features), x.dtype)
        for number, family in enumerate(self.families):
            of = np.floor(which[..., 0, 0]) % len(self.families) == number
            own = [one[of] for one in others[: len(family.parameters)]]
            found[of] = function(family, x[of], *own)
        return found
