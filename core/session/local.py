"""Several runs together: the one thing that faces talk to."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from core.analysis.answers import AnyAnswer
from core.analysis.battery import OnProgress
from core.analysis.executors import Executors
from core.analysis.questions import AnyQuestion
from core.analysis.service import AnalysisService, ignore_progress, never_cancelled
from core.analysis.theta_sources import LiveRun
from core.errors import LabError, RunFolderError, SessionError
from core.evaluation.protocols import ProbeName
from core.events import AnyCommand, AnyEvent, CommandRejected, Evaluate, Snapshot, Stop
from core.session.api import Connection, View
from core.session.event_backlog import EventBacklog, EventBuffer
from core.training.run_plan import Plan, plan_new
from core.training.trainer import Trainer


class LocalSession:
    """A session whose runs train in worker threads of this process."""

    connection = Connection()

    def __init__(self, plans: Sequence[Plan]) -> None:
        """Raises ``RunFolderError`` where two plans have one name."""
        self._trainers: dict[str, Trainer] = {}
        self._events = EventBuffer()
        self._story = EventBacklog()
        self._listeners: list[Callable[[AnyEvent], None]] = []
        self._probes: dict[ProbeName, int] = {}
        self._bench = AnalysisService(self._live_run)
        self._lanes = Executors("bench")
        self._view: View = {}
        self._news = threading.Condition()
        self._changing = threading.Lock()
        self._over = False
        self._trainers = self._made(plans)

    def start(self) -> None:
        """Begin to train; returns at once."""
        for trainer in self._trainers.values():
            trainer.start()

    def snapshots(self) -> Mapping[str, Snapshot]:
        return {name: trainer.snapshot for name, trainer in self._trainers.items()}

    def events(self, since: int, reader: str = "client") -> Sequence[AnyEvent]:
        with self._news:
            return self._events.since(since, reader)

    def history(self) -> Sequence[AnyEvent]:
        plans = [trainer.plan for trainer in self._trainers.values()]
        return [
            event
            for plan in plans
            for event in plan.history
            if plan.resumed and event.iteration <= plan.resumed.state.iteration
        ]

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        for name, trainer in list(self._trainers.items()):
            if run in (None, name) and not trainer.send(command):
                self._turn_away(command, trainer)

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        index = self._probes.get(probe, 0)
        self._probes[probe] = index + 1
        self.send(Evaluate(probe, index), run)

    def restart(self) -> None:
        with self._changing:
            if self._over:
                raise SessionError("the runs are stopping")
            old = self._trainers
            # The new runs are seen before the old ones have ended: there is no moment in which all
            # runs have, for which others wait.
            self._trainers = self._made(_next_plans([one.plan for one in old.values()]))
            _end(old.values(), save=True)
            self._keep_story()
            self.start()

    def stop(self, *, save: bool) -> None:
        with self._changing:
            self._over = True
            _end(self._trainers.values(), save=save)

    def leave(self, *, terminated: bool) -> None:
        self.stop(save=True)

    def detach(self) -> None:
        """Nothing: the runs are in this process."""

    def reconnect(self) -> None:
        """Nothing: runs in this process are never out of reach."""

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        """Refused: where these runs have no session of their own, no others can have one."""
        raise SessionError("no other session can be started from here")

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        lane = self._lanes.executor_for(question)
        return lane.submit(self._bench.answer, question, progress, cancelled).result()

    def folders(self) -> Mapping[str, Path]:
        return {name: trainer.folder for name, trainer in self._trainers.items()}

    def remember(self, view: View) -> None:
        self._view = view

    def remembered(self) -> View:
        return self._view

    def wait_for_events(self, seen: int, timeout: float) -> None:
        """Sleep until there are more than ``seen`` events, at most ``timeout`` seconds."""
        with self._news:
            self._news.wait_for(lambda: self._events.end > seen, timeout)

    # What one needs who hands this session on to others.

    def listen(self, listener: Callable[[AnyEvent], None]) -> None:
        """Call ``listener`` with each event, in the thread where it happens."""
        self._listeners.append(listener)

    def story(self) -> tuple[Sequence[AnyEvent], int]:
        """The events of this sitting, condensed, and the number of the next one."""
        with self._news:
            return self._story.told(), self._events.end

    def tell(self, event: AnyEvent) -> None:
        """Let all who watch know of ``event``."""
        with self._news:
            self._events.append(event)
            self._story.add(event)
            self._news.notify_all()
        for listener in self._listeners:
            listener(event)

    def _made(self, plans: Sequence[Plan]) -> dict[str, Trainer]:
        trainers: dict[str, Trainer] = {}
        for plan in plans:
            if plan.folder.name in trainers:
                problem = f"two runs are named {plan.folder.name!r}"
                raise RunFolderError(plan.folder.path, problem, "choose runs with different names")
            trainers[plan.folder.name] = Trainer(plan, self.tell)
        return trainers

    def _keep_story(self) -> None:
        with self._news:
            self._story.keep(self._trainers)

    def _live_run(self, name: str) -> LiveRun | None:
        trainer = self._trainers.get(name)
        if trainer is None:
            return None
        now = trainer.snapshot
        return LiveRun(trainer.plan.config, now.iteration, now.theta, trainer.folder)

    def _turn_away(self, command: AnyCommand, trainer: Trainer) -> None:
        snapshot = trainer.snapshot
        reason = "too many commands wait; try again"
        if trainer.join(0):
            begun = snapshot.state != "loading"
            reason = f"the run has {snapshot.state}" if begun else "the run has not begun"
            if isinstance(command, Stop):
                return
        self.tell(
            CommandRejected(
                run=trainer.name,
                iteration=snapshot.iteration,
                time=time.time(),
                command=type(command).__name__.lower(),
                reason=reason,
            )
        )


def _end(trainers: Iterable[Trainer], *, save: bool) -> None:
    """End runs and wait for them."""
    ending = list(trainers)
    for trainer in ending:
        # Too many commands may wait: there is room again after the next chunk.
        while not trainer.send(Stop(save)) and not trainer.join(0.01):
            pass
    for trainer in ending:
        trainer.join()


def _next_plans(plans: Iterable[Plan]) -> list[Plan]:
    """Plans with the next seed; where one is not possible, no folder is left of the others."""
    made: list[Plan] = []
    try:
        for plan in plans:
            config = dataclasses.replace(plan.config, seed=plan.config.seed + 1)
            out = plan.folder.path.parent
            made.append(plan_new(config, out, None, plan.pace, plan.saving))
    except LabError:
        for plan in made:
            plan.folder.discard()
        raise
    return made
