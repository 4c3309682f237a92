"""The verdict at the end of all runs: their losses on a thousand tasks, and what they have used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.analysis.answers import BatteryResult, SourceResult
from core.analysis.questions import Battery
from core.events import ENDED, Snapshot
from tui_meta.views.battery.results import pair_words
from tui_meta.views.battery.settings import MOST_RUNS, BatterySettings
from tui_meta.views.numbers import interval, loss, whole
from tui_meta.views.text import Line, Span, first_that_fits, fit, line

_UNTRAINED = "untrained"


@dataclass(frozen=True)
class Verdict:
    """The result of a battery of finished ``runs``; the last source is the untrained network."""

    runs: Sequence[Snapshot]
    titles: Sequence[str]
    result: BatteryResult

    def lines(self, width: int, rows: int) -> tuple[Line, ...]:
        """Return the losses, the difference of two runs, and the budgets, as ``rows`` allow."""
        losses, budgets = self._losses(), [line(Span(f"used: {self._budgets()}", "dim"))]
        parts = [losses, budgets]
        if len(self.runs) == 2 and rows > len(parts):
            pair = next(one for one in self.result.pairs if (one.first, one.second) == (0, 1))
            parts.insert(1, pair_words(pair, self.titles))
        return tuple(fit(first_that_fits(part, width), width) for part in parts[:rows])

    def _losses(self) -> Sequence[Line]:
        protocol = self.result.protocol
        tasks = f"{whole(protocol.tasks)} tasks"
        losses = [
            f"{title} {_loss(source)}"
            for title, source in zip((*self.titles, _UNTRAINED), self.result.sources, strict=True)
        ]
        said = Span(" · ".join(losses), "bold")
        where = f"{tasks}, {whole(protocol.shots)} points, {whole(protocol.last_step)} steps: "
        return [line(where, said), line(f"{tasks}: ", said), line(said)]

    def _budgets(self) -> str:
        return " · ".join(
            f"{title} {whole(run.iteration)} iterations, "
            f"{whole(run.spent.gradients)} gradient evaluations"
            for title, run in zip(self.titles, self.runs, strict=True)
        )


def judged_runs(runs: Iterable[Snapshot]) -> Sequence[Snapshot]:
    """Return the finished runs once all have ended; none before."""
    known = list(runs)
    if any(one.state not in ENDED for one in known):
        return ()
    return [one for one in known if one.state == "finished"][:MOST_RUNS]


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
