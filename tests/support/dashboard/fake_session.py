"""A session that trains nothing: it stands still, answers commands at once, and notes them."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from core.algorithms.registry import ALGORITHMS
from core.analysis.answers import AnyAnswer
from core.analysis.battery import OnProgress
from core.analysis.questions import AnyQuestion
from core.analysis.service import AnalysisService, ignore_progress, never_cancelled
from core.analysis.theta_sources import LiveRun
from core.config import RunConfig
from core.engines.base import untrained
from core.evaluation.protocols import PROBES, ProbeName, draw_task
from core.events import (
    AnyCommand,
    AnyEvent,
    Command,
    CommandRejected,
    Curve,
    Diverged,
    Evaluate,
    Evaluated,
    EventHeader,
    Extend,
    Extended,
    Finished,
    Pause,
    Paused,
    Progress,
    Resume,
    Resumed,
    RunState,
    Save,
    Saved,
    SetPace,
    Snapshot,
    Started,
    Step,
    Stepped,
    Stopped,
)
from core.session.api import Connection, View
from core.tasks.sine import SineTasks
from core.tasks.sine_sampler import query_grid

TITLES = {"fomaml": "FOMAML", "reptile": "Reptile"}
TARGET = 50_000


@dataclasses.dataclass
class FakeSession:
    """Runs that stand at ``iterations`` once started; they move only when told to by a test."""

    iterations: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"fomaml": 12_300, "reptile": 18_700}
    )
    connection: Connection = dataclasses.field(default_factory=Connection)
    earlier: Sequence[AnyEvent] = ()
    folder: Path = Path("checkpoints")
    sent: list[tuple[AnyCommand, str | None]] = dataclasses.field(default_factory=list)
    calls: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self._seed = 0
        self._events: list[AnyEvent] = []
        self._listeners: list[Callable[[AnyEvent], None]] = []
        self.view: View = {}
        self._probes: dict[ProbeName, int] = {}
        self._bench = AnalysisService(self._live_run)
        self._snapshots = {f"{name}-1": _snapshot(f"{name}-1", name) for name in self.iterations}

    # What a session does.

    def start(self) -> None:
        self.calls.append("start")
        for run, snapshot in self._snapshots.items():
            at = self.iterations[snapshot.algorithm]
            self.say(Started(engine="torch", device="cpu", target=TARGET, **self._stamp(run)))
            for iteration in range(1_000, at + 1, 1_000):
                self._evaluated(run, "validation", iteration, iteration)
            self.say(Progress(loss=0.5, run=run, iteration=at, time=0.0))
            self.change(
                run,
                state="training" if at < TARGET else "finished",
                iteration=at,
                engine="torch",
                device="cpu",
                rate=3_912.0 if at < TARGET else 0.0,
                elapsed=at / 3_900,
                unsaved=at < TARGET,
                loss=0.531,
                best=0.0041,
                best_iteration=5_000 if at >= 5_000 else None,
                curve=_curve(at),
            )
            if at >= TARGET:
                self.say(Finished(**self._stamp(run)))

    def snapshots(self) -> Mapping[str, Snapshot]:
        return dict(self._snapshots)

    def events(self, since: int, reader: str = "client") -> Sequence[AnyEvent]:
        return self._events[since:]

    def history(self) -> Sequence[AnyEvent]:
        return self.earlier

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        self.sent.append((command, run))
        for name in self._snapshots:
            if run in (None, name):
                self._obey(command, name)

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        index = self._probes.get(probe, 0)
        self._probes[probe] = index + 1
        self.send(Evaluate(probe, index), run)

    def restart(self) -> None:
        self.calls.append("restart")
        self._seed += 1
        names = [snapshot.algorithm for snapshot in self._snapshots.values()]
        self._snapshots = {
            f"{name}-{self._seed + 1}": _snapshot(f"{name}-{self._seed + 1}", name)
            for name in names
        }

    def stop(self, *, save: bool) -> None:
        self.calls.append(f"stop save={save}")
        for run, snapshot in self._snapshots.items():
            if save and snapshot.unsaved:
                self._obey(Save(), run)
            if snapshot.state in ("training", "paused"):
                self.change(run, state="stopped")
                self.say(Stopped(**self._stamp(run)))

    def leave(self, *, terminated: bool) -> None:
        self.stop(save=True)

    def detach(self) -> None:
        self.calls.append("detach")

    def reconnect(self) -> None:
        self.calls.append("reconnect")

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        self.calls.append(f"resume {path}")
        return "7", ()

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        """Answered as a session would whose runs have their random initialisation."""
        return self._bench.answer(question, progress, cancelled)

    def folders(self) -> Mapping[str, Path]:
        return {run: self.folder / run for run in self._snapshots}

    def remember(self, view: View) -> None:
        self.view = view

    def remembered(self) -> View:
        return self.view

    # What one does that is handed on to others.

    def listen(self, listener: Callable[[AnyEvent], None]) -> None:
        self._listeners.append(listener)

    def story(self) -> tuple[Sequence[AnyEvent], int]:
        happened = list(self._events)
        told = [event for event in happened if not isinstance(event, Progress)]
        return told, len(happened)

    def tell(self, event: AnyEvent) -> None:
        self.say(event)

    # What a test makes happen.

    def change(self, run: str, **fields: object) -> None:
        self._snapshots[run] = msgspec.structs.replace(self._snapshots[run], **fields)

    def diverge(self, run: str) -> None:
        self.change(run, state="diverged", rate=0.0)
        self.say(
            Diverged(
                problem="the loss is no longer finite in iteration 12,301",
                advice="lower fomaml.outer_lr (now 5) or fomaml.inner_lr (now 0.02)",
                **self._stamp(run),
            )
        )

    def say(self, event: AnyEvent) -> None:
        self._events.append(event)
        for listener in self._listeners:
            listener(event)

    def finish(self, run: str) -> None:
        self.change(run, state="finished", iteration=TARGET, rate=0.0, unsaved=False)
        self.say(Finished(**self._stamp(run)))

    def commands(self, kind: type[Command]) -> list[str | None]:
        """The runs that were sent a command of this kind."""
        return [run for command, run in self.sent if isinstance(command, kind)]

    def _obey(self, command: Command, run: str) -> None:
        snapshot = self._snapshots[run]
        match command:
            case Pause() if snapshot.state == "training":
                self.change(run, state="paused", rate=0.0)
                self.say(Paused(**self._stamp(run)))
            case Resume() if snapshot.state == "paused":
                self.change(run, state="training", rate=3_912.0)
                self.say(Resumed(**self._stamp(run)))
            case Step(count) if snapshot.state == "paused":
                self.change(run, iteration=snapshot.iteration + count, unsaved=True)
                self.say(Stepped(count=count, **self._stamp(run)))
            case Extend() if snapshot.state == "finished":
                target = snapshot.target + TARGET
                self.change(run, state="training", target=target, rate=3_912.0)
                self.say(Extended(target=target, **self._stamp(run)))
            case Save():
                self.change(run, unsaved=False)
                path = f"checkpoints/{run}/{snapshot.iteration:09d}.safetensors"
                self.say(Saved(path=path, **self._stamp(run)))
            case SetPace(pace):
                self.change(run, pace=pace)
            case Evaluate(probe, index):
                self._evaluated(run, probe, index, snapshot.iteration)
            case _:
                name, reason = type(command).__name__.lower(), f"the run is {snapshot.state}"
                self.say(CommandRejected(command=name, reason=reason, **self._stamp(run)))

    def _evaluated(self, run: str, probe: ProbeName, index: int, iteration: int) -> None:
        task = draw_task(SineTasks(), self._seed, PROBES[probe], index)
        x = query_grid(SineTasks())
        lag = 0.1 if run.startswith("fomaml") else 0.2
        updates = PROBES[probe].steps
        self.say(
            Evaluated(
                probe=probe,
                index=index,
                amplitude=task.wave.amplitude,
                phase=task.wave.phase,
                support_x=tuple(task.support_x.tolist()),
                support_y=tuple(task.support_y.tolist()),
                query_x=tuple(x.tolist()),
                before=tuple((0.4 * np.sin(x)).tolist()),
                after=tuple((task.wave(x) * (1 - lag)).tolist()),
                losses=tuple(4.0 * math.exp(-lag * 5 * n) + lag / 5 for n in range(updates + 1)),
                training_loss=3.0 * math.exp(-iteration / 4_000) + 0.5,
                run=run,
                iteration=iteration,
                time=0.0,
            )
        )

    def _live_run(self, run: str) -> LiveRun | None:
        if run not in self._snapshots:
            return None
        one = self._snapshots[run]
        config = RunConfig(algorithm=ALGORITHMS[one.algorithm](), engine="torch")
        theta = untrained(config).theta
        return LiveRun(config, one.iteration, theta, Path("checkpoints", run))

    def _stamp(self, run: str) -> EventHeader:
        return {"run": run, "iteration": self._snapshots[run].iteration, "time": 0.0}


def state(session: FakeSession, run: str) -> RunState:
    """The state of a run."""
    return session.snapshots()[run].state


def _snapshot(run: str, algorithm: str) -> Snapshot:
    return Snapshot(
        run=run,
        algorithm=algorithm,
        title=TITLES[algorithm],
        state="loading",
        iteration=0,
        target=TARGET,
        rate=0.0,
        elapsed=0.0,
        engine="auto",
        device="auto",
        pace=None,
        unsaved=False,
        loss=None,
        best=None,
        best_iteration=None,
        curve=Curve(),
        theta=None,
        preparing="loading PyTorch",
    )


def _curve(iteration: int) -> Curve:
    ends = range(50, iteration + 1, 50)
    return Curve(
        tuple(ends), tuple(4.0 * math.exp(-end / 3_000) + 0.5 + 0.1 * math.sin(end) for end in ends)
    )
