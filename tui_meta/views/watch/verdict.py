"""The verdict at the end of all runs: their losses on a thousand tasks, and what they have used."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.analysis.answers import BatteryResult, SourceResult
from core.analysis.questions import MOST_SOURCES, Battery
from core.events import ENDED, Snapshot
from tui_meta.views.battery.results import pair_words
from tui_meta.views.battery.settings import BatterySettings
from tui_meta.views.numbers import interval, loss, whole
from tui_meta.views.text import Line, Span, first_that_fits, fit, line


@dataclass(frozen=True)
class Verdict:
    """The result of a battery of finished ``runs``; the last source is the untrained network."""

    runs: Sequence[Snapshot]
    titles: Sequence[str]
    result: BatteryResult

    def lines(self, width: int, rows: int) -> tuple[Line, ...]:
        """Return the losses, the difference of two runs, and the budgets, as ``rows`` allow."""
        losses, budgets = self._losses(), self._budgets()
        parts = [losses, budgets]
        if len(self.runs) == 2 and rows > len(parts):
            pair = next(one for one in self.result.pairs if (one.first, one.second) == (0, 1))
            parts.insert(1, pair_words(pair, self.titles))
        return tuple(fit(first_that_fits(part, width), width) for part in parts[:rows])

    def _losses(self) -> Sequence[Line]:
        protocol = self.result.protocol
        tasks = f"{whole(protocol.tasks)} tasks"
        *sources, untrained = self.result.sources
        rates = {source.lr for source in self.result.sources}
        rate = f" (inner {untrained.lr:g})" if len(rates) > 1 else ""
        last = f"untrained{rate} {_loss(untrained)}"
        runs = list(zip(self.titles, sources, strict=True))

        def said(shown: Sequence[tuple[str, SourceResult]]) -> Span:
            losses = [f"{title} {_loss(source)}" for title, source in shown]
            return Span(" · ".join([*losses, last]), "bold")

        where = f"{tasks}, {whole(protocol.shots)} points, {whole(protocol.last_step)} steps: "
        everything = said(runs)
        candidates = [line(where, everything), line(f"{tasks}: ", everything), line(everything)]
        ranked = sorted(runs, key=_mean)
        counts = range(len(runs) - 1, 0, -1) if len(runs) > 2 else ()
        best = [line(f"{tasks}, best of {len(runs)}: ", said(ranked[:n])) for n in counts]
        return [*candidates, *best]

    def _budgets(self) -> Sequence[Line]:
        used = [(run.iteration, run.spent.gradients) for run in self.runs]
        full = " · ".join(
            f"{title} {whole(iterations)} iterations, {whole(gradients)} gradient evaluations"
            for title, (iterations, gradients) in zip(self.titles, used, strict=True)
        )
        gradients = " · ".join(
            f"{title} {whole(count)}" for title, (_, count) in zip(self.titles, used, strict=True)
        )
        ranges = [_range(numbers) for numbers in zip(*used, strict=True)]
        texts = (
            f"used: {full}",
            f"gradient evaluations in {ranges[0]} iterations: {gradients}",
            f"used: {ranges[0]} iterations, {ranges[1]} gradient evaluations",
        )
        return [line(Span(text, "dim")) for text in texts]


def judged_runs(runs: Iterable[Snapshot]) -> Sequence[Snapshot]:
    """Return the finished runs once all have ended; none before."""
    known = list(runs)
    if any(one.state not in ENDED for one in known):
        return ()
    return [one for one in known if one.state == "finished"][: MOST_SOURCES - 1]


def verdict_question(runs: Sequence[Snapshot]) -> Battery:
    """Return the question about these runs and the untrained network of the first one."""
    return BatterySettings().question([one.run for one in runs], runs[0].waves)


def _loss(source: SourceResult) -> str:
    if source.mean is None or source.low is None or source.high is None:
        median = "" if source.median is None else f", median {loss(source.median)}"
        return f"{whole(source.diverged)} diverged{median}"
    if not source.iteration:
        return loss(source.mean)
    return interval(source.mean, (source.high - source.low) / 2)


def _mean(named: tuple[str, SourceResult]) -> float:
    return math.inf if named[1].mean is None else named[1].mean


def _range(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return whole(least) if least == most else f"{whole(least)} to {whole(most)}"
