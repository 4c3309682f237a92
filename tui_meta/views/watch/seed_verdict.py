"""The verdict on groups of runs with different seeds: means over seeds on a thousand tasks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.evaluation.seed_interval import SeedInterval, seed_differences
from core.events import Snapshot
from core.experiments.summary import Difference
from tui_meta.views.numbers import seeds_mean, whole
from tui_meta.views.run_groups import RunGroup
from tui_meta.views.run_status import sample
from tui_meta.views.text import Line, Span, first_that_fits, fit, line
from tui_meta.views.watch.layout import USUAL_VERDICT_ROWS
from tui_meta.views.watch.verdict import Verdict

_LEAST_TABLE = 4
"""Rows of a table: its head, two groups and a note."""

_SAMPLE_CELLS = 3
_MEAN = "mean ± 95 % interval"


@dataclass(frozen=True)
class JudgedGroup:
    """A group of so many ``runs`` and its mean loss over the seeds that have one.

    ``index`` is its place among all groups, and ``diverged`` counts the tasks of all its runs on
    which adaptation diverged. The best group has no ``difference``, and neither has one that shares
    fewer than two seeds with it.
    """

    title: str
    index: int
    runs: int
    loss: SeedInterval | None
    difference: Difference | None
    diverged: int = 0

    @property
    def seeds(self) -> str:
        """How many seeds the mean is over; empty for a single run."""
        n = self.loss.n if self.loss else 0
        if self.runs == 1:
            return ""
        return f"over {n} seeds" if n == self.runs else f"over {n} of {self.runs} seeds"

    @property
    def text(self) -> str:
        """The mean with its interval, and the number of tasks that decide on it."""
        diverged = f", {whole(self.diverged)} diverged" if self.diverged else ""
        return f"{seeds_mean(self.loss) if self.loss else 'no finite loss'}{diverged}"

    @property
    def more(self) -> str:
        """How much higher the loss is than that of the best group; a star excludes 0."""
        if self.difference is None:
            return ""
        star = " *" if self.difference.is_significant else ""
        return seeds_mean(self.difference.interval) + star


@dataclass(frozen=True)
class SeedVerdict:
    """The result of a battery by ``groups``, the best first; ``single`` is that of the runs.

    ``samples`` of their curves are for where each group has one.
    """

    groups: Sequence[JudgedGroup]
    single: Verdict
    samples: bool = False

    @property
    def most_rows(self) -> int:
        """The rows that it fills."""
        return max(USUAL_VERDICT_ROWS, len(self.groups) + 3)

    @classmethod
    def of(
        cls,
        groups: Sequence[RunGroup],
        runs: Sequence[Snapshot],
        single: Verdict,
        *,
        samples: bool = False,
    ) -> SeedVerdict:
        """Return the verdict on ``groups`` of all ``runs``, from that on those that finished."""
        means, diverged = single.losses, single.diverged
        losses = {
            group.label: {
                int(runs[place].config.get("seed", 0)): means[runs[place].run]
                for place in group.members
                if runs[place].run in means
            }
            for group in groups
        }
        found = {label: SeedInterval.of([*of.values()]) for label, of in losses.items() if of}
        differences = _differences(losses, found)
        rows = [
            JudgedGroup(
                group.label,
                index,
                len(group.members),
                found.get(group.label),
                differences.get(group.label),
                sum(diverged.get(runs[place].run, 0) for place in group.members),
            )
            for index, group in enumerate(groups)
        ]
        return cls(sorted(rows, key=_rank), single, samples)

    def lines(self, width: int, rows: int) -> tuple[Line, ...]:
        """Return a table of the groups, of the best ones where ``rows`` are short, or sentences."""
        budgets = self.single.budgets()[-1:]
        if rows < _LEAST_TABLE:
            parts = [part for part in (self._losses(), self._differences(), budgets) if part]
            return tuple(fit(first_that_fits(part, width), width) for part in parts[:rows])
        shown = self.groups[: max(rows - 3, _LEAST_TABLE - 2)]
        foot = [first_that_fits(self._notes(len(shown)), width), *budgets]
        lines = [*self._table(shown), *foot]
        return tuple(fit(one, width) for one in lines[:rows])

    def _table(self, groups: Sequence[JudgedGroup]) -> Iterator[Line]:
        margin = _SAMPLE_CELLS if self.samples else 0
        cells = max(len(self.single.where), margin + max(len(one.title) for one in groups))
        loss_cells = max(len(_MEAN), *(len(f"{one.text} {one.seeds}") for one in groups))
        compared = any(one.difference for one in groups)
        head = f"{self.single.where:<{cells}}  {_MEAN:<{loss_cells}}"
        yield line(Span(f"{head}  more than the best" if compared else head, "dim"))
        for one in groups:
            look = (sample(one.index), " ") if self.samples else ()
            seeds = f" {one.seeds}".ljust(loss_cells - len(one.text))
            more = "best" if compared and one is self.groups[0] else one.more
            yield line(
                *look,
                f"{one.title:<{cells - margin}}  ",
                Span(one.text, "bold"),
                f"{seeds}  {more}",
            )

    def _notes(self, shown: int) -> Sequence[Line]:
        """Return what the numbers of the table mean, and what it leaves out."""
        total, levels = len(self.groups), self._levels()
        several = levels[0] if len(levels) > 1 else ""
        best = f"best {shown} of {total}" if shown < total else ""
        star = "differences seed by seed, * excludes 0" if levels else ""
        untrained = self.single.untrained
        texts = (
            (untrained, best, star, several),
            (untrained, best, several),
            (untrained, best),
        )
        return [line(Span(" · ".join(filter(None, parts)), "dim")) for parts in texts]

    def _levels(self) -> Sequence[str]:
        """Return the level of the differences in words, if any, the most complete first."""
        found = [one.difference for one in self.groups if one.difference]
        if not found:
            return ()
        level = f"{100 * found[0].interval.level:.4g} %"
        several = (f"{len(found)} comparisons, each at {level}", f"each at {level}")
        return several if len(found) > 1 else (level,)

    # Where there is no room for a table.

    def _losses(self) -> Sequence[Line]:
        last = self.single.untrained
        over = f"mean over {self._seeds()}"

        def said(count: int, *more: str) -> Span:
            shown = [f"{one.title} {one.text}" for one in self.groups[:count]]
            return Span(" · ".join([*shown, *more]), "bold")

        total = len(self.groups)
        full = (f"{self.single.where}, {over}: ", f"{self.single.tasks}, {over}: ", f"{over}: ")
        best = f"{over}, best of {total}: "
        fewer = [line(best, said(count, last)) for count in range(total - 1, 0, -1)]
        return [*(line(where, said(total, last)) for where in full), *fewer, line(best, said(1))]

    def _seeds(self) -> str:
        counts = {one.loss.n for one in self.groups if one.loss and one.runs > 1}
        if not counts:
            return "seeds"
        least, most = min(counts), max(counts)
        return f"{most} seeds" if least == most else f"{least} to {most} seeds"

    def _differences(self) -> Sequence[Line]:
        compared = [one for one in self.groups if one.difference]
        if not compared:
            return ()
        heads = [f"more than the best ({level}): " for level in self._levels()]
        heads.insert(0, heads[0].replace(" (", ", seed by seed ("))
        counts = range(len(compared), 0, -1)
        shown = [" · ".join(f"{one.title} {one.more}" for one in compared[:n]) for n in counts]
        return [line(head + some) for some in shown for head in heads]


def _differences(
    losses: Mapping[str, Mapping[int, float]], means: Mapping[str, SeedInterval]
) -> dict[str, Difference]:
    if not means:
        return {}
    best = min(means, key=lambda label: means[label].mean)
    found = seed_differences(losses, best)
    return {label: Difference(best, interval) for label, interval in found.items()}


def _rank(group: JudgedGroup) -> float:
    return group.loss.mean if group.loss else math.inf
