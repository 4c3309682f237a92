"""Several runs together: the one thing that faces talk to."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from core.adaptation import ProbeName
from core.bench.answering import Bench, never, unheard
from core.bench.answers import AnyAnswer
from core.bench.lanes import Lanes
from core.bench.questions import AnyQuestion
from core.bench.sources import LiveRun
from core.bench.surveying import OnProgress
from core.checkpoint import load_checkpoint
from core.config import RunConfig, Saving
from core.decoding import decode
from core.errors import LabError, RunFolderError, SessionError
from core.events import AnyCommand, AnyEvent, Evaluate, Refused, Snapshot, Stop
from core.plan import Plan
from core.reading import is_text
from core.run_folder import RunFolder, create_run_folder, read_record
from core.standing import newest_good
from core.story import Events, Story
from core.trainer import Trainer

View = dict[str, str | bool | None]
"""What a face was looking at when it was left: its own words, which nobody else reads."""


class Connection(msgspec.Struct, frozen=True):
    """How a face is connected to the runs.

    ``id`` names a session that goes on without the face; None where the runs end with its process.
    A ``read_only`` face may not command. ``watchers`` counts the faces, this one included.
    ``lost`` says why the runs are out of reach, and is empty while they are not; where the face was
    ``dropped`` they train on all the same. ``ended`` tells that all of them were told to end.
    """

    id: str | None = None
    read_only: bool = False
    watchers: int = 1
    lost: str = ""
    dropped: bool = False
    ended: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether the runs train on without this face."""
        return bool(self.id) and not self.ended and (self.dropped or not self.lost)


class Session(Protocol):
    """What a face can see and do, wherever the runs live."""

    @property
    def connection(self) -> Connection:
        """How the runs are reached."""

    def start(self) -> None:
        """Begin to train; returns at once."""

    def snapshots(self) -> Mapping[str, Snapshot]:
        """The newest snapshot of each run, by name, in the order of the runs."""

    def events(self, since: int, reader: str = "face") -> Sequence[AnyEvent]:
        """Events of all runs in order, from number ``since`` on.

        Those long before it are forgotten, once every ``reader`` has asked for later ones.
        """

    def history(self) -> Sequence[AnyEvent]:
        """Events of earlier sittings of the present runs, up to where each was resumed."""

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        """Hand a command to ``run``, or to every run; its effect shows in events and snapshots."""

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        """Evaluate ``run``, or every run, on the next task of ``probe``: the same for all."""

    def fresh(self) -> None:
        """End the runs with a save, and begin them anew with the next seed. Waits for the save.

        Raises ``LabError``, and leaves the runs alone, where that cannot be.
        """

    def stop(self, *, save: bool) -> None:
        """End every run and wait for it; there are no fresh runs after that."""

    def leave(self, *, told: bool) -> None:
        """Leave without being asked: ``told`` to end by a signal, else hung up on or at fault.

        Runs that would be out of reach are saved and ended, and so are those that a face began
        which is told to end.
        """

    def detach(self) -> None:
        """Leave runs that go on without the face."""

    def revive(self) -> None:
        """Reach runs that were lost: attach to them again, or train on from where they were saved.

        Raises ``LabError``.
        """

    def resume_beside(self, path: Path) -> tuple[str, Sequence[str]]:
        """Let the run kept at ``path`` go on in a session of its own; waits until it is there.

        Gives the name of that session, and what is to be said to a person. Raises ``LabError``.
        """

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = unheard,
        cancelled: Callable[[], bool] = never,
    ) -> AnyAnswer:
        """Compute something of the runs, beside their training; waits for the answer.

        ``progress`` and ``cancelled`` are called in any thread: how many of how many tasks are
        done, and whether nobody wants to know any more. Raises ``LabError``.
        """

    def folders(self) -> Mapping[str, Path]:
        """Where each run is kept, by name, in the order of the runs."""

    def remember(self, view: View) -> None:
        """Keep ``view`` for the next face."""

    def remembered(self) -> View:
        """What was looked at last; empty at first."""


class LocalSession:
    """A session whose runs train in worker threads of this process."""

    connection = Connection()

    def __init__(self, plans: Sequence[Plan]) -> None:
        """Raises ``RunFolderError`` where two plans have one name."""
        self._trainers: dict[str, Trainer] = {}
        self._events = Events()
        self._story = Story()
        self._listeners: list[Callable[[AnyEvent], None]] = []
        self._probes: dict[ProbeName, int] = {}
        self._bench = Bench(self._live_run)
        self._lanes = Lanes("bench")
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

    def events(self, since: int, reader: str = "face") -> Sequence[AnyEvent]:
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

    def fresh(self) -> None:
        with self._changing:
            if self._over:
                raise SessionError("the runs have been told to end")
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

    def leave(self, *, told: bool) -> None:
        self.stop(save=True)

    def detach(self) -> None:
        """Nothing: the runs are in this process."""

    def revive(self) -> None:
        """Nothing: runs in this process are never out of reach."""

    def resume_beside(self, path: Path) -> tuple[str, Sequence[str]]:
        """Refused: where these runs have no session of their own, no others can have one."""
        raise SessionError("no other session can be begun from here")

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = unheard,
        cancelled: Callable[[], bool] = never,
    ) -> AnyAnswer:
        lane = self._lanes.of(question)
        return lane.submit(self._bench.answer, question, progress, cancelled).result()

    def folders(self) -> Mapping[str, Path]:
        return {name: trainer.folder for name, trainer in self._trainers.items()}

    def remember(self, view: View) -> None:
        self._view = view

    def remembered(self) -> View:
        return self._view

    def wait_for_news(self, seen: int, timeout: float) -> None:
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
                problem = f"two runs are called {plan.folder.name!r}"
                raise RunFolderError(plan.folder.path, problem, "give runs of different names")
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
            Refused(
                run=trainer.name,
                iteration=snapshot.iteration,
                time=time.time(),
                command=type(command).__name__.lower(),
                reason=reason,
            )
        )


def plan_new(
    config: RunConfig,
    out: Path,
    name: str | None,
    pace: float | None = None,
    saving: Saving | None = None,
) -> Plan:
    """A run from scratch in a new folder under ``out``, which is locked for it.

    Without a ``name`` it is called after its algorithm and the time. Raises ``RunFolderError``.
    """
    algorithm = config.algorithm.name
    chosen = f"{algorithm}-{name or time.strftime('%Y%m%d-%H%M%S')}"
    folder = create_run_folder(out, chosen, unique=name is None)
    return Plan(config, folder, pace=pace, saving=saving or Saving())


def run_folder(path: Path) -> Path:
    """The folder of the run at ``path``, which is that folder or a checkpoint in it."""
    return (path.parent if path.is_file() else path).resolve()


def plan_resumed(path: Path, iterations: int | None = None, pace: float | None = None) -> Plan:
    """The run of a folder, or of one checkpoint in it, to go on to ``iterations`` if given.

    Of a folder the newest checkpoint that is good is taken; the plan's remarks tell of those that
    are not. The folder is locked. Raises ``CheckpointError`` or ``RunFolderError``.
    """
    folder = RunFolder(run_folder(path))
    if not is_text(folder.path):
        raise RunFolderError(folder.path, "its name is no text in UTF-8", "rename it")
    if not path.is_dir():
        load_checkpoint(path)  # what is no checkpoint is told before what is no run folder
    if not (folder.path / "run.json").is_file():
        raise RunFolderError(
            folder.path, "this is no run folder (it has no run.json)", "move the checkpoint back"
        )
    folder.lock()
    try:
        return _plan_resumed(folder, path, iterations, pace)
    except BaseException:
        folder.release()
        raise


def _plan_resumed(
    folder: RunFolder, path: Path, iterations: int | None, pace: float | None
) -> Plan:
    record = read_record(folder.path)
    history = tuple(_renamed(folder.past_events(), folder.name))
    if path.is_dir():
        checkpoint, file, remarks = newest_good(path, history, record.config)
    else:
        checkpoint, file, remarks = load_checkpoint(path), path, ()
    at = checkpoint.state.iteration
    if iterations is not None and iterations < at:
        raise RunFolderError(
            path, f"the run is at iteration {at:,} already", f"give more than {at:,} --iterations"
        )
    return Plan(
        checkpoint.config,
        folder,
        resumed=checkpoint,
        resumed_from=str(file),
        history=history,
        target=iterations,
        pace=pace,
        saving=decode(Saving, record.saving, "saving"),
        record=record,
        remarks=remarks,
    )


def _renamed(events: Iterable[AnyEvent], run: str) -> Iterator[AnyEvent]:
    """``events`` as of ``run``, which a folder that was renamed had another name for."""
    for event in events:
        yield event if event.run == run else msgspec.structs.replace(event, run=run)


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
