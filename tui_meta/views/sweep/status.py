"""A sweep as the screen shows it: groups, their runs, the settings that differ, what is left."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.events import Validation
from core.experiments.summary import GroupSummary, best_of
from tui_meta.views.sweep.settings import Setting, setting_of, titles_of
from tui_meta.views.sweep.words import setting_words, swept

MOST_TIMES_BEST = 1_000.0
"""Losses that are more times as large have exploded: scales and axes end below them, so that the
others stay readable."""

NAME = "run"
"""The name of a group's runs, where the runs have names of their own, as a setting."""


@dataclass(frozen=True)
class SweepRun:
    """A run with what it has measured so far; one without a result yet is ``waiting``.

    The ``network`` is that of a sweep's folder.
    """

    name: str
    seed: int
    state: str
    iteration: int | None = None
    validation: Validation | None = None
    training_loss: float | None = None
    seconds: float | None = None
    problem: str = ""
    network: str = ""


@dataclass(frozen=True)
class SweepGroup:
    """A group, the values of the settings that distinguish it, and its runs by seed."""

    summary: GroupSummary
    values: Mapping[str, Any]
    runs: Sequence[SweepRun]

    @property
    def name(self) -> str:
        """What the group is called."""
        return self.summary.group

    @property
    def mean(self) -> float | None:
        """The validation loss as a mean over seeds, if there is one."""
        return self.summary.validation.mean if self.summary.validation else None

    @cached_property
    def states(self) -> Counter[str]:
        """How many of the runs are in each state."""
        return Counter(one.state for one in self.runs)


@dataclass(frozen=True)
class SweepStatus:
    """All groups in their order, and about how many runs are trained ``at_once`` and until when.

    ``seconds_left`` is None where it cannot be known.
    """

    groups: Sequence[SweepGroup] = ()
    at_once: float | None = None
    seconds_left: float | None = None

    @classmethod
    def of(
        cls,
        groups: Sequence[GroupSummary],
        runs: Sequence[Sequence[SweepRun]],
        names: Sequence[str] = (),
        **left: float | None,
    ) -> SweepStatus:
        """Return the status of ``groups``, each with its runs and, if there are, its name."""
        named: list[Mapping[str, Any]] = [{NAME: name} for name in names] or [{} for _ in groups]
        parts = zip(groups, named, runs, strict=True)
        return cls(
            tuple(SweepGroup(one, {**name, **one.varied}, of) for one, name, of in parts), **left
        )

    @cached_property
    def best(self) -> SweepGroup | None:
        """The group with the lowest validation loss, as everywhere."""
        best = best_of([one.summary for one in self.groups])
        return next((one for one in self.groups if one.summary is best), None)

    @cached_property
    def by_name(self) -> Mapping[str, SweepGroup]:
        """The groups by their names."""
        return {one.name: one for one in self.groups}

    @cached_property
    def states(self) -> Counter[str]:
        """How many of all runs are in each state."""
        return sum((one.states for one in self.groups), Counter())

    @cached_property
    def settings(self) -> Sequence[Setting]:
        """The settings that have several values among the groups, or that only some have."""
        names = [NAME, *swept(one.summary for one in self.groups)]
        titles = titles_of(names)
        found = [
            setting_of(name, titles[name], [one.values.get(name) for one in self.groups])
            for name in names
        ]
        return [one for one in found if len(one.values) > 1 or (one.values and one.is_partial)]

    @cached_property
    def dimensions(self) -> Sequence[Setting]:
        """Those of the settings that no other one implies: what charts have axes for.

        The algorithm follows from the name of a run, and from a setting that only some have.
        """
        several = [one for one in self.settings if len(one.values) > 1]
        implied = any(one.name == NAME or one.is_partial for one in several)
        return [one for one in several if not (implied and one.name == "algorithm")]

    def label(self, group: SweepGroup) -> str:
        """Return a short name of a group: its values of what varies."""
        if len(self.dimensions) == 1 and self.dimensions[0].name in group.values:
            return self.dimensions[0].named(group.values[self.dimensions[0].name])
        values = [group.values.get(one.name) for one in self.dimensions]
        return ", ".join(filter(None, map(setting_words, values))) or group.name


def comparable(losses: Iterable[float]) -> Sequence[float]:
    """Return the losses that have not exploded, in comparison with the least of them."""
    known = [one for one in losses if 0 < one < math.inf]
    least = min(known, default=0.0)
    return [one for one in known if one <= MOST_TIMES_BEST * least]
