"""The history of a session's runs, folded from events: evaluations, problems, checkpoints."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from core.evaluation.few_shot_tasks import ProbeName
from core.events import (
    AnyEvent,
    CommandRejected,
    Diverged,
    Evaluated,
    Extended,
    Failed,
    Finished,
    Paused,
    Resumed,
    RunState,
    Saved,
    Snapshot,
    Started,
    Stopped,
    Validated,
)

KEPT_EVALUATIONS = 2_000
"""Periodic evaluations of one run that the table and the chart keep."""

KEPT_HAPPENINGS = 200
"""Marks of one run that the charts keep."""

OPEN_TASKS = 200
"""Tasks that wait for a run which is behind; of more, every second one will not be shown."""

_ENDS = (Started, Finished, Diverged, Failed, Stopped, CommandRejected)
"""Events after which a run does not enter, or does not keep, the requested state."""

_Task = tuple[ProbeName, tuple[float, ...], tuple[float, ...]]


class Trouble(Struct, frozen=True):
    """Why a run ended, and what to try, if that is known."""

    problem: str
    advice: str = ""


class EventHistory:
    """History of some runs. The cost of an event does not grow with the length of the history."""

    def __init__(self, runs: Iterable[str]) -> None:
        self.runs: tuple[str, ...] = ()
        self.evaluations: dict[str, deque[Evaluated]] = {}
        """The periodic evaluations of each run, oldest first, without what draws them: a long run
        has thousands."""
        self.validations: dict[str, deque[Validated]] = {}
        """The validations of each run, oldest first."""
        self.happenings: dict[str, deque[tuple[int, str]]] = {}
        """Iterations at which the user had each run evaluated (e), saved (s) or paused (p)."""
        self.troubles: dict[str, Trouble] = {}
        """Why a run diverged or failed."""
        self.saved: dict[str, str] = {}
        """Path of the newest checkpoint of each run."""
        self.saved_at: dict[str, int] = {}
        """The newest iteration of each run that a checkpoint has."""
        self.wanted: dict[str, RunState] = {}
        """The state requested of a run, until its snapshot shows it: events come before the
        snapshots that they lead to."""
        self._moving: set[str] = set()
        self._newest: dict[tuple[str, ProbeName], Evaluated] = {}
        self._open: dict[_Task, dict[str, Evaluated]] = {}
        self._shared: dict[ProbeName, Mapping[str, Evaluated]] = {}
        self.add_runs(runs)

    def add_runs(self, runs: Iterable[str]) -> None:
        """Take further runs, besides those that are known."""
        for run in runs:
            self.runs = (*self.runs, run)
            self.evaluations[run] = deque(maxlen=KEPT_EVALUATIONS)
            self.validations[run] = deque(maxlen=KEPT_EVALUATIONS)
            self.happenings[run] = deque(maxlen=KEPT_HAPPENINGS)

    def add(self, events: Iterable[AnyEvent]) -> None:
        """Fold further events; events of unknown runs are ignored."""
        for event in events:
            if event.run in self.evaluations:
                self._add(event)

    def see(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Drop the requests that ``snapshots`` show as fulfilled."""
        for run, state in list(self.wanted.items()):
            if snapshots[run].state == state:
                del self.wanted[run]

    def newest(self, probe: ProbeName = "validation") -> Mapping[str, Evaluated]:
        """Return the newest evaluation of each run, a periodic one or ``probe``, on one task if
        possible.

        Training runs are shown on the newest task that all of them were evaluated on; a run that
        is not training and lacks that task is shown on its own newest one.
        """
        shared = self._shared.get(probe, {})
        shown = {}
        for run in self.runs:
            one = shared.get(run) or self._newest.get((run, probe))
            if one is not None:
                shown[run] = one
        return shown

    def of(self, probe: ProbeName, index: int) -> Sequence[Evaluated]:
        """Return the results of one requested evaluation, in the order of the runs."""
        found = (self._newest.get((run, probe)) for run in self.runs)
        return [one for one in found if one is not None and one.index == index]

    def still(self) -> "EventHistory":
        """Return a copy of what charts and tables need, which later events do not change."""
        copied = EventHistory(self.runs)
        for run in self.runs:
            copied.evaluations[run].extend(self.evaluations[run])
            copied.validations[run].extend(self.validations[run])
            copied.happenings[run].extend(self.happenings[run])
        copied._newest, copied._shared = dict(self._newest), dict(self._shared)
        return copied

    def _add(self, event: AnyEvent) -> None:
        run = event.run
        letter = _letter(event)
        if letter:
            self.happenings[run].append((event.iteration, letter))
        match event:
            case Evaluated():
                self._add_evaluation(event)
            case Validated():
                self.validations[run].append(event)
            case Saved(path=path, iteration=iteration):
                self.saved[run], self.saved_at[run] = path, iteration
            case Started(iteration=start):
                self._roll_back(run, start)
                self._shared = {}  # the others do not wait for the tasks of one that begins later
            case Diverged():
                self.troubles[run] = Trouble(event.problem, event.advice)
            case Failed():
                self.troubles[run] = Trouble(event.problem)
        match event:
            case Started(iteration=iteration, target=target) if iteration < target:
                self._moving.add(run)
            case Resumed() | Extended():
                self._moving.add(run)
            case Paused() | Finished() | Diverged() | Failed() | Stopped():
                self._moving.discard(run)
        if isinstance(event, _ENDS):
            self.wanted.pop(run, None)
        elif run in self.wanted and isinstance(event, Paused | Resumed | Extended):
            self.wanted[run] = "paused" if isinstance(event, Paused) else "training"

    def _roll_back(self, run: str, start: int) -> None:
        """Drop what was evaluated after ``start``, from which ``run`` repeats it."""
        self.saved_at.pop(run, None)
        if start:
            self.saved_at[run] = start
        kept: tuple[deque[Any], ...] = (self.evaluations[run], self.validations[run])
        for evaluations in kept:
            while evaluations and evaluations[-1].iteration > start:
                evaluations.pop()

    def _add_evaluation(self, event: Evaluated) -> None:
        if event.probe == "validation":
            self.evaluations[event.run].append(event.abridged())
        if event.is_abridged:
            return
        self._newest[event.run, event.probe] = event
        task = (event.probe, event.task, event.support_x)
        met = self._open.setdefault(task, {})
        met[event.run] = event
        if self._moving <= met.keys():
            self._shared[event.probe] = met
        if len(met) == len(self.runs):
            del self._open[task]
        elif len(self._open) > OPEN_TASKS:
            for each_second in list(self._open)[::2]:
                del self._open[each_second]


def mark_words(letters: Collection[str]) -> str:
    """Return what the ``letters`` of happenings mean."""
    words = {"e": "evaluated", "s": "saved", "p": "paused"}
    return ", ".join(f"{letter} {word}" for letter, word in words.items() if letter in letters)


def _letter(event: AnyEvent) -> str:
    """Return the letter of an event that the user caused; empty for all others."""
    match event:
        case Evaluated(probe=probe) if probe != "validation":
            return "e"
        case Saved(kind="hand"):
            return "s"
        case Paused():
            return "p"
    return ""
