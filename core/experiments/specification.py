"""What an experiment trains: runs, swept settings and seeds, expanded into run configurations."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import msgspec

from core import validation
from core.algorithms.base import Algorithm
from core.algorithms.registry import ALGORITHMS, DEFAULT_ALGORITHMS
from core.config import RUN_SETTINGS, TABLES, RunConfig
from core.errors import ConfigError
from core.tasks.registry import FAMILY_TABLES, chosen_family
from core.validation import decode, refuse_unknown, require_table

MOST_RUNS = 10_000
"""Bound on the runs of an experiment."""


def shared_settings() -> list[str]:
    """Return the settings that do not depend on the algorithm, tables among them."""
    return [*(name for name in TABLES if name not in ALGORITHMS), *RUN_SETTINGS]


def swept_settings() -> list[str]:
    """Return the settings that can be swept; seeds are apart."""
    tables = [(table, field.name) for table, kind in TABLES.items() for field in fields(kind)]
    return [
        *(name for name in RUN_SETTINGS if name != "seed"),
        *(f"{table}.{name}" for table, name in tables),
    ]


EXPERIMENT = ("algorithms", "runs", "sweep", "seeds")
"""What a configuration file holds about an experiment, besides the settings of a run."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A run to train with all seeds: its algorithm, and the settings that only it has.

    ``settings`` has the shape of a configuration file.
    """

    name: str
    algorithm: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One run of an experiment; runs of a ``group`` differ in nothing but their seed.

    ``varied`` are its algorithm and its values of the settings that are swept.
    """

    name: str
    group: str
    varied: Mapping[str, Any]
    config: RunConfig

    @cached_property
    def digest(self) -> str:
        """Identifies the configuration: equal ones give equal results."""
        import hashlib  # late: it loads OpenSSL

        plain = msgspec.json.encode(self.config.to_dict(), order="deterministic")
        return hashlib.sha256(plain).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Specification:
    """An experiment: each of ``variants``, with each value of the ``sweep``, with each seed.

    ``settings`` are shared, in the shape of a configuration file. A swept setting of an algorithm
    concerns only its runs, and a run's own setting is not swept; several swept settings form a
    grid. Without ``seeds`` each run has the shared seed, and its name does not contain it.
    """

    variants: tuple[Variant, ...]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sweep: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)
    seeds: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        """The number of runs, which may be more than ``len`` could return."""
        sizes = [math.prod(map(len, self._swept(one).values())) for one in self.variants]
        return sum(sizes) * len(self.seeds or (0,))

    def expand(self) -> list[PlannedRun]:
        """Return all runs, those of a group side by side; a pure function.

        Raises ``ConfigError`` and ``UnknownSettingError``.
        """
        validation.count("runs", self.size, high=MOST_RUNS)
        runs = [run for variant in self.variants for run in self._runs_of(variant)]
        _refuse_equal(runs)
        return runs

    def _swept(self, variant: Variant) -> dict[str, tuple[Any, ...]]:
        """Return the swept settings that concern ``variant``, sorted by name."""
        own = flat_settings(variant.settings, "runs")
        others = ALGORITHMS.keys() - {variant.algorithm}
        return {
            key: values
            for key, values in sorted(self.sweep.items())
            if key not in own and key.split(".")[0] not in others
        }

    def _runs_of(self, variant: Variant) -> Iterator[PlannedRun]:
        swept = self._swept(variant)
        shared = merged(self.settings, variant.settings)
        variant_own = flat_settings(variant.settings, "runs")
        for values in itertools.product(*swept.values()):
            varied = dict(zip(swept, values, strict=True))
            with _naming(varied, "sweep"), _naming(variant_own, f"runs {variant.name}"):
                config = run_config(variant.algorithm, merged(shared, nested_settings(varied)))
            own = f"{variant.algorithm}."
            labels = [f"{key.removeprefix(own)}={_shown(one)}" for key, one in varied.items()]
            group = " ".join([variant.name, *labels])
            for seed in self.seeds or (config.seed,):
                name = group if self.seeds is None else f"{group} s{seed}"
                yield PlannedRun(
                    name=re.sub(r"[^\w.]+", "-", name).strip("-"),
                    group=group,
                    varied={"algorithm": variant.algorithm, **varied},
                    config=dataclasses.replace(config, seed=seed),
                )


def specification_of(table: Mapping[str, Any]) -> Specification:
    """Read an experiment from plain values in the shape of a configuration file.

    ``algorithms`` lists names, or ``runs`` tables with a ``name``, an ``algorithm`` and settings;
    ``sweep`` has a list of values for each setting; ``seeds`` is a list, or how many, from the
    shared ``seed`` on. All else are settings. Raises ``ConfigError`` and ``UnknownSettingError``.
    """
    validation.shallow(table)
    settings = {key: value for key, value in table.items() if key not in EXPERIMENT}
    variants = _variants(table)
    shared = run_config(variants[0].algorithm, settings)
    sweep = _sweep(table.get("sweep", {}), variants)
    seeds = table.get("seeds")
    return Specification(
        variants=variants,
        settings=settings,
        sweep=sweep,
        seeds=None if seeds is None else _seeds(seeds, shared.seed),
    )


def run_config(algorithm: str, settings: Mapping[str, Any]) -> RunConfig:
    """Return the configuration of a run of ``algorithm`` from those of a configuration file.

    The tables of other algorithms are checked too. Raises ``ConfigError`` and
    ``UnknownSettingError``.
    """
    refuse_unknown(settings, [*shared_settings(), *ALGORITHMS], "")
    shared = {name: settings[name] for name in shared_settings() if name in settings}
    for table in FAMILY_TABLES:
        shared.pop(table, None)
    algorithms = {
        name: decode(ALGORITHMS[name], settings.get(name, {}), name)
        for name in ALGORITHMS
        if name == algorithm or name in settings
    }
    shared |= {"algorithm": algorithms[algorithm], "tasks": chosen_family(settings)}
    return decode(RunConfig, shared, "")


def algorithms_of(settings: Mapping[str, Any]) -> dict[str, Algorithm]:
    """Return all algorithms with their settings; raises as ``run_config`` does."""
    return {name: decode(kind, settings.get(name, {}), name) for name, kind in ALGORITHMS.items()}


@contextmanager
def _naming(settings: Collection[str], where: str) -> Iterator[None]:
    """Add ``where`` to the name of an invalid setting that is one of ``settings``."""
    try:
        yield
    except ConfigError as error:
        if error.field in settings:
            error.field = f"{where}.{error.field}"
        raise


def _variants(table: Mapping[str, Any]) -> tuple[Variant, ...]:
    listed = table.get("runs")
    if listed is None:
        chosen = table.get("algorithms", [*DEFAULT_ALGORITHMS])
        algorithms = decode(_Algorithms, {"algorithms": chosen}, "").algorithms
        return tuple(Variant(name=one, algorithm=one) for one in algorithms)
    if "algorithms" in table:
        raise ConfigError("algorithms", table["algorithms"], "must be left out beside [[runs]]")
    if not isinstance(listed, (list, tuple)) or not listed:
        raise ConfigError("runs", listed, "must be a list of tables, [[runs]]")
    variants = [_variant(one, f"runs[{number}]") for number, one in enumerate(listed, 1)]
    names = [one.name for one in variants]
    for number, name in enumerate(names, 1):
        if names.index(name) != number - 1:
            raise ConfigError(f"runs[{number}].name", name, "must be another name")
    return tuple(variants)


@dataclass(frozen=True, kw_only=True)
class _Algorithms:
    algorithms: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.algorithms:
            validation.known("algorithms", name, ALGORITHMS)
        if not self.algorithms or len(set(self.algorithms)) != len(self.algorithms):
            raise ConfigError("algorithms", self.algorithms, "must be at least one, each once")


def _variant(plain: object, where: str) -> Variant:
    table = dict(require_table(plain, where))
    algorithm = table.pop("algorithm", None)
    validation.known(f"{where}.algorithm", algorithm, ALGORITHMS)
    name = table.pop("name", algorithm)
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]{0,39}", name):
        requirement = "must be letters, digits, '.', '_' and '-', at most 40"
        raise ConfigError(f"{where}.name", name, requirement)
    refuse_unknown(table, [*shared_settings(), algorithm], where)
    return Variant(name=name, algorithm=algorithm, settings=table)


def _sweep(plain: object, variants: Sequence[Variant]) -> dict[str, tuple[Any, ...]]:
    sweep = {key.replace("-", "_"): values for key, values in flat_settings(plain, "sweep").items()}
    if sweep:
        refuse_unknown(sweep, swept_settings(), "sweep")
    present = {one.algorithm for one in variants}
    for key, values in sweep.items():
        where = f"sweep.{key}"
        if key.split(".")[0] in ALGORITHMS.keys() - present:
            raise ConfigError(where, values, "must be a setting of an algorithm that is trained")
        if not isinstance(values, (list, tuple)) or not values or _repeated(values):
            requirement = f"must be a list of at most {MOST_RUNS:,} values, each once"
            raise ConfigError(where, values, requirement)
    return {key: tuple(values) for key, values in sweep.items()}


def _seeds(plain: object, first: int) -> tuple[int, ...]:
    """Return the seeds of a list, or so many from ``first`` on."""
    if isinstance(plain, (list, tuple)):
        for seed in plain:
            validation.seed("seeds", seed)
        if not plain or _repeated(plain):
            raise ConfigError("seeds", plain, f"must be 1 to {MOST_RUNS:,}, each once")
        return tuple(plain)
    validation.count("seeds", plain, high=MOST_RUNS)  # type: ignore[arg-type]
    assert isinstance(plain, int)
    return tuple(range(first, first + plain))


def _repeated(values: Sequence[object]) -> bool:
    """Return True if a value occurs twice, or there are more than an experiment can have."""
    if len(values) > MOST_RUNS:
        return True
    return any(one in values[:at] for at, one in enumerate(values))


def flat_settings(table: object, where: str) -> dict[str, Any]:
    """Return the values of nested tables by their dotted names."""
    flat: dict[str, Any] = {}
    for key, value in require_table(table, where).items():
        if isinstance(value, dict):
            flat |= {
                f"{key}.{name}": one for name, one in flat_settings(value, f"{where}.{key}").items()
            }
        else:
            flat[key] = value
    return flat


def nested_settings(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables of the values that have dotted names; settings have at most one dot."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        table, _, name = key.rpartition(".")
        nested = merged(nested, {table: {name: value}} if table else {name: value})
    return nested


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the settings of ``over``, table by table."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = {**below, **value} if both else value  # type: ignore[dict-item]
    return result


def _refuse_equal(runs: Sequence[PlannedRun]) -> None:
    """Require that groups differ in their settings, and runs in their names."""
    groups, names = dict[RunConfig, str](), dict[str, str]()
    for run in runs:
        settings = dataclasses.replace(run.config, seed=0)
        for other in (
            groups.setdefault(settings, run.group),
            names.setdefault(run.name, run.group),
        ):
            if other != run.group:
                problem = f"must have other settings and another name than {other!r}"
                raise ConfigError("runs", run.group, problem)


def _shown(value: object) -> str:
    """Return a value as it appears in the name of a group."""
    return ",".join(map(_shown, value)) if isinstance(value, (list, tuple)) else str(value)
