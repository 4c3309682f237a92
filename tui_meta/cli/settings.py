"""Flags and configuration files to run configurations.

Flags are made from the dataclasses of ``core``: a setting or an algorithm that is added there is a
flag here. Only flags that were given override the file; ``core`` validates the result, once.
"""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict, get_type_hints

from cyclopts import Group, Parameter, Token

from core import validation
from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS
from core.config import RUN_SETTINGS, TABLES, CheckpointSettings, RunConfig
from core.errors import ConfigError, UnknownSettingError
from core.experiments.specification import (
    EXPERIMENT,
    PlannedRun,
    algorithms_of,
    run_config,
    specification_of,
)
from core.settings import help_texts, setting
from core.validation import decode, refuse_unknown, require_table

RUN = Group("Run", sort_key=1)
"""The group of the most common flags."""

NOT_SET = ("family",)
"""Fields of the tables that users cannot set."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Runs to start, and where they are stored."""

    algorithms: Annotated[tuple[str, ...], Parameter(choices=tuple(ALGORITHMS))] = setting(
        tuple(ALGORITHMS), help="Algorithms to train side by side"
    )
    out: Annotated[str, Parameter(metavar="FOLDER")] = setting(
        "checkpoints", help="Parent folder for run folders"
    )
    name: Annotated[str | None, Parameter(metavar="NAME")] = setting(
        None, help="Run name suffix: folders become fomaml-NAME, reptile-NAME (default: the time)"
    )
    pace: float | None = setting(
        None,
        help="Iterations per second of each run (default: full speed; a first run lasts 30 s)",
    )

    def __post_init__(self) -> None:
        if not self.out.isprintable():
            raise ConfigError("out", self.out, "must be the name of a folder")
        validation.pace("pace", self.pace)


@dataclass(frozen=True, kw_only=True)
class Variations:
    """What runs of an experiment differ in, as flags."""

    seeds: tuple[int, ...] = setting(
        (), help="Seeds of each run: a list, or how many, counted from --seed"
    )
    sweep: Annotated[tuple[str, ...], Parameter(metavar="SETTING=VALUES")] = setting(
        (), help="Values of a setting, as reptile.inner-lr=0.005,0.02; several form a grid"
    )


def flags(*, of_runs_only: bool = False) -> type:
    """Return a ``TypedDict`` with every setting, from which cyclopts makes the flags.

    Keys are as in errors, ``seed`` or ``fomaml.inner_lr``; flags that were not given are left out.
    Those ``of_runs_only`` do not say where and how runs are stored.
    """
    settings = flags_of(Launch, "", RUN, ("out", "name", "pace") if of_runs_only else ())
    settings |= flags_of(Variations, "", RUN)
    settings |= flags_of(RunConfig, "", RUN, leave_out=("algorithm", *TABLES))
    if not of_runs_only:
        settings |= flags_of(CheckpointSettings, "", RUN)
    for number, (table, kind) in enumerate(TABLES.items()):
        title = getattr(kind, "title", table.capitalize())
        settings |= flags_of(kind, f"{table}.", Group(title, sort_key=2 + number), NOT_SET)
    return TypedDict("SettingsFlags", settings, total=False)  # type: ignore[no-any-return,operator]


@dataclass(frozen=True)
class Configuration:
    """All settings: what to launch, its autosaves, and what each run learns.

    ``algorithms`` holds the settings of each algorithm, launched or not, and ``shared`` those of
    all runs. ``experiment`` is what a file says about seeds, a sweep, and runs of its own.
    """

    launch: Launch
    saving: CheckpointSettings
    algorithms: Mapping[str, Algorithm]
    shared: RunConfig
    experiment: Mapping[str, Any]
    runs: list[PlannedRun]


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
            field = field.replace(key, _flag(key))
    return ConfigError(field, error.value, error.requirement)


def _validated(settings: Mapping[str, Any]) -> Configuration:
    launch_names, saving_names = _names(Launch), _names(CheckpointSettings)
    known = [*launch_names, *saving_names, *RUN_SETTINGS, *TABLES, *EXPERIMENT]
    refuse_unknown(settings, known, "")
    launch = decode(Launch, _only(settings, launch_names), "")
    saving = decode(CheckpointSettings, _only(settings, saving_names), "")
    specification = specification_of(_only(settings, (*RUN_SETTINGS, *TABLES, *EXPERIMENT)))
    algorithms = algorithms_of(settings)
    first = specification.variants[0].algorithm
    shared = run_config(first, specification.settings)
    experiment = _only(settings, EXPERIMENT[1:])
    return Configuration(launch, saving, algorithms, shared, experiment, specification.expand())


def experiment_table(given: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags ``given`` over the ``file`` in the shape of a file, for an experiment."""
    return _only(_overlaid(given, file), (*RUN_SETTINGS, *TABLES, *EXPERIMENT))


def _only(settings: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: settings[name] for name in names if name in settings}


def _overlaid(given: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(file)
    for key, value in given.items():
        table, _, name = key.rpartition(".")
        if table:
            settings[table] = require_table(settings.get(table, {}), table) | {name: value}
        elif key == "sweep":
            settings[key] = require_table(settings.get(key, {}), key) | dict(map(_swept, value))
        elif key == "seeds":
            settings[key] = value[0] if len(value) == 1 else list(value)
        else:
            settings[key] = value
    return settings


def _swept(text: str) -> tuple[str, list[Any]]:
    """Return the setting and the values of ``reptile.inner-lr=0.005,0.02``.

    Values are written as in TOML; quotes can be left out.
    """
    key, equals, values = text.partition("=")
    if not equals:
        raise ConfigError("sweep", text, "must be a setting and its values, SETTING=VALUE,VALUE")
    try:
        return key.strip(), tomllib.loads(f"values = [{values}]")["values"]
    except tomllib.TOMLDecodeError:
        return key.strip(), [word.strip() for word in values.split(",")]


# Flags.


def flags_of(
    kind: type,
    prefix: str,
    group: Group,
    leave_out: tuple[str, ...] = (),
    *,
    negatable: bool = False,
) -> dict[str, Any]:
    """Return a flag for each field of the dataclass ``kind``, with its default and its help text.

    With ``negatable``, a switch has a ``--no-`` form too.
    """
    hints = get_type_hints(kind, include_extras=True)
    described = help_texts(kind)
    return {
        prefix + field.name: Annotated[
            hints[field.name],
            Parameter(
                name=_flag(prefix + field.name),
                help=described.get(field.name, ""),
                show_default=_shown(field.default),
                group=group,
                negative=None if negatable else (),
                consume_multiple=True,
                converter=whole_numbers if hints[field.name] in (int, tuple[int, ...]) else None,
            ),
        ]
        for field in dataclasses.fields(kind)
        if field.name not in leave_out
    }


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _names(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _shown(default: object) -> str | bool:
    """Return a default as a user would type it."""
    if default in (None, ()) or default is dataclasses.MISSING:
        return False
    if isinstance(default, tuple):
        return " ".join(_shown(value) or "" for value in default)  # type: ignore[misc]
    return f"{default:.6g}" if isinstance(default, float) else str(default)


def whole_numbers(kind: type, tokens: tuple[Token, ...]) -> int | tuple[int, ...]:
    """Return one whole number, or several with commas or spaces between.

    cyclopts itself would round others.
    """
    if kind is int:
        return _whole_number(tokens[0], tokens[0].value)
    return tuple(_whole_number(token, word) for token in tokens for word in token.value.split(","))


def _whole_number(token: Token, word: str) -> int:
    try:
        return int(word)
    except ValueError as error:
        raise ConfigError(token.keyword or "", word, "must be a whole number") from error
