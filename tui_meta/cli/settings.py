"""Flags and configuration files to run configurations.

Only flags that were given override the file; ``core`` validates the result, once.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.algorithms.base import Algorithm
from core.config import RUN_SETTINGS, TABLES, CheckpointSettings, RunConfig
from core.errors import ConfigError, UnknownSettingError, UnregisteredError
from core.experiments.specification import (
    EXPERIMENT,
    PlannedRun,
    algorithms_of,
    merged,
    run_config,
    specification_of,
)
from core.extensions.loading import load_named
from core.tasks.family import TaskFamily
from core.tasks.registry import families_of
from core.validation import decode, refuse_unknown, require_table
from tui_meta.cli.config_file import read_config_file
from tui_meta.cli.launch import Launch, flag_of


@dataclass(frozen=True)
class Configuration:
    """All settings: what to launch, its autosaves, and what each run learns.

    ``shared`` are the settings of all runs. ``experiment`` is what a file says about seeds, a
    sweep, and runs of its own.
    """

    launch: Launch
    saving: CheckpointSettings
    shared: RunConfig
    experiment: Mapping[str, Any]
    runs: list[PlannedRun]


def read_settings(path: Path | None) -> dict[str, Any]:
    """Return the settings of the file at ``path``, and import what it names of the user's own.

    Not so those of a sweep's folder: no folder makes the program import code.
    """
    return load_named(read_config_file(path)) if path else {}


def configure(
    given: Mapping[str, Any], file: Mapping[str, Any], path: Path | None
) -> Configuration:
    """Return the configuration of the flags ``given`` over the ``file`` at ``path``.

    Raises ``ConfigError`` or ``UnknownSettingError``, which name the flag or the file.
    """
    try:
        return _validated(_overlaid(given, file))
    except UnknownSettingError as error:
        where = f"{path}" if error.where == "the configuration" else f"[{error.where}] of {path}"
        if error.where == "sweep" and "sweep" in given:
            where = "--sweep"
        raise UnknownSettingError(where, error.key, error.advice) from error
    except ConfigError as error:
        renamed = naming_flags(error, given)
        if path and renamed.field == error.field:
            renamed.field = f"{path}: {error.field}"
        raise renamed from error


def naming_flags(error: ConfigError, given: Iterable[str]) -> ConfigError:
    """Return ``error`` with the flags among its settings, of those ``given``, as a user types them.

    A setting may be a product, ``fomaml.tasks * fomaml.shots``.
    """
    field = error.field
    if field.startswith("sweep.") and "sweep" in given:
        field = f"--sweep {field.removeprefix('sweep.').replace('_', '-')}"
    for key in [factor.split(" ")[0] for factor in field.split(" * ")]:
        if key in given:
            field = field.replace(key, flag_of(key))
    if field != error.field or not isinstance(error, UnregisteredError):
        return ConfigError(field, error.value, error.requirement)
    return UnregisteredError(field, error.value, error.requirement)


def _validated(settings: Mapping[str, Any]) -> Configuration:
    launch_names, saving_names = _names(Launch), _names(CheckpointSettings)
    known = [*launch_names, *saving_names, *RUN_SETTINGS, *TABLES, *EXPERIMENT]
    refuse_unknown(settings, known, "")
    launch = decode(Launch, _only(settings, launch_names), "")
    saving = decode(CheckpointSettings, _only(settings, saving_names), "")
    specification = specification_of(_only(settings, (*RUN_SETTINGS, *TABLES, *EXPERIMENT)))
    first = specification.variants[0].algorithm
    shared = run_config(first, specification.settings)
    experiment = _only(settings, EXPERIMENT[1:])
    return Configuration(launch, saving, shared, experiment, specification.expand())


def every_table(
    given: Mapping[str, Any], file: Mapping[str, Any]
) -> dict[str, Algorithm | TaskFamily]:
    """Return all algorithms and task families with the settings of ``given`` over the ``file``.

    Those that no run uses are among them. Raises as ``configure`` does.
    """
    settings = _overlaid(given, file)
    return algorithms_of(settings) | families_of(settings)


def experiment_table(given: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags ``given`` over the ``file`` in the shape of a file, for an experiment."""
    return _only(_overlaid(given, file), (*RUN_SETTINGS, *TABLES, *EXPERIMENT))


def _only(settings: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: settings[name] for name in names if name in settings}


def _overlaid(given: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    settings = _with_defaults(given.get("protocol", file.get("protocol")), file)
    for key, value in load_named(given).items():
        table, _, name = key.rpartition(".")
        if key == "protocol":
            continue
        if table:
            settings[table] = require_table(settings.get(table, {}), table) | {name: value}
        elif key == "sweep":
            settings[key] = require_table(settings.get(key, {}), key) | load_named(
                dict(map(_swept, value))
            )
        elif key == "seeds":
            settings[key] = value[0] if len(value) == 1 else list(value)
        else:
            settings[key] = value
    return settings


def _with_defaults(protocol: object, file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a ``file`` over those of the ``protocol``, if there is one."""
    if protocol is None:
        return dict(file)
    from core.reproduction.protocols import named  # late: few runs have one

    defaults = dict(named(protocol).defaults)
    if "runs" in file:
        del defaults["algorithms"]
    return merged(defaults, {key: value for key, value in file.items() if key != "protocol"})


def _swept(text: str) -> tuple[str, list[Any]]:
    """Return the setting and the values of ``reptile.inner-lr=0.005,0.02``.

    Values are written as in TOML; quotes can be left out.
    """
    key, equals, values = text.partition("=")
    if not equals:
        raise ConfigError("sweep", text, "must be a setting and its values, SETTING=VALUE,VALUE")
    import tomllib

    try:
        return key.strip(), tomllib.loads(f"values = [{values}]")["values"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return key.strip(), [word.strip() for word in values.split(",")]


def _names(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]
