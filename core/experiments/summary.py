"""Groups of runs that differ in their seed alone: means, intervals over seeds, differences."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.evaluation.seed_interval import SeedInterval, seed_differences
from core.experiments.results import RunResult
from core.experiments.specification import PlannedRun


@dataclass(frozen=True)
class Difference:
    """How much higher the validation loss of a group is than that of the best, seed by seed.

    Both were trained with each of the seeds and validated on the same tasks. ``interval`` has the
    level at which all differences of a table hold together with 95 % (Bonferroni).
    """

    best: str
    interval: SeedInterval

    @property
    def is_significant(self) -> bool:
        """True if the interval excludes 0."""
        return self.interval.low > 0 or self.interval.high < 0


@dataclass(frozen=True)
class GroupSummary:
    """The runs of a group: how many were ``planned``, and the ``results`` that there are.

    Losses of groups with the same ``validated_on`` compare. ``validation`` is the mean of the last
    validations over the seeds that finished, None where none did. ``difference`` is None for the
    best group, and where nothing can be compared.
    """

    group: str
    varied: Mapping[str, Any]
    planned: int
    validated_on: object
    results: Sequence[RunResult] = field(default=(), repr=False)
    validation: SeedInterval | None = None
    difference: Difference | None = None

    @classmethod
    def of(
        cls,
        group: str,
        varied: Mapping[str, Any],
        planned: int,
        validated_on: object,
        results: Sequence[RunResult],
    ) -> GroupSummary:
        """Return a group with the mean over its seeds, and without a difference."""
        values = list(_by_seed(results).values())
        validation = SeedInterval.of(values) if values else None
        return cls(group, varied, planned, validated_on, results, validation)

    @property
    def is_of_one_kind(self) -> bool:
        """True if all runs were computed in one way, so that their bits do not depend on where."""
        return len({(one.engine, one.sample) for one in self.results if one.sample}) < 2

    def count(self, state: str) -> int:
        """Return how many of the runs ended so."""
        return sum(result.state == state for result in self.results)


def summarize(runs: Iterable[PlannedRun], results: Mapping[str, RunResult]) -> list[GroupSummary]:
    """Return the groups of ``runs`` in their order; ``results`` are by digest."""
    members: dict[str, list[PlannedRun]] = {}
    for run in runs:
        members.setdefault(run.group, []).append(run)
    return compared([_group(name, planned, results) for name, planned in members.items()])


def compared(groups: Sequence[GroupSummary]) -> list[GroupSummary]:
    """Return ``groups`` with the difference of each to the best, where it can be compared."""
    best = best_of(groups)
    if best is None:
        return list(groups)
    losses = {one.group: _by_seed(one.results) for one in groups}
    found = seed_differences(losses, best.group)
    return [
        dataclasses.replace(one, difference=Difference(best.group, found[one.group]))
        if one.group in found
        else one
        for one in groups
    ]


def best_of(groups: Sequence[GroupSummary]) -> GroupSummary | None:
    """Return the group with the lowest validation loss, if each is validated on the same tasks."""
    if any(one.validated_on != groups[0].validated_on for one in groups):
        return None
    measured = [(one.validation.mean, one) for one in groups if one.validation]
    return min(measured, key=lambda pair: pair[0])[1] if measured else None


def curve_of(group: GroupSummary) -> dict[int, SeedInterval]:
    """Return the validation loss over iterations, with its interval over the seeds.

    Runs that diverged contribute as long as their losses were finite.
    """
    values: dict[int, list[float]] = {}
    for result in group.results:
        for one in result.validations:
            values.setdefault(one.iteration, []).append(one.mean)
    return {iteration: SeedInterval.of(values[iteration]) for iteration in sorted(values)}


def _group(
    name: str, planned: Sequence[PlannedRun], results: Mapping[str, RunResult]
) -> GroupSummary:
    found = [results[run.digest] for run in planned if run.digest in results]
    config = planned[0].config
    validated_on = (config.tasks, config.validation)
    return GroupSummary.of(name, planned[0].varied, len(planned), validated_on, found)


def _by_seed(results: Iterable[RunResult]) -> dict[int, float]:
    """Return the last validation loss of each seed that has one."""
    return {one.seed: last.mean for one in results if (last := one.validation)}
