"""Algorithms and task families of the user's own: imported, registered, and checked.

A family or an algorithm that is registered is configured, trained, saved and read like the built-in
ones. No run folder makes the program import code: the user names the files, or registers classes.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS
from core.config import TABLES
from core.errors import USER_FILES, ConfigError, LabError, SubjectError, in_words
from core.tasks.base import Floats
from core.tasks.counter_random import uniforms
from core.tasks.family import TaskFamily
from core.tasks.functions import query_grid, values_at
from core.tasks.registry import FAMILIES, FAMILY_TABLES
from core.tasks.streams import Stream

K = TypeVar("K", bound=type[Algorithm] | type[TaskFamily])

CODE = "TUI_META_CODE"
"""The environment variable with the Python files to be imported, as paths with colons between."""

_TASKS, _POINTS = 3, 5
"""Of the sample that is drawn twice."""


def register(kind: K) -> K:
    """Make the algorithm or the task family ``kind`` known by its name; a class decorator.

    A class of the same name that was registered before is replaced, a built-in one is not. A family
    is drawn twice, to see that its tasks are pure functions. Raises ``ConfigError``.

    >>> from dataclasses import dataclass
    >>> from core import register, TaskFamily
    >>> @register
    ... @dataclass(frozen=True, kw_only=True)
    ... class Steps(TaskFamily):
    ...     name, plural, parameters = "steps", "steps", ("place",)
    ...     place: tuple[float, float] = (-1.0, 1.0)
    ...     x: tuple[float, float] = (-2.0, 2.0)
    ...
    ...     def y(self, x, place):
    ...         return 1.0 * (x > place)
    """
    known: dict[str, Any] = FAMILIES if issubclass(kind, TaskFamily) else ALGORITHMS
    name = getattr(kind, "name", "")
    where = f"{_place(kind)}: {kind.__name__}"
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise ConfigError(where, kind, "must be a frozen dataclass")
    if not isinstance(name, str) or not name.isidentifier():
        raise ConfigError(f"{where}.name", name, "must be letters, digits and underscores")
    if name in known and known[name].__module__.startswith("core."):
        raise ConfigError(f"{where}.name", name, "must be another name than a built-in one")
    if issubclass(kind, TaskFamily):
        check_family(kind())
        FAMILY_TABLES[kind.table] = kind
    known[name] = kind
    TABLES[getattr(kind, "table", name)] = kind
    with suppress(OSError, TypeError):  # a class that was typed in at a prompt has no file
        USER_FILES.add(inspect.getfile(kind))
    return kind


def load_code() -> None:
    """Import the files that the user names in ``TUI_META_CODE``, which register what they define.

    Processes that this one starts import them too. Raises ``LabError``.
    """
    files = [Path(one).absolute() for one in os.environ.get(CODE, "").split(os.pathsep) if one]
    os.environ[CODE] = os.pathsep.join(map(str, files))
    for file in files:
        _import_file(file)


def load_family(named: str) -> str:
    """Import the family that ``FILE.py:NAME`` names, for this process and those that it starts.

    Return the name by which it is known. Raises ``LabError``.
    """
    file, _, name = named.rpartition(":")
    path = Path(file).absolute()
    others = [
        one for one in os.environ.get(CODE, "").split(os.pathsep) if one not in ("", str(path))
    ]
    kind = getattr(_import_file(path), name, None)
    if not isinstance(kind, type) or not issubclass(kind, TaskFamily):
        raise ConfigError("tasks", named, "must name a task family in its file")
    os.environ[CODE] = os.pathsep.join((*others, str(path)))
    if FAMILIES.get(kind.name) is not kind:
        raise ConfigError("tasks", named, "must be registered: write @register above the class")
    return kind.name


def _import_file(file: Path) -> ModuleType:
    name = "_".join((CODE, *re.findall(r"\w+", str(file)))).lower()
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SubjectError(file, "not a Python file that exists")
    USER_FILES.add(str(file))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, LabError) or not isinstance(error, Exception):
            raise
        raise SubjectError(file, in_words(error)) from error
    return module


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
        f"{_place(getattr(kind, method))}: {kind.__name__}.{method}", value, requirement
    )


def _place(of: Callable[..., object] | type) -> str:
    """Return file and line of a definition."""
    try:
        return f"{inspect.getsourcefile(of)}:{inspect.getsourcelines(of)[1]}"
    except (OSError, TypeError):  # typed in at a prompt
        return of.__module__
