"""``register`` makes a class or a function of the user's own known by its name."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import TypeVar

from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS
from core.config import RUN_SETTINGS, TABLES
from core.errors import USER_FILES, ConfigError, place_of
from core.models.registry import MODELS
from core.tasks.family import TaskFamily
from core.tasks.registry import FAMILIES, FAMILY_TABLES

K = TypeVar("K", bound=Callable[..., object])


def register(kind: K) -> K:
    """Make an algorithm, a task family or a model known by its name; a decorator.

    A model is a function of inputs and outputs that returns a ``torch.nn.Module``, known by the
    name of the function. What was registered before by the same name is replaced, what is built in
    is not. A family is drawn twice, to see that its tasks are pure functions; a model is tried when
    a run needs it. Raises ``ConfigError``.

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
    if isinstance(kind, type) and issubclass(kind, TaskFamily):
        _add_family(kind)
    elif isinstance(kind, type) and issubclass(kind, Algorithm):
        _add_algorithm(kind)
    else:
        _add_model(kind)
    with suppress(OSError, TypeError):  # one that was typed in at a prompt has no file
        USER_FILES.add(inspect.getfile(kind))
    return kind


def _add_family(kind: type[TaskFamily]) -> None:
    from core.extensions.checks import check_family  # late: it imports NumPy

    _require_settings(kind, FAMILIES)
    check_family(kind())
    FAMILIES[kind.name] = FAMILY_TABLES[kind.table] = TABLES[kind.table] = kind


def _add_algorithm(kind: type[Algorithm]) -> None:
    _require_settings(kind, ALGORITHMS)
    for name in ("title", "training_loss", "budget", "steps", "batches", "outer_gradient"):
        if getattr(kind, name, None) is getattr(Algorithm, name, None):
            raise ConfigError(
                f"{place_of(kind)}: {kind.__name__}.{name}", "nothing", "must be given"
            )
    ALGORITHMS[kind.name] = TABLES[kind.name] = kind


def _add_model(make: Callable[..., object]) -> None:
    name = getattr(make, "__name__", "")
    where = f"{place_of(make)}: {name}"
    if isinstance(make, type) and "Module" not in [base.__name__ for base in make.__mro__]:
        raise ConfigError(where, make, "must be a task family, an algorithm or a torch.nn.Module")
    _require_name(where, name, ())
    MODELS[name] = make  # type: ignore[assignment]


def _require_settings(
    kind: type[TaskFamily] | type[Algorithm],
    known: Mapping[str, type[TaskFamily] | type[Algorithm]],
) -> None:
    """Require a frozen dataclass with defaults, and a name that nothing built in has."""
    where = f"{place_of(kind)}: {kind.__name__}"
    settings = {field.name for field in dataclasses.fields(kind)}
    for name, hint in inspect.get_annotations(kind).items():
        if name not in settings and "ClassVar" not in str(hint):
            raise ConfigError(f"{where}.{name}", hint, "must be a field of a frozen dataclass")
    tables = {**TABLES, **known}.items()
    built_in = [name for name, one in tables if one.__module__.startswith("core.")]
    _require_name(f"{where}.name", getattr(kind, "name", ""), (*built_in, *RUN_SETTINGS))
    try:
        made = kind()
    except Exception as error:
        requirement = "must have a valid default for each setting"
        raise ConfigError(where, error, requirement) from error
    try:
        hash(made)
    except TypeError as error:
        requirement = "must have settings that can be hashed, such as tuples in place of lists"
        raise ConfigError(where, error, requirement) from error


def _require_name(where: str, name: object, built_in: Collection[str]) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise ConfigError(where, name, "must be letters, digits and underscores")
    if name in built_in:
        raise ConfigError(where, name, "must be another name than a built-in one")
