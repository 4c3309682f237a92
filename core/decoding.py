"""Plain values (of JSON or TOML) to configurations, with errors that name the setting."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from core import checks
from core.algorithms import ALGORITHMS
from core.algorithms.base import Algorithm
from core.errors import ConfigError, UnknownSettingError

T = TypeVar("T")


def decode(kind: type[T], plain: object, where: str) -> T:
    """An instance of dataclass ``kind`` from the table ``plain``, found at ``where``.

    Settings that are left out take their defaults. Raises ``UnknownSettingError`` for a key that
    ``kind`` does not have, ``ConfigError`` for a value of the wrong type and for whatever ``kind``
    itself does not allow.
    """
    table = require_table(plain, where)
    if kind is Algorithm:
        kind = _algorithm_class(table, where)  # type: ignore[assignment]
        table = {key: value for key, value in table.items() if key != "name"}
    hints = get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    refuse_unknown(table, names, where)
    settings = {
        name: _value(hints[name], value, f"{where}.{name}".lstrip("."))
        for name, value in table.items()
    }
    missing = [name for name in _required(kind) if name not in settings]
    if missing:
        raise ConfigError(where or "configuration", plain, f"a table with {missing[0]}")
    return kind(**settings)


def require_table(plain: object, where: str) -> dict[str, Any]:
    """``plain`` as a table with text keys, else ``ConfigError``."""
    if not isinstance(plain, dict) or not all(isinstance(key, str) for key in plain):
        raise ConfigError(where or "configuration", plain, "a table of settings")
    return plain


def refuse_unknown(table: Iterable[str], names: Iterable[str], where: str) -> None:
    """Raise ``UnknownSettingError`` for the first key that is none of ``names``."""
    known = list(names)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            suggestion = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(known)
            raise UnknownSettingError(where or "the configuration", key[:60], suggestion)


def _value(hint: Any, value: object, where: str) -> object:
    if dataclasses.is_dataclass(hint):
        return decode(hint, value, where)  # type: ignore[arg-type]
    if get_origin(hint) is Literal:
        checks.one_of(where, value, get_args(hint))
        return value
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise ConfigError(where, value, _allowed(error)) from error


def _allowed(error: msgspec.ValidationError) -> str:
    """What is allowed instead of what ``error`` was raised for."""
    if str(error).startswith("Number out of range"):
        return "a number of at most 1e308"
    return str(error).replace("Expected ", "")


def _required(kind: type) -> list[str]:
    missing = dataclasses.MISSING
    return [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is missing and field.default_factory is missing
    ]


def _algorithm_class(table: dict[str, Any], where: str) -> type[Algorithm]:
    name = table.get("name")
    if not isinstance(name, str) or name not in ALGORITHMS:
        raise ConfigError(f"{where}.name", name, "one of " + ", ".join(ALGORITHMS))
    return ALGORITHMS[name]
