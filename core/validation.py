"""Checks of single values, then decoding of plain tables (JSON, TOML) into dataclasses.

Every check raises ``ConfigError`` with the field, the value and the requirement.
"""

import dataclasses
import difflib
import functools
import math
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from core.errors import ConfigError, UnknownSettingError, UnregisteredError

T = TypeVar("T")

LARGEST_COUNT = 2**53
"""Iteration counts and sizes stay exact in JSON and in a float64."""

DEEPEST = 20
"""Tables and lists in one another; settings need four."""

LONGEST_LIST = 600
"""Characters of the names in an error."""

SLOWEST_PACE = 1e-6
"""Iterations per second: one in twelve days, which a timer can still wait for."""


def positive(field: str, value: float) -> None:
    """Require a finite number above zero."""
    if not _is_number(value) or not math.isfinite(value) or value <= 0:
        raise ConfigError(field, value, "must be a finite number above 0")


def pace(field: str, value: float | None) -> None:
    """Require a finite pace, in iterations per second, of at least ``SLOWEST_PACE``, or None."""
    if value is None:
        return
    if not _is_number(value) or not math.isfinite(value) or value < SLOWEST_PACE:
        raise ConfigError(field, value, f"must be a finite number of at least {SLOWEST_PACE:g}")


def within(field: str, value: float, low: float, high: float) -> None:
    """Require ``low <= value < high``."""
    if not _is_number(value) or not low <= value < high:
        raise ConfigError(field, value, f"must be a number from {low:g} to below {high:g}")


def count(field: str, value: int, low: int = 1, high: int = LARGEST_COUNT) -> None:
    """Require a whole number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(field, value, f"must be a whole number from {low:,} to {high:,}")


def product(factors: Mapping[str, int], high: int) -> None:
    """Require settings, each within its own bound, to multiply to at most ``high``."""
    value = math.prod(factors.values())
    if value > high:
        problem = f"must be at most {high:,} to fit in memory"
        raise ConfigError(" * ".join(factors), value, problem)


def seed(field: str, value: int) -> None:
    """Require a seed of the random numbers."""
    count(field, value, low=0, high=2**63 - 1)


def one_of(field: str, value: object, choices: Collection[str]) -> None:
    """Require one of ``choices``."""
    if value not in choices:
        raise ConfigError(field, value, "must be one of " + ", ".join(choices))


def known(field: str, value: object, registry: Mapping[str, object]) -> None:
    """Require a name of ``registry``, to which users can add."""
    if not isinstance(value, str) or value not in registry:
        choices = ", ".join(registry)
        raise UnregisteredError(field, value, f"must be one of {choices}, or FILE.py:NAME")


def increasing(field: str, value: tuple[int, ...], high: int) -> None:
    """Require whole numbers from 0 to ``high``, at least one, each above the one before."""
    whole = all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= high for v in value)
    if not value or not whole or any(a >= b for a, b in pairwise(value)):
        problem = f"must be whole numbers from 0 to {high:,}, the lowest first, each once"
        raise ConfigError(field, value, problem)


def interval(field: str, value: tuple[float, float]) -> None:
    """Require a pair of finite numbers, the first not above the second."""
    numbers = len(value) == 2 and all(_is_number(v) and math.isfinite(v) for v in value)
    if not numbers or value[0] > value[1]:
        raise ConfigError(field, value, "must be two finite numbers, the lower first")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def decode(kind: type[T], plain: object, where: str) -> T:
    """Decode the table ``plain``, found at ``where``, into the dataclass ``kind``.

    Missing settings take their defaults. Raises ``UnknownSettingError`` for a key that ``kind``
    does not have, and ``ConfigError`` for a value of the wrong type or one that ``kind`` refuses.
    """
    table = require_table(plain, where)
    hints = _type_hints(kind)  # type: ignore[arg-type]
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    refuse_unknown(table, [field.name for field in fields], where)
    settings = {
        name: _value(hints[name], value, f"{where}.{name}".lstrip("."))
        for name, value in table.items()
    }
    for field in fields:
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and field.name not in settings:
            raise ConfigError(where or "configuration", plain, f"must be a table with {field.name}")
    return kind(**settings)


def require_table(plain: object, where: str) -> dict[str, Any]:
    """Return ``plain`` if it is a table with text keys, else raise ``ConfigError``."""
    if not isinstance(plain, dict) or not all(isinstance(key, str) for key in plain):
        raise ConfigError(where or "configuration", plain, "must be a table of settings")
    return plain


def shallow(plain: object) -> None:
    """Require tables and lists of few levels, as Python compares and prints them recursively."""
    level: list[object] = [plain]
    for _ in range(DEEPEST):
        level = [
            below
            for one in level
            if isinstance(one, (dict, list, tuple))
            for below in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise ConfigError("configuration", plain, f"must be nested at most {DEEPEST} deep")


def refuse_unknown(table: Iterable[str], names: Iterable[str], where: str) -> None:
    """Raise ``UnknownSettingError`` for the first key that is not in ``names``."""
    known = list(names)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            listed = ", ".join(known)
            if len(listed) > LONGEST_LIST:
                listed = listed[:LONGEST_LIST].rpartition(" ")[0] + " …"
            advice = f"did you mean {near[0]!r}?" if near else f"known: {listed}"
            raise UnknownSettingError(where or "the configuration", key[:60], advice)


def _value(hint: Any, value: object, where: str) -> object:
    if dataclasses.is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]
            return value
        return decode(hint, value, where)  # type: ignore[arg-type]
    if get_origin(hint) is Literal:
        one_of(where, value, get_args(hint))
        return value
    import msgspec  # late: --help decodes nothing

    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise ConfigError(where, value, _requirement(str(error))) from error


_KINDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "text",
}
"""Types as msgspec names them, in words."""


def _requirement(problem: str) -> str:
    """Return what the value must be instead, from msgspec's words."""
    if problem.startswith("Number out of range"):
        return "must be a number of at most 1e308"
    if counted := re.match(r"Expected `array` of length (\d+)", problem):
        return f"must be {counted[1]} values"
    expected = re.match(r"Expected `(\w+)( \| null)?`, got", problem)
    if expected and expected[1] in _KINDS:
        return f"must be {_KINDS[expected[1]]}"
    return problem.replace("Expected", "must be")


@functools.cache
def _type_hints(kind: type) -> dict[str, Any]:
    """Evaluate the annotations of a dataclass once: that takes most of the time to decode one."""
    return get_type_hints(kind)
