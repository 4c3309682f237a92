"""What has happened so far, folded from events: evaluations to draw, problems, saved files."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.evaluation.protocols import ProbeName
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
)

KEPT_EVALUATIONS = 2_000
"""Periodic evaluations of one run that the table and the chart keep."""

KEPT_HAPPENINGS = 200
"""Marks of one run that the charts keep."""

OPEN_TASKS = 200
"""Tasks that wait for a run which is behind; of more, every second one will not be shown."""

_ENDS = (Started, Finished, Diverged, Failed, Stopped, CommandRejected)
"""What a run says when it does not enter the state that it was told to, or will not keep it."""

_Task = tuple[ProbeName, float, float, tuple[float, ...]]


@dataclass(frozen=True)
class Trouble:
    """Why a run ended, and what to try, if that is known."""

    problem: str
    advice: str = ""


class EventHistory:
    """The story of some runs. Each event costs the same, however long the story is."""

    def __init__(self, runs: Iterable[str]) -> None:
        self.runs = tuple(runs)
        self.evaluations: dict[str, deque[Evaluated]] = {
            run: deque(maxlen=KEPT_EVALUATIONS) for run in self.runs
        }
        """The periodic evaluations of each run, oldest first, without what draws them: a long run
        has thousands."""
        self.happenings: dict[str, deque[tuple[int, str]]] = {
            run: deque(maxlen=KEPT_HAPPENINGS) for run in self.runs
        }
        """Where a person had each run evaluated (e), saved (s) or paused (p)."""
        self.troubles: dict[str, Trouble] = {}
        """Why a run diverged or failed."""
        self.saved: dict[str, str] = {}
        """Path of the newest checkpoint of each run."""
        self.saved_at: dict[str, int] = {}
        """The newest iteration of each run that a checkpoint has."""
        self.wanted: dict[str, RunState] = {}
        """The state that a run was told to enter, until its snapshot shows it: an event comes
        before the snapshot that it makes."""
        self._moving: set[str] = set()
        self._newest: dict[tuple[str, ProbeName | None], Evaluated] = {}
        self._open: dict[_Task, dict[str, Evaluated]] = {}
        self._shared: dict[ProbeName | None, Mapping[str, Evaluated]] = {}

    def add(self, events: Iterable[AnyEvent]) -> None:
        """Fold further events; those of unknown runs are passed over."""
        for event in events:
            if event.run in self.evaluations:
                self._add(event)

    def see(self, snapshots: Mapping[str, Snapshot]) -> None:
        """Of runs that ``snapshots`` show as they were told to be nothing is wanted any more."""
        for run, state in list(self.wanted.items()):
            if snapshots[run].state == state:
                del self.wanted[run]

    def newest(self, probe: ProbeName | None = None) -> Mapping[str, Evaluated]:
        """The newest evaluation of each run, of ``probe`` if given, on one task if possible.

        All runs that train are shown on the newest task that all of them have met; a run that
        rests, and has not met it, is shown on its own newest one.
        """
        shared = self._shared.get(probe, {})
        shown = {}
        for run in self.runs:
            one = shared.get(run) or self._newest.get((run, probe))
            if one is not None:
                shown[run] = one
        return shown

    def of(self, probe: ProbeName, index: int) -> Sequence[Evaluated]:
        """What is known of one asked evaluation, in the order of the runs."""
        found = (self._newest.get((run, probe)) for run in self.runs)
        return [one for one in found if one is not None and one.index == index]

    def still(self) -> "EventHistory":
        """What charts and tables need of it, as it is now."""
        copied = EventHistory(self.runs)
        for run in self.runs:
            copied.evaluations[run].extend(self.evaluations[run])
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
                self._note(event)
            case Saved(path=path, iteration=iteration):
                self.saved[run], self.saved_at[run] = path, iteration
            case Started(iteration=start):
                self._take_back(run, start)
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

    def _take_back(self, run: str, start: int) -> None:
        """``run`` starts where it was saved: what came after it will be told once more."""
        self.saved_at.pop(run, None)
        if start:
            self.saved_at[run] = start
        told = self.evaluations[run]
        while told and told[-1].iteration > start:
            told.pop()

    def _note(self, event: Evaluated) -> None:
        if event.probe == "validation":
            self.evaluations[event.run].append(event.abridged())
        if not event.is_drawable:
            return
        self._newest[event.run, event.probe] = self._newest[event.run, None] = event
        task = (event.probe, event.amplitude, event.phase, event.support_x)
        met = self._open.setdefault(task, {})
        met[event.run] = event
        if self._moving <= met.keys():
            self._shared[event.probe] = self._shared[None] = met
        if len(met) == len(self.runs):
            del self._open[task]
        elif len(self._open) > OPEN_TASKS:
            for each_second in list(self._open)[::2]:
                del self._open[each_second]


def _letter(event: AnyEvent) -> str:
    """The letter of what a person made happen; nothing for what comes by itself."""
    match event:
        case Evaluated(probe=probe) if probe != "validation":
            return "e"
        case Saved(kind="hand"):
            return "s"
        case Paused():
            return "p"
    return ""
