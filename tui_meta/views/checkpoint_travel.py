"""Moving through what a run has left: its checkpoints, and its periodic evaluations."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import PurePath

from core.analysis.answers import PastEvaluation, RunHistory
from core.analysis.presets import explicit
from core.analysis.questions import Adapt, AnyTask, ExplicitTask, Saved
from core.evaluation.protocols import PROBES, draw_task
from core.tasks.sine import SineTasks


@dataclass(frozen=True)
class TimeMachine:
    """Where one stands: checkpoint number ``place`` of those in ``past``, the newest last.

    Whoever moves through the evaluations stands at number ``evaluation`` of them, and at the last
    checkpoint that is not after it.
    """

    past: RunHistory
    place: int
    evaluation: int | None = None

    @property
    def iteration(self) -> int | None:
        """That of the chosen checkpoint; None where there is none."""
        return self.past.checkpoints[self.place].iteration if self.past.checkpoints else None

    @property
    def chosen_evaluation(self) -> PastEvaluation | None:
        """The evaluation at which one stands, if one moves through them."""
        return None if self.evaluation is None else self.past.evaluations[self.evaluation]


UNKNOWN = TimeMachine(RunHistory(folder="", checkpoints=(), damaged=0, evaluations=()), 0)
"""Of a run of which nothing is known yet."""


def at_newest(past: RunHistory) -> TimeMachine:
    """At the newest checkpoint."""
    return TimeMachine(past, max(0, len(past.checkpoints) - 1))


def refreshed(machine: TimeMachine, past: RunHistory) -> TimeMachine:
    """With what came since: at the same iteration, or the last one before it that still exists.

    Whoever stood at the newest stands at the newest.
    """
    before = machine.chosen_evaluation
    if before is not None and machine.evaluation != len(machine.past.evaluations) - 1:
        iterations = [one.iteration for one in past.evaluations]
        return at_evaluation(TimeMachine(past, 0), bisect_right(iterations, before.iteration) - 1)
    if before is not None:
        return at_evaluation(TimeMachine(past, 0), len(past.evaluations))
    at = machine.iteration
    if at is None or machine.place == len(machine.past.checkpoints) - 1:
        return at_newest(past)
    return at_iteration(TimeMachine(past, 0), at)


def moved(machine: TimeMachine, by: int) -> TimeMachine:
    """To a later or an earlier checkpoint or evaluation; beyond the ends one stays at them."""
    if machine.evaluation is not None:
        return at_evaluation(machine, machine.evaluation + by)
    last = max(0, len(machine.past.checkpoints) - 1)
    return replace(machine, place=max(0, min(last, machine.place + by)))


def at_evaluation(machine: TimeMachine, number: int) -> TimeMachine:
    """At an evaluation, beyond the ends at the first or the last; without one, as before."""
    evaluations = machine.past.evaluations
    if not evaluations:
        return replace(machine, evaluation=None)
    number = max(0, min(len(evaluations) - 1, number))
    return replace(at_iteration(machine, evaluations[number].iteration), evaluation=number)


def other_path(machine: TimeMachine) -> TimeMachine:
    """Through the evaluations, beginning at the chosen checkpoint; or through checkpoints again."""
    if machine.evaluation is not None:
        return replace(machine, evaluation=None)
    return at_evaluation(machine, evaluations_until(machine) - 1)


def evaluations_until(machine: TimeMachine) -> int:
    """How many evaluations the chosen checkpoint has behind it."""
    iterations = [one.iteration for one in machine.past.evaluations]
    return bisect_right(iterations, -1 if machine.iteration is None else machine.iteration)


def evaluated_task(machine: TimeMachine, waves: SineTasks) -> ExplicitTask | None:
    """The very task of the chosen evaluation; None without one, or where its seed is not known."""
    at, seed = machine.chosen_evaluation, machine.past.seed
    if at is None or seed is None:
        return None
    return explicit(draw_task(waves, seed, PROBES["validation"], at.index))


def strip(machine: TimeMachine, most: int) -> list[int]:
    """Numbers of at most ``most`` checkpoints, evenly spread, with the chosen one among them."""
    last = len(machine.past.checkpoints) - 1
    if last < most:
        return list(range(last + 1))
    numbers = [round(index * last / (most - 1)) for index in range(most)]
    if machine.place not in numbers:
        inner = min(range(1, most - 1), key=lambda index: abs(numbers[index] - machine.place))
        numbers[inner] = machine.place
    return numbers


def at_iteration(machine: TimeMachine, iteration: int) -> TimeMachine:
    """To the last checkpoint that is not after ``iteration``, or the first of all."""
    iterations = [one.iteration for one in machine.past.checkpoints]
    return replace(machine, place=max(0, bisect_right(iterations, iteration) - 1))


def chosen(machine: TimeMachine) -> Saved | None:
    """The theta of the chosen checkpoint; None where there is no checkpoint."""
    return saved(machine, machine.place) if machine.past.checkpoints else None


def saved(machine: TimeMachine, place: int) -> Saved:
    """The theta of checkpoint number ``place``."""
    return Saved(str(PurePath(machine.past.folder) / machine.past.checkpoints[place].name))


def question(
    machine: TimeMachine, task: AnyTask, updates: int, lr: float | None = None
) -> Adapt | None:
    """The same task adapted by the chosen theta; None where there is no checkpoint."""
    theta = chosen(machine)
    return Adapt(source=theta, task=task, updates=updates, lr=lr) if theta else None


def question_to(machine: TimeMachine, place: int, task: AnyTask, updates: int) -> Adapt:
    """The same task adapted by the theta of checkpoint number ``place``."""
    return Adapt(source=saved(machine, place), task=task, updates=updates)
