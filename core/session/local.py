"""Several runs in threads of this process, behind the session interface."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from core.analysis.answers import AnyAnswer
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.executors import Executors
from core.analysis.questions import AnyQuestion
from core.analysis.service import AnalysisService
from core.analysis.theta_sources import LiveRun
from core.commands import AnyCommand, Evaluate, Stop
from core.errors import RunFolderError, SessionError
from core.evaluation.few_shot_tasks import ProbeName
from core.events import AnyEvent, CommandRejected, Snapshot
from core.session.api import Connection, View
from core.session.event_backlog import EventBacklog, EventBuffer
from core.session.run_requests import AddRequest, plan_all, require_room, undo
from core.training.run_plan import Plan, plan_new
from core.training.trainer import Trainer


def plan_next_seed(plan: Plan) -> Plan:
    """Plan a run as ``plan`` with the next seed, in a new folder beside it."""
    config = dataclasses.replace(plan.config, seed=plan.config.seed + 1)
    return plan_new(config, plan.folder.path.parent, None, plan.pace, plan.saving)


class LocalSession:
    """A session whose runs train in worker threads of this process."""

    connection = Connection()

    def __init__(
        self,
        plans: Sequence[Plan],
        *,
        make_trainer: Callable[[Plan, Callable[[AnyEvent], None]], Trainer] = Trainer,
        plan_restart: Callable[[Plan], Plan] = plan_next_seed,
        plan_added: Callable[[AddRequest, Plan], Plan] = AddRequest.plan,
    ) -> None:
        """Raises ``RunFolderError`` where two plans have one name."""
        self._make_trainer = make_trainer
        self._plan_restart = plan_restart
        self._plan_added = plan_added
        self._events = EventBuffer()
        self._backlog = EventBacklog()
        self._listeners: list[Callable[[AnyEvent], None]] = []
        self._probes: dict[ProbeName, int] = {}
        self._analysis = AnalysisService(self._live_run)
        self._executors = Executors("analysis")
        self._view: View = {}
        self._published = threading.Condition()
        self._changing = threading.RLock()
        self._has_begun = False
        self._is_over = False
        self._trainers = self._make_trainers(plans)

    def start(self) -> None:
        with self._changing:
            self._has_begun = True
            for trainer in self._trainers.values():
                trainer.start()

    def snapshots(self) -> Mapping[str, Snapshot]:
        return {name: trainer.snapshot for name, trainer in self._trainers.items()}

    @property
    def first_new(self) -> int:
        return 0

    def events(self, since: int, reader: str = "client") -> Sequence[AnyEvent]:
        with self._published:
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
                self._reject(command, trainer)

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        index = self._probes.get(probe, 0)
        self._probes[probe] = index + 1
        self.send(Evaluate(probe, index), run)

    def restart(self) -> None:
        with self._changing:
            if self._is_over:
                raise SessionError("the runs are stopping")
            old = self._trainers
            # The new runs are visible before the old ones have ended: at no moment have all runs
            # ended, which is what clients wait for.
            plans = plan_all(self._plan_restart(trainer.plan) for trainer in old.values())
            self._trainers = self._make_trainers(plans)
            _end(old.values(), save=True)
            with self._published:
                self._backlog.drop_all_but(self._trainers)
            self.start()

    def add(self, request: AddRequest) -> str:
        with self._changing:
            if self._is_over:
                raise SessionError("the runs are stopping")
            beside = self._trainers.get(request.beside)
            if beside is None:
                raise SessionError(f"there is no run {request.beside[:100]!r}")
            require_room(len(self._trainers) + 1, "start another session")
            pace = beside.snapshot.pace
            plan = self._plan_added(request, dataclasses.replace(beside.plan, pace=pace))
            try:
                trainers = self._make_trainers([plan], self._trainers)
            except BaseException:
                undo([plan])
                raise
            self._trainers = trainers
            if self._has_begun:
                trainers[plan.folder.name].start()
            return plan.folder.name

    def stop(self, *, save: bool) -> None:
        with self._changing:
            self._is_over = True
            _end(self._trainers.values(), save=save)

    def leave(self, *, terminated: bool) -> None:
        self.stop(save=True)

    def detach(self) -> None:
        """Do nothing: the runs are in this process."""

    def reconnect(self) -> None:
        """Do nothing: runs in this process are never out of reach."""

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        """Refuse: a process that trains its own runs starts no sessions."""
        raise SessionError("no other session can be started from here")

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        executor = self._executors.executor_for(question)
        return executor.submit(self._analysis.answer, question, progress, cancelled).result()

    def folders(self) -> Mapping[str, Path]:
        return {name: trainer.folder for name, trainer in self._trainers.items()}

    def remember(self, view: View) -> None:
        self._view = view

    def remembered(self) -> View:
        return self._view

    def wait_for_events(self, seen: int, timeout: float) -> None:
        """Sleep until there are more than ``seen`` events, at most ``timeout`` seconds."""
        with self._published:
            self._published.wait_for(lambda: self._events.end > seen, timeout)

    # For a server that offers this session to other processes.

    def add_listener(self, listener: Callable[[AnyEvent], None]) -> None:
        """Call ``listener`` with each event, in the thread where it happens."""
        self._listeners.append(listener)

    def backlog(self) -> tuple[Sequence[AnyEvent], int]:
        """Return the condensed events of this session, and the number of the next event."""
        with self._published:
            return self._backlog.events(), self._events.end

    def publish(self, event: AnyEvent) -> None:
        """Append ``event`` for all clients."""
        with self._published:
            self._events.append(event)
            self._backlog.add(event)
            self._published.notify_all()
        for listener in self._listeners:
            listener(event)

    def _make_trainers(
        self, plans: Iterable[Plan], present: Mapping[str, Trainer] | None = None
    ) -> dict[str, Trainer]:
        """Return those ``present`` and one for each of ``plans``."""
        trainers = dict(present or {})
        for plan in plans:
            if plan.folder.name in trainers:
                problem = f"two runs are named {plan.folder.name!r}"
                raise RunFolderError(plan.folder.path, problem, "choose runs with different names")
            trainers[plan.folder.name] = self._make_trainer(plan, self.publish)
        return trainers

    def _live_run(self, name: str) -> LiveRun | None:
        trainer = self._trainers.get(name)
        if trainer is None:
            return None
        now = trainer.snapshot
        return LiveRun(trainer.plan.config, now.iteration, now.theta, trainer.folder)

    def _reject(self, command: AnyCommand, run: Trainer) -> None:
        snapshot = run.snapshot
        reason = "too many commands are waiting; try again"
        if run.join(0):
            has_begun = snapshot.state != "loading"
            reason = f"the run has {snapshot.state}" if has_begun else "the run has not begun"
            if isinstance(command, Stop):
                return
        self.publish(
            CommandRejected(
                run=run.name,
                iteration=snapshot.iteration,
                time=time.time(),
                command=type(command).__name__.lower(),
                reason=reason,
            )
        )


def _end(runs: Iterable[Trainer], *, save: bool) -> None:
    """End runs and wait for them."""
    ending = list(runs)
    for run in ending:
        # Too many commands may be waiting: there is room again after the next chunk.
        while not run.send(Stop(save)) and not run.join(0.01):
            pass
    for run in ending:
        run.join()
