"""Task families of the user's own, checked: pure, finite, of the right shapes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from core.errors import ConfigError, place_of
from core.tasks.base import Floats
from core.tasks.counter_random import uniforms
from core.tasks.family import TaskFamily
from core.tasks.functions import query_grid, values_at
from core.tasks.streams import Stream

_TASKS, _POINTS = 3, 5
"""Of the sample that is drawn twice."""


def check_family(family: TaskFamily) -> None:
    """Draw some tasks twice; raises ``ConfigError``, which names the file, unless they agree.

    Values must be finite numbers in the shape that training expects.
    """
    kind = type(family)
    first, again = (_drawn(family) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        if one.tobytes() != other.tobytes():
            raise _refusal(kind, "y", "", "must be a pure function; drawn twice, tasks differ")
    if not all(np.isfinite(one).all() for one in first):
        raise _refusal(kind, "y", "NaN or infinity", "must return finite numbers")


def _drawn(family: TaskFamily) -> tuple[Floats, Floats]:
    """Return parameters and values of some tasks."""
    kind = type(family)
    x = query_grid(family, _POINTS)
    with _naming(kind, "values"):
        parameters = family.values(uniforms(0, Stream.SAMPLE, 0, _TASKS, family.draws))
    _require_shape(kind, "values", parameters, (_TASKS, len(family.parameters)))
    columns = [parameters[:, index, None, None] for index in range(parameters.shape[1])]
    with _naming(kind, "y"):
        values = family.y(x, *columns)
    _require_shape(kind, "y", values, (_TASKS, _POINTS, family.outputs))
    return parameters, values_at(family, parameters, x)


def _require_shape(kind: type, method: str, found: object, shape: tuple[int, ...]) -> None:
    if not isinstance(found, np.ndarray):
        raise _refusal(kind, method, found, "must return an array")
    try:
        fits = np.broadcast_shapes(found.shape, shape) == shape and found.ndim == len(shape)
    except ValueError:
        fits = False
    if not fits:
        raise _refusal(kind, method, found.shape, f"must return the shape {shape}")


@contextmanager
def _naming(kind: type, method: str) -> Iterator[None]:
    """Raise ``ConfigError`` for any error, with its place in the user's file."""
    try:
        yield
    except Exception as error:
        raise _refusal(kind, method, error, "must not fail") from error


def _refusal(kind: type, method: str, value: object, requirement: str) -> ConfigError:
    return ConfigError(
        f"{place_of(getattr(kind, method))}: {kind.__name__}.{method}", value, requirement
    )
