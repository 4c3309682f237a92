"""The settings that differ among the runs of a list, as columns."""

from collections.abc import Iterable, Mapping, Sequence

from core.storage.run_index import RunSummary
from core.tasks.registry import DEFAULT_FAMILY
from tui_meta.views.runs.report import flattened_table

Settings = Mapping[str, str]
"""The settings of a run in words, by the names of their columns."""

WORDS = ("algorithm", "activation", "outer_optimizer", "schedule", "engine", "device", "precision")
"""Columns that are aligned to the left, as words are."""

_SHOWN_ELSEWHERE = {"iterations"}
"""The column of the progress has the last iteration."""

_PREFIXES = ("algorithm.", "network.")
"""Tables whose settings are known by their own names; others, as of validation, keep theirs."""


def settings_of(entry: RunSummary) -> Settings:
    """Return the settings of a run in their order; none if they are unknown."""
    if not entry.config:
        return {}
    table = flattened_table(entry.config, "algorithm")
    table.setdefault("tasks.name", DEFAULT_FAMILY)
    return {
        _column(name): _words(value)
        for name, value in table.items()
        if name not in _SHOWN_ELSEWHERE
    }


def in_order(names: Iterable[str], runs: Iterable[Settings]) -> list[str]:
    """Return those of ``names`` that are settings of the runs, in the order of the settings."""
    wanted = set(names)
    return [name for name in {name: 0 for run in runs for name in run} if name in wanted]


def differing(runs: Sequence[Settings]) -> list[str]:
    """Return the settings that have several values among ``runs``, the most telling first.

    These are the ones that differ between runs of one algorithm; others go with the algorithm. A
    setting that only some runs have is compared among those.
    """
    values: dict[str, dict[str, set[str]]] = {}
    for run in runs:
        for name, value in run.items():
            of_algorithm = values.setdefault(name, {})
            of_algorithm.setdefault(run.get("algorithm", ""), set()).add(value)
    within = [name for name, found in values.items() if any(len(one) > 1 for one in found.values())]
    across = [name for name, found in values.items() if len(set().union(*found.values())) > 1]
    return list(dict.fromkeys((*within, *across)))


def _words(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "-" if value is None else str(value).replace(" ", "-")


def _column(name: str) -> str:
    if name == "tasks.name":
        return "family"
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name
