"""Navigation through the checkpoints of a run and its periodic evaluations."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from pathlib import PurePath

from core.analysis.answers import PastEvaluation, RunHistory
from core.analysis.lab_tasks import explicit
from core.analysis.questions import Adapt, AnyTask, ExplicitTask, Saved
from core.evaluation.few_shot_tasks import PROBES, draw_task
from core.tasks.family import TaskFamily


@dataclass(frozen=True)
class TimeMachine:
    """A position: checkpoint number ``place`` of those in ``past``, the newest last.

    On the path of evaluations, the position is number ``evaluation`` of them and the checkpoint
    nearest to it.
    """

    past: RunHistory
    place: int
    evaluation: int | None = None

    @property
    def iteration(self) -> int | None:
        """Iteration of the chosen checkpoint; None without checkpoints."""
        return self.past.checkpoints[self.place].iteration if self.past.checkpoints else None

    @property
    def chosen_evaluation(self) -> PastEvaluation | None:
        """The chosen evaluation; None on the path of checkpoints."""
        return None if self.evaluation is None else self.past.evaluations[self.evaluation]


UNKNOWN = TimeMachine(RunHistory(folder="", checkpoints=(), damaged=0, evaluations=()), 0)
"""Position in a run of which nothing is known yet."""


def at_newest(past: RunHistory) -> TimeMachine:
    """Return the position at the newest checkpoint."""
    return TimeMachine(past, max(0, len(past.checkpoints) - 1))


def refreshed(machine: TimeMachine, past: RunHistory) -> TimeMachine:
    """Return the position in newer data: the same iteration, or the last one before it that exists.

    A position at the newest stays at the newest.
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
    """Return the position ``by`` steps later on the current path, at most at its ends."""
    if machine.evaluation is not None:
        return at_evaluation(machine, machine.evaluation + by)
    last = max(0, len(machine.past.checkpoints) - 1)
    return replace(machine, place=max(0, min(last, machine.place + by)))


def at_evaluation(machine: TimeMachine, number: int) -> TimeMachine:
    """Return the position at an evaluation, clamped to the ends; unchanged if there is none."""
    evaluations = machine.past.evaluations
    if not evaluations:
        return replace(machine, evaluation=None)
    number = max(0, min(len(evaluations) - 1, number))
    at = evaluations[number].iteration
    apart = [abs(one.iteration - at) for one in machine.past.checkpoints]
    return replace(machine, place=apart.index(min(apart)) if apart else 0, evaluation=number)


def other_path(machine: TimeMachine) -> TimeMachine:
    """Switch between the path of evaluations and that of checkpoints, at the same place."""
    if machine.evaluation is not None:
        return replace(machine, evaluation=None)
    return at_evaluation(machine, evaluations_until(machine) - 1)


def evaluations_until(machine: TimeMachine) -> int:
    """Return the number of evaluations up to the chosen checkpoint."""
    iterations = [one.iteration for one in machine.past.evaluations]
    return bisect_right(iterations, -1 if machine.iteration is None else machine.iteration)


def evaluated_task(machine: TimeMachine, family: TaskFamily) -> ExplicitTask | None:
    """Return the task of the chosen evaluation; None without one, or if the seed is unknown."""
    at, seed = machine.chosen_evaluation, machine.past.seed
    if at is None or seed is None:
        return None
    return explicit(draw_task(family, seed, PROBES["validation"], at.index))


def strip(machine: TimeMachine, most: int) -> list[int]:
    """Return up to ``most`` numbers of checkpoints, evenly spread, including the chosen one."""
    last = len(machine.past.checkpoints) - 1
    if last < most:
        return list(range(last + 1))
    numbers = [round(index * last / (most - 1)) for index in range(most)]
    if machine.place not in numbers:
        inner = min(range(1, most - 1), key=lambda index: abs(numbers[index] - machine.place))
        numbers[inner] = machine.place
    return numbers


def at_iteration(machine: TimeMachine, iteration: int) -> TimeMachine:
    """Return the position at the last checkpoint not after ``iteration``, or at the first."""
    iterations = [one.iteration for one in machine.past.checkpoints]
    return replace(machine, place=max(0, bisect_right(iterations, iteration) - 1))


def chosen(machine: TimeMachine) -> Saved | None:
    """Return the theta of the chosen checkpoint; None without checkpoints."""
    return saved(machine, machine.place) if machine.past.checkpoints else None


def saved(machine: TimeMachine, place: int) -> Saved:
    """Return the theta of checkpoint number ``place``."""
    return Saved(str(PurePath(machine.past.folder) / machine.past.checkpoints[place].name))


def question(
    machine: TimeMachine, task: AnyTask, updates: int, lr: float | None = None
) -> Adapt | None:
    """Return the question how the chosen theta adapts to ``task``; None without checkpoints."""
    theta = chosen(machine)
    return Adapt(source=theta, task=task, updates=updates, lr=lr) if theta else None


def question_to(machine: TimeMachine, place: int, task: AnyTask, updates: int) -> Adapt:
    """Return the question how checkpoint number ``place`` adapts to ``task``."""
    return Adapt(source=saved(machine, place), task=task, updates=updates)
