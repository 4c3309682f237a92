"""Flags, made from the dataclasses that hold the settings.

A setting or an algorithm that is added to ``core``, and a preference, is a flag here. Help needs no
more than this: what becomes of a flag's value is in ``settings``, ``preferences``, ``protocols``.
"""

import dataclasses
from collections.abc import Collection
from typing import Annotated, Any, Literal, TypedDict, get_type_hints

from cyclopts import Group, Parameter, Token

from core.algorithms.registry import ALGORITHMS, DEFAULT_ALGORITHMS
from core.config import TABLES, CheckpointSettings, RunConfig
from core.errors import ConfigError
from core.evaluation_protocol import EvaluationProtocol, ProtocolName
from core.reproduction.protocols import PROTOCOLS
from core.settings import help_texts
from core.tasks.sine import SineTasks
from tui_meta.app.preferences import Preferences
from tui_meta.cli.launch import Experiment, Launch, flag_of

RUN = Group("Run", sort_key=1)
"""The group of the most common flags."""

DASHBOARD = Group("Dashboard", sort_key=1.7)
"""The group of the flags of the dashboard."""

PROTOCOL = Group("Protocol", sort_key=1)

NOT_SET = ("family",)
"""Fields of the tables that users cannot set."""

COMMON_TABLES = (*DEFAULT_ALGORITHMS, "network", SineTasks.table, "validation")
"""The tables that default runs use."""

WORDS = {
    "algorithms": "CHOICE...",
    "out": "FOLDER",
    "name": "NAME",
    "sweep": "SETTING=VALUES",
    "tasks": "FAMILY",
    "model": "MODEL",
}
"""Words for values that say more than their types."""

CHOICES = {"protocol": tuple(PROTOCOLS)}
"""What flags must be."""

_literal: Any = Literal
_name: Any = _literal[tuple(ALGORITHMS)] | str
HINTS: dict[str, Any] = {"algorithms": tuple[_name, ...]}
"""Types with choices for help and completion; others are allowed, and checked later."""


WHOLE = (int, tuple[int, ...], tuple[int, int])
"""Types of whole numbers."""


def flags(tables: Collection[str] = TABLES) -> type:
    """Return a ``TypedDict`` with every setting, from which cyclopts makes the flags.

    Of the tables of a configuration file it has the settings of ``tables``. Keys are as in errors,
    ``seed`` or ``fomaml.inner_lr``; flags that were not given are left out.
    """
    settings = flags_of(Launch, "", RUN)
    settings |= flags_of(Experiment, "", RUN)
    settings |= flags_of(RunConfig, "", RUN, leave_out=("algorithm", "tasks", *TABLES))
    settings |= flags_of(CheckpointSettings, "", RUN)
    for number, table in enumerate(TABLES):
        if table in tables:
            kind = TABLES[table]
            title = getattr(kind, "title", table.capitalize())
            settings |= flags_of(kind, f"{table}.", Group(title, sort_key=2 + number), NOT_SET)
    return TypedDict("SettingsFlags", settings, total=False)  # type: ignore[no-any-return,operator]


def run_flags(settings: type) -> type:
    """Return those of the flags ``settings`` that do not say where and how runs are stored."""
    fields = (*dataclasses.fields(Launch), *dataclasses.fields(CheckpointSettings))
    stored = {field.name for field in fields} - {"algorithms"}
    kept = {key: flag for key, flag in settings.__annotations__.items() if key not in stored}
    return TypedDict("RunFlags", kept, total=False)  # type: ignore[no-any-return,operator]


def dashboard_flags() -> type:
    """Return a ``TypedDict`` with each preference that is a flag; unset ones are left out."""
    flags = flags_of(Preferences, "", DASHBOARD, leave_out=("keys", "problems"), negatable=True)
    return TypedDict("DashboardFlags", flags, total=False)  # type: ignore[no-any-return,operator]


def protocol_flags() -> type:
    """Return a ``TypedDict`` with the settings of a protocol, and the name of one to begin with."""
    named = Annotated[
        ProtocolName, Parameter(help="Named protocol; other flags change it", group=PROTOCOL)
    ]
    settings = flags_of(EvaluationProtocol, "", PROTOCOL, ("query_points", "family"))
    steps = settings["steps"]
    settings["steps"] = Annotated[steps, Parameter(consume_multiple=False)]
    return TypedDict("ProtocolFlags", {"protocol": named, **settings}, total=False)  # type: ignore[no-any-return,operator]


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
            HINTS.get(prefix + field.name, hints[field.name]),
            Parameter(
                name=flag_of(prefix + field.name),
                metavar=WORDS.get(prefix + field.name),
                choices=CHOICES.get(prefix + field.name),
                help=described.get(field.name, ""),
                show_default=_shown(field.default),
                group=group,
                negative=None if negatable else (),
                consume_multiple=True,
                converter=whole_numbers if hints[field.name] in WHOLE else None,
            ),
        ]
        for field in dataclasses.fields(kind)
        if field.name not in leave_out
    }


def _shown(default: object) -> str | bool:
    """Return a default as a user would type it."""
    if default in (None, (), "") or default is dataclasses.MISSING:
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
