"""Moving through a run's checkpoints: the chosen one, its neighbours, and the curve behind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from core.bench.answers import PastEvaluation, Recalled
from core.bench.questions import Adapt, AnyTask, Saved
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plot import Limits, Plot, Series, curve, decimate, gaps, log10s
from tui_meta.views.text import Line, Span, fit, line

_SMOOTH = 48


@dataclass(frozen=True)
class TimeMachine:
    """Where one stands: checkpoint number ``place`` of those in ``past``, the newest last."""

    past: Recalled
    place: int

    @property
    def iteration(self) -> int | None:
        """That of the chosen checkpoint; None where there is none."""
        return self.past.checkpoints[self.place].iteration if self.past.checkpoints else None


def arrive(past: Recalled) -> TimeMachine:
    """At the newest checkpoint."""
    return TimeMachine(past, max(0, len(past.checkpoints) - 1))


def renewed(machine: TimeMachine, past: Recalled) -> TimeMachine:
    """With what came since: at the same iteration, or the last one before it that still exists.

    Whoever stood at the newest checkpoint stands at the newest.
    """
    at = machine.iteration
    if at is None or machine.place == len(machine.past.checkpoints) - 1:
        return arrive(past)
    iterations = [one.iteration for one in past.checkpoints]
    return TimeMachine(past, max(0, bisect_right(iterations, at) - 1))


def travel(machine: TimeMachine, by: int) -> TimeMachine:
    """To a later or an earlier checkpoint; beyond the ends one stays at them."""
    last = max(0, len(machine.past.checkpoints) - 1)
    return replace(machine, place=max(0, min(last, machine.place + by)))


def question(
    machine: TimeMachine, task: AnyTask, updates: int, lr: float | None = None
) -> Adapt | None:
    """The same task adapted by the chosen theta; None where there is no checkpoint."""
    if not machine.past.checkpoints:
        return None
    path = PurePath(machine.past.folder) / machine.past.checkpoints[machine.place].name
    return Adapt(source=Saved(str(path)), task=task, updates=updates, lr=lr)


def rows(machine: TimeMachine, height: int, width: int) -> list[Line]:
    """As many checkpoints as ``height`` has rows for, with the chosen one among them."""
    found = machine.past.checkpoints
    if not found:
        return [fit(line("there is no checkpoint yet"), width)]
    first = max(0, min(machine.place - height // 2, len(found) - height))
    shown = []
    for place, one in list(enumerate(found))[first : first + height]:
        evaluation = _latest(machine.past.evaluations, one.iteration)
        after = "" if evaluation is None else _after(evaluation)
        mark = "▸" if place == machine.place else " "
        text = f"{mark}{whole(one.iteration):>12}  {one.kind or '':<5}  {after:>8}"
        shown.append(fit((Span(text, "reverse" if place == machine.place else ""),), width))
    return shown


def place_line(machine: TimeMachine) -> Line:
    """Where one stands, and what cannot be visited."""
    n = len(machine.past.checkpoints)
    damaged = machine.past.damaged
    said = f"checkpoint {whole(machine.place + 1)} of {whole(n)}" if n else "no checkpoint"
    return line(said, Span(f", {whole(damaged)} damaged", "bright_red") if damaged else "")


class HistoryChart:
    """Makes the curve of all periodic evaluations; it remembers its limits."""

    def __init__(self) -> None:
        self._iterations = Limits(0, 100)
        self._losses = Limits(-2, 1, "log")

    def plot(self, machine: TimeMachine) -> Plot:
        """Losses after adaptation, and where the chosen checkpoint is."""
        evaluations = machine.past.evaluations
        losses = gaps(one.after for one in evaluations)
        x, y = decimate([one.iteration for one in evaluations], losses, _SMOOTH)
        at = machine.iteration
        newest = max([0, *(one.iteration for one in evaluations[-1:]), *([at] if at else [])])
        self._iterations = self._iterations.follow((0, newest))
        self._losses = self._losses.follow(y)
        chosen = _latest(evaluations, at) if at is not None else None
        here = (chosen.iteration,) if chosen else ()
        value = gaps((chosen.after,)) if chosen else ()
        return Plot(
            "loss after adaptation, random tasks",
            (
                curve("", x, log10s(y)),
                Series("chosen", here, log10s(value), "points", "bright_green", "◆"),
            ),
            self._iterations.axis("iteration"),
            self._losses.axis("loss"),
            "no evaluation yet",
        )


def _latest(evaluations: Sequence[PastEvaluation], iteration: int) -> PastEvaluation | None:
    """The last evaluation that ``iteration`` has behind it."""
    place = bisect_right([one.iteration for one in evaluations], iteration)
    return evaluations[place - 1] if place else None


def _after(evaluation: PastEvaluation) -> str:
    return "diverged" if evaluation.after is None else loss(evaluation.after)
