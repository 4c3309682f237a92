"""Moving through a run's checkpoints: the chosen one, its neighbours, and the curve behind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from core.bench.answers import Adapted, PastEvaluation, Recalled
from core.bench.questions import Adapt, AnyTask, Saved
from tui_meta.views.lab import Lab, at_step
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


UNKNOWN = TimeMachine(Recalled(folder="", checkpoints=(), damaged=0, evaluations=()), 0)
"""Of a run of which nothing is known yet."""


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
    return travel_to(TimeMachine(past, 0), at)


def travel(machine: TimeMachine, by: int) -> TimeMachine:
    """To a later or an earlier checkpoint; beyond the ends one stays at them."""
    last = max(0, len(machine.past.checkpoints) - 1)
    return replace(machine, place=max(0, min(last, machine.place + by)))


def travel_to(machine: TimeMachine, iteration: int) -> TimeMachine:
    """To the last checkpoint that is not after ``iteration``, or the first of all."""
    iterations = [one.iteration for one in machine.past.checkpoints]
    return replace(machine, place=max(0, bisect_right(iterations, iteration) - 1))


def chosen(machine: TimeMachine) -> Saved | None:
    """The theta of the chosen checkpoint; None where there is no checkpoint."""
    if not machine.past.checkpoints:
        return None
    path = PurePath(machine.past.folder) / machine.past.checkpoints[machine.place].name
    return Saved(str(path))


def question(
    machine: TimeMachine, task: AnyTask, updates: int, lr: float | None = None
) -> Adapt | None:
    """The same task adapted by the chosen theta; None where there is no checkpoint."""
    theta = chosen(machine)
    return Adapt(source=theta, task=task, updates=updates, lr=lr) if theta else None


HEAD = "    iteration  saved      loss    best"
"""Over the rows."""


def rows(machine: TimeMachine, height: int, width: int) -> list[Line]:
    """As many checkpoints as ``height`` has rows for, with the chosen one among them.

    Each has its iteration, why it was saved, the loss of the evaluation before it, and the best
    until then. A click goes there.
    """
    found = machine.past.checkpoints
    if not found:
        return [fit(line("there is no checkpoint yet"), width)]
    first = max(0, min(machine.place - height // 2, len(found) - height))
    shown = []
    for place, one in list(enumerate(found))[first : first + height]:
        after, best = _reached(machine.past.evaluations, one.iteration)
        mark = "▸" if place == machine.place else " "
        text = f"{mark}{whole(one.iteration):>12}  {one.kind or '':<5}  {after:>8}{best:>8}"
        style = "reverse" if place == machine.place else ""
        shown.append(fit((Span(text, style, f"go({place})"),), width))
    return shown


def place_line(machine: TimeMachine) -> Line:
    """Where one stands, and what cannot be visited."""
    n = len(machine.past.checkpoints)
    damaged = machine.past.damaged
    said = f"checkpoint {whole(machine.place + 1)} of {whole(n)}" if n else "no checkpoint"
    at = f", iteration {whole(machine.iteration)}" if machine.iteration is not None else ""
    return line(f"{said}{at}", Span(f", {whole(damaged)} damaged", "bright_red") if damaged else "")


def runs_line(titles: Sequence[str], chosen: int) -> Line:
    """The runs, one of them chosen; a click chooses another."""
    spans: list[Span | str] = []
    for index, title in enumerate(titles):
        style = "reverse" if index == chosen else "dim"
        spans.append(Span(f" {title} ", style, f"choose({index})"))
    return line(*spans)


def loss_line(lab: Lab, answer: Adapted | None) -> Line:
    """What the chosen theta has reached on the task."""
    if answer is None:
        return line(Span("loss …", "dim"))
    now, before = _said(at_step(lab, answer.losses)), _said(answer.losses[0])
    at = f" at step {whole(lab.step)} of {whole(lab.updates)}"
    return line("loss ", Span(now, "bold"), at, Span(f" ({before} before)", "dim"))


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
            "loss after adaptation",
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


def _reached(evaluations: Sequence[PastEvaluation], iteration: int) -> tuple[str, str]:
    """The loss of the last evaluation until ``iteration``, and the lowest one."""
    last = _latest(evaluations, iteration)
    if last is None:
        return "", ""
    losses = [one.after for one in evaluations if one.iteration <= iteration]
    known = [one for one in losses if one is not None]
    return _said(last.after), loss(min(known)) if known else ""


def _said(value: float | None) -> str:
    return "diverged" if value is None else loss(value)
