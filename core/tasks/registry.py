"""The task families by name: a literal table, so that nothing is imported by discovery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import UnregisteredError
from core.registry import Registry
from core.tasks.family import TaskFamily
from core.tasks.sine import SineTasks
from core.validation import decode, refuse_unknown, require_table

_OTHERS = {
    "line": "core.tasks.polynomials:LineTasks",
    "quadratic": "core.tasks.polynomials:QuadraticTasks",
    "cubic": "core.tasks.polynomials:CubicTasks",
    "polynomial": "core.tasks.polynomials:PolynomialTasks",
    "harmonic": "core.tasks.harmonic:HarmonicTasks",
    "surface": "core.tasks.surfaces:SurfaceTasks",
    "ripple": "core.tasks.surfaces:RippleTasks",
}

FAMILIES = Registry[TaskFamily]({SineTasks.name: SineTasks, **_OTHERS})
"""Task families by name."""

DEFAULT_FAMILY = SineTasks.name

FAMILY_TABLES = Registry[TaskFamily]({SineTasks.table: SineTasks, **_OTHERS})
"""Task families by the tables of a configuration file that hold their settings."""


def decode_family(plain: object, where: str) -> TaskFamily:
    """Return the family that the table ``plain``, found at ``where``, names and configures.

    Raises ``ConfigError``, also ``UnregisteredError``, and ``UnknownSettingError``.
    """
    table = dict(require_table(plain, where))
    name = table.pop("name", None)
    if not set(_names(name)) <= FAMILIES.keys():
        raise UnregisteredError(f"{where}.name", name)
    kinds = kinds_named(name, f"{where}.name")
    if len(kinds) == 1:
        return decode(kinds[0], table, where)
    refuse_unknown(table, [kind.table for kind in kinds], where)
    return _mixed(
        decode(kind, table.get(kind.table, {}), f"{where}.{kind.table}") for kind in kinds
    )


def family_table(family: TaskFamily, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``decode_family`` reads, where ``plain`` has the values of all fields."""
    from core.tasks.mixture import MixtureTasks  # late: few runs have one

    if not isinstance(family, MixtureTasks):
        return {"name": family.name, **plain}
    tables = (one.table for one in family.families)
    return {"name": family.name, **dict(zip(tables, plain["families"], strict=True))}


def kinds_named(name: object, where: str) -> tuple[type[TaskFamily], ...]:
    """Return the families of a ``name`` found at ``where``; raises ``ConfigError``.

    Those of a mixture have ``+`` between them.
    """
    names = _names(name)
    if not set(names) <= FAMILIES.keys():
        several = "FILE.py:NAME, or several with + between them"
        raise UnregisteredError(where, name, f"must be one of {', '.join(FAMILIES)}, {several}")
    return tuple(FAMILIES[one] for one in names)


def _names(name: object) -> list[str]:
    return name.split("+") if isinstance(name, str) else [""]


def families_of(settings: Mapping[str, Any]) -> dict[str, TaskFamily]:
    """Return all families with the settings of a configuration file, by their tables.

    Raises ``ConfigError`` and ``UnknownSettingError``.
    """
    return {
        table: decode(kind, settings.get(table, {}), table) for table, kind in FAMILY_TABLES.items()
    }


def chosen_family(settings: Mapping[str, Any]) -> TaskFamily:
    """Return the family that a configuration file chooses with ``tasks``.

    The tables of the others that it has are checked too; raises as above.
    """
    families = {
        table: decode(FAMILY_TABLES[table], settings[table], table)
        for table in FAMILY_TABLES
        if table in settings
    }
    return _mixed(
        families.get(kind.table) or decode(kind, {}, kind.table)
        for kind in kinds_named(settings.get("tasks", DEFAULT_FAMILY), "tasks")
    )


def _mixed(families: Iterable[TaskFamily]) -> TaskFamily:
    """Return the only family, or a mixture of several."""
    first, *others = families
    if not others:
        return first
    from core.tasks.mixture import MixtureTasks

    return MixtureTasks(families=(first, *others))
