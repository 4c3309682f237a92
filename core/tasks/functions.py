"""Single tasks and query sets. NumPy is imported where they are evaluated, not by clients."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.tasks.family import TaskFamily
from core.tasks.streams import Stream

if TYPE_CHECKING:
    from core.tasks.base import Floats

QUERY_POINTS = 50
"""Points of the query set of an evaluation."""

_SAMPLED = 256
"""Tasks of which the usual height is measured."""


@dataclass(frozen=True)
class TaskFunction:
    """One task of a ``family``: the function with these ``parameters``."""

    family: TaskFamily
    parameters: tuple[float, ...]

    def __call__(self, x: Floats) -> Floats:
        """Evaluate at ``x`` ``(..., points, inputs)``, in its precision (float64 for integers)."""
        import numpy as np

        x = x if x.dtype.kind == "f" else x.astype(np.float64)
        return values_at(self.family, np.array(self.parameters, x.dtype), x)

    def points(self, x: Floats) -> Floats:
        """Return the points of the task where ``x`` has points of the interval."""
        import numpy as np

        return points_of(self.family, np.array(self.parameters, x.dtype), x)

    def at(self, x: Floats) -> Floats:
        """Evaluate a curve at the numbers ``x``, of any shape."""
        return self(x[..., None])[..., 0]

    @property
    def member(self) -> TaskFamily:
        """The family of the task: of a mixture, one of several."""
        return self.family.member(*self.parameters)[0]

    @property
    def label(self) -> str:
        """The task as text."""
        return self.family.label(*self.parameters)


def values_at(family: TaskFamily, parameters: Floats, x: Floats) -> Floats:
    """Return the values of tasks with ``parameters`` ``(..., n)`` at ``x`` of the same precision.

    ``x`` is ``(..., points, inputs)``, or ``(points, inputs)`` for all tasks.
    """
    import numpy as np

    shape = np.broadcast_shapes((*parameters.shape[:-1], 1), x.shape[:-1])
    y = np.empty((*shape, family.outputs), x.dtype)
    write_values(family, parameters, x, y)
    return y


def write_values(family: TaskFamily, parameters: Floats, x: Floats, y: Floats) -> None:
    """Write what ``values_at`` returns into ``y``."""
    family.write(y, x, *_columns(parameters))


def points_of(family: TaskFamily, parameters: Floats, x: Floats) -> Floats:
    """Return the points of tasks; for most families ``x`` itself, which all tasks may share."""
    return family.points(x, *_columns(parameters))


def _columns(parameters: Floats) -> Iterator[Floats]:
    """Yield each of ``parameters`` ``(..., n)`` as ``(..., 1, 1)``."""
    return (parameters[..., index, None, None] for index in range(parameters.shape[-1]))


def query_grid(family: TaskFamily, points: int = QUERY_POINTS, dtype: str = "float64") -> Floats:
    """Return the query set ``(points, inputs)`` that all tasks of a family share.

    Of one input, equally spaced values with both ends; of more, the first points of a sequence
    that covers their intervals evenly (Roberts 2018, R_d).
    """
    import numpy as np

    if family.inputs == 1:
        return np.linspace(*family.x, points).astype(dtype)[:, None]
    root = 2.0
    for _ in range(64):  # the positive root of root^(inputs + 1) = root + 1
        root = (1 + root) ** (1 / (family.inputs + 1))
    steps = root ** -np.arange(1.0, family.inputs + 1)
    places = (0.5 + np.arange(1, points + 1)[:, None] * steps) % 1
    low, high = family.x
    return (low + (high - low) * places).astype(dtype)


@functools.lru_cache(maxsize=64)
def usual_height(family: TaskFamily) -> float:
    """Return the largest finite absolute value of a family's usual tasks; 1 without any but 0."""
    if family.height is not None:
        return family.height
    import numpy as np

    from core.tasks.counter_random import uniforms

    parameters = family.values(uniforms(0, Stream.SAMPLE, 0, _SAMPLED, family.draws))
    sizes = np.abs(values_at(family, parameters, query_grid(family)))
    return float(sizes.max(initial=0.0, where=np.isfinite(sizes))) or 1.0
