"""The time machine as text: checkpoints and evaluations of a run, and the position in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from core.analysis.answers import Adapted, PastEvaluation, SavedTheta
from core.events import Validation, save_word
from tui_meta.views.checkpoint_travel import TimeMachine, evaluations_until
from tui_meta.views.lab.state import LabState, at_step
from tui_meta.views.lab.text import loss_text
from tui_meta.views.numbers import loss, whole
from tui_meta.views.short_names import names_in_row
from tui_meta.views.text import Line, Span, first_that_fits, fit, line

_CHECKPOINTS = "    iteration  saved    valid.    best"
_EVALUATIONS = "    iteration     loss  before"
_FEWEST = 6
"""Lines that each list has at least."""

One = TypeVar("One")


def rows(machine: TimeMachine, height: int, width: int, parameter: str = "") -> list[Line]:
    """Checkpoints, and below them evaluations: as many as there is room for, with the chosen one.

    A checkpoint has its iteration, why it was saved, its mean loss on the validation tasks if it
    was validated, and the best until then; an evaluation its losses after and before adaptation,
    and the first ``parameter`` of its task. A click goes there.
    """
    past, on_evaluations = machine.past, machine.evaluation is not None
    saved, made, here = past.checkpoints, past.evaluations, machine.evaluation

    def checkpoint(one: SavedTheta) -> str:
        mean, best = _validated(past.validations, one.iteration)
        return f"{whole(one.iteration):>12}  {save_word(one.kind):<7}{mean:>8}{best:>8}"

    if here is None:
        here = evaluations_until(machine) - 1
    upper = max(min(len(saved) + 1, height - _FEWEST - 1), min(_FEWEST, height))
    lower = height - upper - 1
    shown = [line("no checkpoint yet")]
    if saved:
        head = line(Span(_CHECKPOINTS, "dim"))
        place, active = machine.place, not on_evaluations
        shown = [head, *_list(saved, checkpoint, place, active, "checkpoint", upper - 1)]
    name = parameter if len(parameter) < 8 else f"{parameter[:4]}."
    head = line(Span(f"{_EVALUATIONS}{name:>8}", "dim"))
    if lower > 1 and made:
        below = _list(made, _evaluation, here, on_evaluations, "evaluation", lower - 1)
        shown += [(), head, *below]
    elif on_evaluations:
        shown = [head, *_list(made, _evaluation, here, True, "evaluation", height - 1)]
    return [fit(one, width) for one in shown]


def timeline(machine: TimeMachine, width: int) -> Line:
    """Return the iterations around the chosen one in one line; a click goes there."""
    if machine.evaluation is not None:
        place, known = machine.evaluation, [one.iteration for one in machine.past.evaluations]
    else:
        place, known = machine.place, [one.iteration for one in machine.past.checkpoints]
    if not known:
        return fit(line("no checkpoint yet"), width)
    what = "checkpoint" if machine.evaluation is None else "evaluation"
    size = len(whole(known[-1])) + 2
    count = max(1, (width - 4) // size)
    first = max(0, min(place - count // 2, len(known) - count))
    spans: list[Span | str] = ["… " if first else "  "]
    for number, iteration in list(enumerate(known))[first : first + count]:
        mark, style = ("▸", "reverse") if number == place else (" ", "dim")
        spans.append(Span(f"{mark}{whole(iteration)} ", style, f"go('{what}', {number})"))
    spans.append(" …" if first + count < len(known) else "")
    return fit(line(*spans), width)


def place_line(machine: TimeMachine, width: int) -> Line:
    """Return the position, and the number of damaged checkpoints.

    Of an evaluation also whose θ is not its own; in a short ``width`` not what was logged.
    """
    n, damaged = len(machine.past.checkpoints), machine.past.damaged
    spoilt = Span(f", {whole(damaged)} damaged", "bright_red") if damaged else ""
    at = machine.chosen_evaluation
    if at is not None and machine.evaluation is not None:
        number = f"{whole(machine.evaluation + 1)} of {whole(len(machine.past.evaluations))}"
        here = f"evaluation {number}, iteration {whole(at.iteration)}"
        apart: Span | str = ""
        if machine.iteration not in (None, at.iteration):
            apart = Span(f"; nearest θ: {whole(machine.iteration)}", "bright_yellow")
        logged = Span(f"; logged {loss_text(at.before)} → {loss_text(at.after)}", "dim")
        return first_that_fits(
            [line(here, apart, logged, spoilt), line(here, apart, spoilt), line(here, apart)], width
        )
    where = f"checkpoint {whole(machine.place + 1)} of {whole(n)}" if n else "no checkpoint"
    iteration = f", iteration {whole(machine.iteration)}" if machine.iteration is not None else ""
    return line(f"{where}{iteration}", spoilt)


def runs_line(titles: Sequence[str], chosen: int, width: int) -> Line:
    """The runs around the chosen one that fit ``width`` cells; a click chooses another."""
    names, shown = names_in_row(titles, chosen, width)
    spans: list[Span | str] = ["…"] if shown.start else []
    for index in shown:
        style = "reverse" if index == chosen else "dim"
        spans.append(Span(f" {names[index]} ", style, f"choose({index})"))
    return line(*spans, "…" if shown.stop < len(titles) else "")


def loss_line(lab: LabState, answer: Adapted | None) -> Line:
    """Return the loss of the chosen theta on the task."""
    if answer is None:
        return line(Span("loss …", "dim"))
    now, before = reached(lab, answer), loss_text(answer.losses[0])
    at = f" at step {whole(lab.step)} of {whole(lab.updates)}"
    return line("loss ", Span(now, "bold"), at, Span(f" ({before} before)", "dim"))


def reached(lab: LabState, answer: Adapted | None) -> str:
    """Return the loss at the current step in words."""
    return "…" if answer is None else loss_text(at_step(lab, answer.losses))


def _list(
    ones: Sequence[One],
    text: Callable[[One], str],
    chosen: int,
    active: bool,
    what: str,
    height: int,
) -> list[Line]:
    """``height`` rows; the ``chosen`` one is marked, and lit where the list is ``active``."""
    height = max(1, height)
    first = max(0, min(chosen - height // 2, len(ones) - height))
    shown: list[Line] = []
    for number, one in enumerate(ones[first : first + height], first):
        mark = "▸" if number == chosen else " "
        style = ("reverse" if active else "bold") if number == chosen else ""
        shown.append((Span(f"{mark}{text(one)} ", style, f"go('{what}', {number})"),))
    return shown


def _evaluation(one: PastEvaluation) -> str:
    first = f"{one.parameters[0]:.2f}" if one.parameters else ""
    after, before = loss_text(one.after), loss_text(one.before)
    return f"{whole(one.iteration):>12}{after:>9}{before:>8}{first:>8}"


def _validated(validations: Sequence[Validation], iteration: int) -> tuple[str, str]:
    """Return the mean of the validation at ``iteration``, and the lowest one until then."""
    means = {one.iteration: one.mean for one in validations if one.iteration <= iteration}
    return (loss(means.get(iteration)), loss(min(means.values()))) if means else ("", "")
