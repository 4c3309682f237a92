"""The task families by name: a literal table, so that nothing is imported by discovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import ConfigError
from core.tasks.family import TaskFamily
from core.tasks.harmonic import HarmonicTasks
from core.tasks.polynomials import CubicTasks, LineTasks, QuadraticTasks
from core.tasks.sine import SineTasks
from core.validation import decode, require_table

FAMILIES: dict[str, type[TaskFamily]] = {
    kind.name: kind for kind in (SineTasks, LineTasks, QuadraticTasks, CubicTasks, HarmonicTasks)
}
"""Task families by name."""

DEFAULT_FAMILY = SineTasks.name

FAMILY_TABLES: dict[str, type[TaskFamily]] = {kind.table: kind for kind in FAMILIES.values()}
"""Task families by the tables of a configuration file that hold their settings."""


def decode_family(plain: object, where: str) -> TaskFamily:
    """Return the family that the table ``plain``, found at ``where``, names and configures.

    Raises ``ConfigError`` and ``UnknownSettingError``.
    """
    table = dict(require_table(plain, where))
    return decode(family_named(table.pop("name", None), f"{where}.name"), table, where)


def family_named(name: object, where: str) -> type[TaskFamily]:
    """Return the family called ``name``, a value found at ``where``; raises ``ConfigError``."""
    if not isinstance(name, str) or name not in FAMILIES:
        raise ConfigError(where, name, "must be one of " + ", ".join(FAMILIES))
    return FAMILIES[name]


def families_of(settings: Mapping[str, Any]) -> dict[str, TaskFamily]:
    """Return all families with the settings of a configuration file, by their tables.

    Raises ``ConfigError`` and ``UnknownSettingError``.
    """
    return {
        table: decode(kind, settings.get(table, {}), table) for table, kind in FAMILY_TABLES.items()
    }


def chosen_family(settings: Mapping[str, Any]) -> TaskFamily:
    """Return the family that a configuration file chooses with ``tasks``; raises as above."""
    kind = family_named(settings.get("tasks", DEFAULT_FAMILY), "tasks")
    return families_of(settings)[kind.table]
