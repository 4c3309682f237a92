"""A run to be added beside another one: its settings as typed, what is wrong, and what differs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from core.algorithms.registry import ALGORITHMS
from core.config import RUN_SETTINGS, TABLES, RunConfig
from core.errors import ConfigError, RunFolderError, UnregisteredError
from core.events import Snapshot
from core.experiments.specification import flat_settings, nested_settings, run_config
from core.session.run_requests import AddRequest
from core.settings import help_texts
from core.storage.paths import require_run_name
from core.tasks.registry import DEFAULT_FAMILY, FAMILIES, kinds_named
from core.validation import one_of, refuse_unknown

NAME, ALGORITHM, TASKS, SEED = "name", "algorithm", "tasks", "seed"

NO_VALUE = "none"
"""A setting without a value, in words."""

EMPTY = "empty"
"""A text without a character, where a value is needed."""


@dataclass(frozen=True)
class RunSetting:
    """A setting that can be typed: ``table`` is empty for those of the run itself."""

    table: str
    field: str
    help: str
    type: Any

    @property
    def key(self) -> str:
        """The name as in errors: ``reptile.inner_lr``."""
        return f"{self.table}.{self.field}".lstrip(".")

    @property
    def label(self) -> str:
        """The name as on the command line, without its table: ``inner-lr``."""
        return self.field.replace("_", "-")

    @property
    def choices(self) -> Sequence[str]:
        """The values of a setting that has a fixed set of them."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    def read(self, text: str) -> object:
        """Return the value of ``text``, or the text itself, which the check then refuses."""
        return _read(self.type, text.strip())


@cache
def run_settings(algorithm: str) -> Sequence[RunSetting]:
    """Return the settings of a run of ``algorithm``: those of a configuration file."""
    tables: dict[str, type] = {"": RunConfig, algorithm: ALGORITHMS[algorithm]}
    tables |= {table: kind for table, kind in TABLES.items() if table not in ALGORITHMS}
    of_choice: Any = Literal
    family = RunSetting("", TASKS, "Task family, each with settings", of_choice[tuple(FAMILIES)])
    return [family] + [
        RunSetting(table, name, help, types[name])
        for table, kind in tables.items()
        for types in [get_type_hints(kind)]
        for name, help in help_texts(kind).items()
        if table or name in RUN_SETTINGS
    ]


@dataclass(frozen=True)
class NewRun:
    """A run with the settings of ``beside``, but for its ``algorithm`` and what was ``typed``.

    ``typed`` has texts, valid or not, by the keys of settings. Another algorithm or task family
    has its default settings, and the seed is the next one that none of the ``present`` runs has
    with these settings. The folder of the run will be in ``out``, named after the algorithm and
    ``name``, by default the time.
    """

    beside: Snapshot
    present: Sequence[Snapshot]
    out: Path
    algorithm: str
    name: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Sequence[RunSetting]:
        """The settings of the algorithm, and those of all runs."""
        return [one for one in run_settings(self.algorithm) if one.key in self._given]

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The names of the settings by their keys; the second of a name has its table too."""
        first = {one.label: one for one in reversed(self.settings)}
        return {
            one.key: one.label if first[one.label] is one else one.key.replace("_", "-")
            for one in self.settings
        }

    def check(self) -> None:
        """Raise ``LabError`` if the run beside it has settings or code that only others know."""
        if self.algorithm not in ALGORITHMS:
            raise UnregisteredError(ALGORITHM, self.algorithm)
        self._config({})

    # Values.

    def text(self, key: str) -> str:
        """Return the value of a setting as text."""
        if key in (NAME, ALGORITHM):
            return self.name if key == NAME else self.algorithm
        if key in self.typed:
            return self.typed[key]
        return str(self._free_seed) if key == SEED else _text(self._given[key])

    def words(self, key: str) -> str:
        """Return the value of a setting as text, or what an empty text means."""
        return self.text(key) or (EMPTY if key in self.problems else NO_VALUE)

    @cached_property
    def _free_seed(self) -> int:
        seed: int = self.beside.config[SEED]
        try:
            config = self._config(self._texts(but=(SEED,))).to_dict(complete=True)
        except ConfigError:
            return seed
        taken = {run.config[SEED] for run in self.present if {**run.config, SEED: seed} == config}
        return next(free for free in itertools.count(seed) if free not in taken)

    def _texts(self, but: Collection[str] = ()) -> Mapping[str, str]:
        """Return what was typed for settings of this algorithm."""
        keys = [one.key for one in self.settings if one.key in self.typed]
        return {key: self.typed[key] for key in keys if key not in but}

    @cached_property
    def _given(self) -> Mapping[str, Any]:
        """The settings without what was typed."""
        given = _with_family(self.beside.config)
        own = given.pop(ALGORITHM)
        if own[NAME] != self.algorithm:
            own = run_config(self.algorithm, {}).to_dict(complete=True)[ALGORITHM]
        given[self.algorithm] = {key: value for key, value in own.items() if key != NAME}
        family = self.typed.get(TASKS, given[TASKS])
        if family != given[TASKS]:
            for kind in kinds_named(given[TASKS], TASKS):
                del given[kind.table]
            default = run_config(self.algorithm, {TASKS: family}).to_dict(complete=True)
            other = _with_family(default)
            tables = (kind.table for kind in kinds_named(family, TASKS))
            given |= {TASKS: family, **{table: other[table] for table in tables}}
        return flat_settings(given, "")

    def with_text(self, key: str, text: str) -> NewRun:
        """Return the run with another text; raises ``ConfigError`` where it must be a choice."""
        if key == NAME:
            return replace(self, name=text)
        if key == ALGORITHM:
            one_of(ALGORITHM, text, ALGORITHMS)
            return replace(self, algorithm=text)
        if key == TASKS:
            kinds_named(text, TASKS)
        typed = {other: value for other, value in self.typed.items() if other != key}
        untyped = replace(self, typed=typed)
        if key != SEED and text == _text(untyped._given[key]):
            return untyped
        return replace(self, typed={**typed, key: text})

    def with_words(self, words: Iterable[str]) -> NewRun:
        """Return the run with settings such as ``reptile.inner-lr=0.02`` or ``name=mine``.

        Raises ``ConfigError`` and ``UnknownSettingError``.
        """
        given = {}
        for word in words:
            key, equals, text = word.partition("=")
            if not equals:
                raise ConfigError("add", word, "must be a setting and its value, SETTING=VALUE")
            given[key.replace("-", "_")] = text
        new = self
        for key in (ALGORITHM, TASKS):  # first, for they decide on the others
            if key in given:
                new = new.with_text(key, given.pop(key))
        refuse_unknown(given, [NAME, ALGORITHM, *(one.key for one in new.settings)], "")
        for key, text in given.items():
            new = new.with_text(key, text)
        return new

    @property
    def request(self) -> AddRequest:
        """The request to the session; raises ``ConfigError``."""
        config = self._config({SEED: self.text(SEED), **self._texts()})
        return AddRequest(config=config.to_dict(), beside=self.beside.run, name=self.name)

    def _config(self, typed: Mapping[str, str]) -> RunConfig:
        """Return the configuration with these texts; raises ``ConfigError``."""
        read = {one.key: one.read(typed[one.key]) for one in self.settings if one.key in typed}
        return run_config(self.algorithm, nested_settings({**self._given, **read}))

    # What is wrong.

    @cached_property
    def problems(self) -> Mapping[str, str]:
        """What is wrong with settings, by their keys, as if each were the only one refused."""
        problem = self._problem_of_name()
        found = {NAME: problem} if problem else {}
        typed = self._texts()
        while error := self._refusal(typed):
            placed = _placed(error, typed)
            found |= placed
            if not placed.keys() & typed.keys():
                break
            typed = {key: text for key, text in typed.items() if key not in placed}
        return found

    def requirement(self, setting: RunSetting) -> str:
        """Return what a value must be, as its refusal says: only the checks know the bounds."""
        valid = self._texts(but=(*self.problems, setting.key))
        error = self._refusal({**valid, setting.key: _refused_text(setting.type)})
        return error.requirement if error else ""

    def _refusal(self, typed: Mapping[str, str]) -> ConfigError | None:
        try:
            self._config(typed)
        except ConfigError as error:
            return error
        return None

    def _problem_of_name(self) -> str:
        if not self.name:
            return ""
        try:
            require_run_name(self.out, f"{self.algorithm}-{self.name}")
        except RunFolderError as error:
            return f"{error.problem}; {error.advice}"
        if not self._exists(self.name):
            return ""
        others = (f"{self.name}-{number}" for number in itertools.count(2))
        free = next(name for name in others if not self._exists(name))
        return f"this run exists already; {free} is free"

    def _exists(self, name: str) -> bool:
        return os.path.exists(self.out / f"{self.algorithm}-{name}")  # False if it cannot be known

    # What differs.

    @cached_property
    def differences(self) -> Mapping[str, tuple[str, str]]:
        """What differs from ``beside``, among the settings that it has too: its value, the other.

        Keys are those of settings.
        """
        before = flat_settings(_with_family(self.beside.config), "")
        found = {ALGORITHM: (self.beside.algorithm, self.algorithm)}
        for one in self.settings:
            is_own = one.table == self.algorithm
            key = f"{ALGORITHM}.{one.field}" if is_own else one.key
            if key in before:
                found[one.key] = _text(before[key]), self.text(one.key)
        return {key: (old, new) for key, (old, new) in found.items() if old != new}

    @property
    def difference_words(self) -> str:
        """What differs, in words: ``seed 1 instead of 0; inner-lr 0.02 instead of 0.01``."""
        labels = {key: f"{label} " for key, label in self.labels.items()}
        words = [
            f"{labels.get(key, '')}{self.words(key)} instead of {old or NO_VALUE}"
            for key, (old, _) in self.differences.items()
        ]
        return "; ".join(words) or "same settings and seed: it will learn the same"


def _with_family(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose task family is named, with its settings in their table."""
    family = dict(config.get(TASKS, {}))
    name = family.pop(NAME, DEFAULT_FAMILY)
    named = {**config, TASKS: name}
    if name == DEFAULT_FAMILY:
        return named
    kinds = kinds_named(name, TASKS)
    return {**named, **({kinds[0].table: family} if len(kinds) == 1 else family)}


def _placed(error: ConfigError, typed: Collection[str]) -> Mapping[str, str]:
    """Return a refusal by the settings that it names, those that were typed if there are any."""
    named = [factor.partition(" ")[0] for factor in error.field.split(" * ")]
    words = error.statement if len(named) > 1 else error.statement.removeprefix(f"{error.field}: ")
    if error.value == "":
        words = f"{error.requirement}; it is {EMPTY}"
    return dict.fromkeys([key for key in named if key in typed] or named, words)


def _text(value: object) -> str:
    """Return a value as it is typed."""
    if value is None:
        return ""
    return ", ".join(map(_text, value)) if isinstance(value, (list, tuple)) else str(value)


def _read(kind: Any, text: str) -> object:
    kinds = get_args(kind)
    if NoneType in kinds:
        return _read(kinds[0], text) if text else None
    if get_origin(kind) is tuple:
        return [_read(kinds[0], word) for word in text.strip("[]").replace(",", " ").split()]
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError:
        return text


def _refused_text(kind: Any) -> str:
    """Return a value of this type that no setting allows, as it is typed."""
    kinds = get_args(kind)
    if NoneType in kinds:
        return _refused_text(kinds[0])
    if get_origin(kind) is tuple:
        return " ".join([_refused_text(kinds[0])] * (1 if Ellipsis in kinds else len(kinds)))
    return {int: "-1", float: "nan"}.get(kind, "?")
