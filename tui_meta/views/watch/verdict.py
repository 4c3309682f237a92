"""The verdict at the end of all runs: their losses on a thousand tasks, and what they have used."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from core.analysis.answers import AnyAnswer, BatteryResult, Cancelled, SourceResult
from core.analysis.questions import MOST_SOURCES, Battery
from core.events import Snapshot
from tui_meta.views.battery.results import pair_words
from tui_meta.views.battery.settings import BatterySettings
from tui_meta.views.numbers import interval, loss, whole
from tui_meta.views.run_settings import family_of
from tui_meta.views.text import Line, Span, first_that_fits, fit, line
from tui_meta.views.watch.layout import USUAL_VERDICT_ROWS

_MOST_RUNS = MOST_SOURCES - 1
"""Of one question."""


@dataclass(frozen=True)
class Verdict:
    """The result of a battery of finished ``runs``; the last source is the untrained network."""

    runs: Sequence[Snapshot]
    titles: Sequence[str]
    result: BatteryResult

    @property
    def most_rows(self) -> int:
        """The rows that it fills."""
        return USUAL_VERDICT_ROWS

    def lines(self, width: int, rows: int) -> tuple[Line, ...]:
        """Return the losses, the difference of two runs, and the budgets, as ``rows`` allow."""
        losses, budgets = self._losses(), self.budgets()
        parts = [losses, budgets]
        if len(self.runs) == 2 and rows > len(parts):
            pair = next(one for one in self.result.pairs if (one.first, one.second) == (0, 1))
            parts.insert(1, pair_words(pair, self.titles))
        return tuple(fit(first_that_fits(part, width), width) for part in parts[:rows])

    @property
    def losses(self) -> dict[str, float]:
        """The mean loss of each run that has a finite one."""
        sources = zip(self.runs, self.result.sources, strict=False)
        return {run.run: one.mean for run, one in sources if one.mean is not None}

    @property
    def diverged(self) -> dict[str, int]:
        """On how many tasks the adaptation of each run diverged, which decides on its mean."""
        sources = zip(self.runs, self.result.sources, strict=False)
        return {run.run: one.diverged for run, one in sources}

    @property
    def tasks(self) -> str:
        """How many tasks there are."""
        return f"{whole(self.result.protocol.tasks)} tasks"

    @property
    def where(self) -> str:
        """The tasks, their points and the gradient steps."""
        protocol = self.result.protocol
        return f"{self.tasks}, {whole(protocol.shots)} points, {whole(protocol.last_step)} steps"

    @property
    def untrained(self) -> str:
        """The loss of the untrained network, with its inner rate where these differ."""
        untrained = self.result.sources[-1]
        rates = {source.lr for source in self.result.sources}
        rate = f" (inner {untrained.lr:g})" if len(rates) > 1 else ""
        return f"untrained{rate} {_loss(untrained)}"

    def _losses(self) -> Sequence[Line]:
        runs = list(zip(self.titles, self.result.sources, strict=False))

        def said(shown: Sequence[tuple[str, SourceResult]]) -> Span:
            losses = [f"{title} {_loss(source)}" for title, source in shown]
            return Span(" · ".join([*losses, self.untrained]), "bold")

        everything = said(runs)
        wheres = (f"{self.where}: ", f"{self.tasks}: ", "")
        candidates = [line(where, everything) for where in wheres]
        ranked = sorted(runs, key=_mean)
        counts = range(len(runs) - 1, 0, -1) if len(runs) > 2 else ()
        best = [line(f"{self.tasks}, best of {len(runs)}: ", said(ranked[:n])) for n in counts]
        return [*candidates, *best]

    def budgets(self) -> Sequence[Line]:
        """Return what the runs have used, the most complete wording first."""
        used = [(run.iteration, run.spent.gradients) for run in self.runs]
        full = " · ".join(
            f"{title} {whole(iterations)} iterations, {whole(gradients)} gradient evaluations"
            for title, (iterations, gradients) in zip(self.titles, used, strict=True)
        )
        gradients = " · ".join(
            f"{title} {whole(count)}" for title, (_, count) in zip(self.titles, used, strict=True)
        )
        ranges = [_range(numbers) for numbers in zip(*used, strict=True)]
        each = "used by each" if len(self.runs) > 1 else "used"
        texts = (
            f"used: {full}",
            f"gradient evaluations in {ranges[0]} iterations: {gradients}",
            f"{each}: {ranges[0]} iterations, {ranges[1]} gradient evaluations",
        )
        return [line(Span(text, "dim")) for text in texts]


def judge(
    runs: Sequence[Snapshot],
    titles: Sequence[str],
    ask: Callable[[Battery], AnyAnswer],
) -> Verdict | Cancelled:
    """Ask about all ``runs``, whose names are ``titles``; return the verdict."""
    answers = []
    for question in verdict_questions(runs):
        answer = ask(question)
        if isinstance(answer, Cancelled):
            return answer
        assert isinstance(answer, BatteryResult)
        answers.append(answer)
    return Verdict(runs, titles, _merged(answers))


def verdict_questions(runs: Sequence[Snapshot]) -> list[Battery]:
    """Return questions about these runs on the same tasks, each about as many as it may have.

    Each has an untrained network too.
    """
    names = [one.run for one in runs]
    parts = [names[start : start + _MOST_RUNS] for start in range(0, len(names), _MOST_RUNS)]
    return [BatterySettings().question(part, family_of(runs[0])) for part in parts]


def _merged(answers: Sequence[BatteryResult]) -> BatteryResult:
    """Return the answers about parts of the runs as one, whose pairs are those of the first."""
    *_, untrained = answers[0].sources
    sources = [source for answer in answers for source in answer.sources[:-1]]
    pairs = answers[0].pairs if len(answers) == 1 else ()
    return msgspec.structs.replace(answers[0], sources=(*sources, untrained), pairs=pairs)


def _loss(source: SourceResult) -> str:
    if source.mean is None or source.low is None or source.high is None:
        median = "" if source.median is None else f", median {loss(source.median)}"
        return f"{whole(source.diverged)} diverged{median}"
    if not source.iteration:
        return loss(source.mean)
    shown = interval(source.mean, (source.high - source.low) / 2)
    return f"{shown}, {whole(source.diverged)} diverged" if source.diverged else shown


def _mean(named: tuple[str, SourceResult]) -> float:
    return math.inf if named[1].mean is None else named[1].mean


def _range(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return whole(least) if least == most else f"{whole(least)} to {whole(most)}"
