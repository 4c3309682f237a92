"""The groups of a sweep in words, on the screen as in the tables that commands print."""

from collections.abc import Iterable, Sequence
from typing import Any

from core.events import Validated
from core.experiments.summary import GroupSummary, best_of
from tui_meta.views.numbers import seeds_mean, whole


def setting_words(value: object) -> str:
    """Return the value of a setting, or nothing for that of a group without it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(setting_words, value))
    return "" if value is None else str(value)


def swept(groups: Iterable[GroupSummary]) -> list[str]:
    """Return the settings that distinguish the groups, the algorithm first."""
    return list(dict.fromkeys(key for one in groups for key in one.varied))


def names_beside_algorithms(groups: Sequence[GroupSummary]) -> list[str]:
    """Return the name of each group's runs; nothing if these are the algorithms."""
    names = [one.group.split(" ")[0] for one in groups]
    algorithms: list[Any] = [one.varied.get("algorithm") for one in groups]
    return [] if names == list(map(str, algorithms)) else names


def difference_words(group: GroupSummary) -> str:
    """Return how much more the loss is than that of the best group; a star excludes 0."""
    if group.difference is None:
        return ""
    mark = " *" if group.difference.is_significant else "  "
    return seeds_mean(group.difference.interval) + mark


def troubles(group: GroupSummary) -> str:
    """Return how many runs diverged or failed, and on how many tasks those that finished did."""
    counts = {state: group.count(state) for state in ("diverged", "failed")}
    runs = [f"{whole(count)} {state}" for state, count in counts.items() if count]
    return ", ".join([*runs, *filter(None, [group_diverged_tasks(group)])])


def group_diverged_tasks(group: GroupSummary) -> str:
    """Return the same as ``diverged_tasks``, of all runs that are part of the mean."""
    return diverged_tasks(one.last for one in group.results if one.validation)


def diverged_tasks(validated: Iterable[Validated | None]) -> str:
    """Return on how many validation tasks adaptation diverged; nothing if it did on none.

    A single one decides on a mean.
    """
    known = [one for one in validated if one]
    count, tasks = sum(one.diverged[-1] for one in known), sum(len(one.losses) for one in known)
    return f"{whole(count)} of {whole(tasks)} tasks diverged" if count else ""


def footnotes(groups: Sequence[GroupSummary]) -> list[str]:
    """Return what the numbers of a table of groups mean."""
    lines = []
    if any(one.validation and one.validation.n > 1 for one in groups):
        lines.append("validation: mean loss after the last step, ± 95% interval over seeds")
    compared = [one.difference for one in groups if one.difference]
    if compared:
        best, level = compared[0].best, compared[0].interval.level
        several = f"{whole(len(compared))} comparisons, each at {100 * level:.4g}%"
        line = f"more than the best ({best}): seed by seed, on the same tasks; * excludes 0"
        lines.append(f"{line}; {several}" if len(compared) > 1 else line)
    elif best_of(groups) is None and any(one.validation for one in groups):
        lines.append("no comparison: the groups are validated in different ways")
    if not all(one.is_of_one_kind for one in groups):
        lines.append("runs of a group were computed by different engines, versions or processors")
        lines[-1] += ": the last digits depend on that"
    return lines
