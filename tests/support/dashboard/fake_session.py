"""A local session of fake runs: they train nothing, and obey commands at once."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.algorithms.registry import ALGORITHMS
from core.analysis.theta_sources import LiveRun
from core.commands import (
    AnyCommand,
    Command,
    Evaluate,
    Extend,
    Pause,
    Resume,
    Save,
    SetPace,
    Step,
    Stop,
)
from core.config import RunConfig
from core.engines.base import untrained
from core.evaluation.few_shot_tasks import PROBES, ProbeName, draw_task, task_fields
from core.events import (
    AnyEvent,
    CommandRejected,
    Curve,
    Diverged,
    Evaluated,
    EventHeader,
    Extended,
    Finished,
    Paused,
    Progress,
    Resumed,
    RunState,
    Saved,
    Snapshot,
    Started,
    Stepped,
    Stopped,
    Validated,
    spent,
)
from core.session.api import Connection
from core.session.local import LocalSession
from core.session.run_requests import AddRequest
from core.storage.run_folder import RunFolder
from core.tasks.family import TaskFamily
from core.tasks.functions import query_grid
from core.training.run_plan import Plan
from core.training.schedule import is_validated

TARGET = 50_000
RATE = 3_912.0


class FakeTrainer:
    """A run that stays at one iteration; it changes only by commands and by its test."""

    def __init__(self, plan: Plan, publish: Callable[[AnyEvent], None], iteration: int) -> None:
        self.name = plan.folder.name
        self.plan = plan
        self.folder = plan.folder.path
        self._publish = publish
        self._start_at = iteration
        self._is_loading = False
        self._validated: list[Validated] = []
        self.snapshot = Snapshot(
            run=self.name,
            algorithm=plan.config.algorithm.name,
            title=plan.config.algorithm.title,
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
            curve=Curve(),
            theta=None,
            preparing="loading PyTorch",
            config=plan.config.to_dict(complete=True),
            budget=plan.config.algorithm.budget,
        )

    def start(self) -> None:
        if self.plan.config.seed and not self._is_loading:
            self._is_loading = True  # a restarted run stays so, until the test starts it
            return
        at = self._start_at
        self._publish(Started(engine="torch", device="cpu", target=TARGET, **self.header))
        for iteration in range(1_000, at + 1, 1_000):
            self.evaluate("validation", iteration, iteration)
        for iteration in (0, *range(100, at + 1, 100)):
            if is_validated(self.plan.config, iteration):
                self._validate(iteration)
        self._publish(Progress(loss=0.5, run=self.name, iteration=at, time=0.0))
        self.change(
            state="training" if at < TARGET else "finished",
            iteration=at,
            engine="torch",
            device="cpu",
            rate=RATE if at < TARGET else 0.0,
            elapsed=at / 3_900,
            unsaved=at < TARGET,
            loss=0.531,
            best=self._validated[-1].result,
            curve=_curve(at),
        )
        if at >= TARGET:
            self._publish(Finished(**self.header))

    def send(self, command: AnyCommand) -> bool:
        snapshot = self.snapshot
        match command:
            case Pause() if snapshot.state == "training":
                self.change(state="paused", rate=0.0)
                self._publish(Paused(**self.header))
            case Resume() if snapshot.state == "paused":
                self.change(state="training", rate=RATE)
                self._publish(Resumed(**self.header))
            case Step(count) if snapshot.state == "paused":
                self.change(iteration=snapshot.iteration + count, unsaved=True)
                self._publish(Stepped(count=count, **self.header))
            case Extend() if snapshot.state == "finished":
                target = snapshot.target + TARGET
                self.change(state="training", target=target, rate=RATE)
                self._publish(Extended(target=target, **self.header))
            case Save():
                self._save()
            case SetPace(pace):
                self.change(pace=pace)
            case Evaluate(probe, index):
                self.evaluate(probe, index, snapshot.iteration)
            case Stop(save):
                if save and snapshot.unsaved:
                    self._save()
                if snapshot.state in ("training", "paused"):
                    self.change(state="stopped")
                    self._publish(Stopped(**self.header))
            case _:
                name, reason = type(command).__name__.lower(), f"the run is {snapshot.state}"
                self._publish(CommandRejected(command=name, reason=reason, **self.header))
        return True

    def join(self, timeout: float | None = None) -> bool:
        return True

    @property
    def header(self) -> EventHeader:
        return {"run": self.name, "iteration": self.snapshot.iteration, "time": 0.0}

    def change(self, **fields: object) -> None:
        self.snapshot = msgspec.structs.replace(self.snapshot, **fields)

    def evaluate(self, probe: ProbeName, index: int, iteration: int) -> None:
        config = self.plan.config
        lag = 0.1 if self.name.startswith("fomaml") else 0.2
        self._publish(
            Evaluated(
                **drawn(config.tasks, config.seed, probe, index, lag),
                training_loss=3.0 * math.exp(-iteration / 4_000) + 0.5,
                run=self.name,
                iteration=iteration,
                time=0.0,
            )
        )

    def _validate(self, iteration: int) -> None:
        config = self.plan.config
        lag = 0.05 if self.name.startswith("fomaml") else 0.063
        lag *= 1 + self.snapshot.config["seed"] % 10 / 20
        steps = config.validation.reported_steps
        mean = tuple(
            lag + 4.5 * math.exp(-step / 10 - iteration / (100 + 400 * step)) for step in steps
        )
        validated = Validated(
            steps=steps,
            mean=mean,
            low=tuple(0.8 * value for value in mean),
            high=tuple(1.2 * value for value in mean),
            median=tuple(0.6 * value for value in mean),
            diverged=(0,) * len(steps),
            losses=(mean[-1],) * config.validation.tasks,
            spent=spent(config.algorithm.budget, iteration, iteration / 3_900),
            run=self.name,
            iteration=iteration,
            time=0.0,
        )
        self._validated.append(validated)
        self._publish(validated)

    def _save(self) -> None:
        self.change(unsaved=False)
        path = f"checkpoints/{self.name}/{self.snapshot.iteration:09d}.safetensors"
        self._publish(Saved(path=path, **self.header))


@functools.cache
def drawn(
    family: TaskFamily, seed: int, probe: ProbeName, index: int, lag: float
) -> Mapping[str, Any]:
    """Return the part of an evaluation that follows from its task, and ``lag`` behind the wave."""
    task = draw_task(family, seed, PROBES[probe], index)
    x = query_grid(family)
    steps = range(PROBES[probe].steps + 1)
    return {
        "probe": probe,
        "index": index,
        **task_fields(task.function, x),
        "support_x": tuple(task.support_x[:, 0].tolist()),
        "support_y": tuple(task.support_y[:, 0].tolist()),
        "query_x": tuple(x[:, 0].tolist()),
        "before": tuple((0.4 * np.sin(x[:, 0])).tolist()),
        "after": tuple((task.function(x)[:, 0] * (1 - lag)).tolist()),
        "losses": tuple(4.0 * math.exp(-lag * 5 * n) + lag / 5 for n in steps),
    }


class FakeSession(LocalSession):
    """Records the calls and commands that it receives; its runs start at ``iterations``.

    These have names of algorithms, or of runs where an algorithm has several: ``fomaml-7``.
    """

    def __init__(
        self,
        iterations: Mapping[str, int] | None = None,
        connection: Connection | None = None,
        earlier: Sequence[AnyEvent] = (),
        folder: Path = Path("checkpoints"),
    ) -> None:
        self.earlier = earlier
        self.folder = folder
        self.sent: list[tuple[AnyCommand, str | None]] = []
        self.calls: list[str] = []
        starts = iterations or {"fomaml": 12_300, "reptile": 18_700}
        self.trainers: dict[str, FakeTrainer] = {}

        def make_trainer(plan: Plan, publish: Callable[[AnyEvent], None]) -> FakeTrainer:
            name = plan.folder.name
            start = starts.get(name, starts.get(plan.config.algorithm.name, 0))
            trainer = FakeTrainer(plan, publish, start)
            self.trainers[trainer.name] = trainer
            return trainer

        super().__init__(
            [_plan(name.partition("-")[0], name.partition("-")[2]) for name in starts],
            make_trainer=make_trainer,
            plan_restart=lambda plan: _plan(plan.config.algorithm.name, seed=plan.config.seed + 1),
            plan_added=self._plan_request,
        )
        self.connection = connection or Connection()

    def start(self) -> None:
        self.calls.append("start")
        super().start()

    def history(self) -> Sequence[AnyEvent]:
        return self.earlier

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        self.sent.append((command, run))
        super().send(command, run)

    def restart(self) -> None:
        self.calls.append("restart")
        super().restart()

    def add(self, request: AddRequest) -> str:
        self.calls.append("add")
        return super().add(request)

    def _plan_request(self, request: AddRequest, _: Plan) -> Plan:
        config = RunConfig.from_dict(request.config)
        name = request.name or str(len(self.trainers) + 1)
        return Plan(config, RunFolder(Path("checkpoints", f"{config.algorithm.name}-{name}")))

    def stop(self, *, save: bool) -> None:
        self.calls.append(f"stop save={save}")
        super().stop(save=save)

    def detach(self) -> None:
        self.calls.append("detach")

    def reconnect(self) -> None:
        self.calls.append("reconnect")

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        self.calls.append(f"resume {path}")
        return "7", ()

    def folders(self) -> Mapping[str, Path]:
        return {run: self.folder / run for run in self.snapshots()}

    def change(self, run: str, **fields: object) -> None:
        """Change the snapshot of ``run``."""
        self.trainers[run].change(**fields)

    def diverge(self, run: str) -> None:
        """Let ``run`` diverge."""
        self.change(run, state="diverged", rate=0.0)
        self.publish(
            Diverged(
                problem="the loss is no longer finite in iteration 12,301",
                advice="lower fomaml.outer_lr (now 5) or fomaml.inner_lr (now 0.02)",
                **self.trainers[run].header,
            )
        )

    def finish(self, run: str) -> None:
        """Let ``run`` reach its target."""
        self.change(run, state="finished", iteration=TARGET, rate=0.0, unsaved=False)
        self.publish(Finished(**self.trainers[run].header))

    def commands(self, kind: type[Command]) -> list[str | None]:
        """Return the runs that were sent a command of this kind."""
        return [run for command, run in self.sent if isinstance(command, kind)]

    def _live_run(self, name: str) -> LiveRun | None:
        if name not in self.snapshots():
            return None
        trainer = self.trainers[name]
        config = RunConfig(algorithm=trainer.plan.config.algorithm, engine="fused")
        return LiveRun(config, trainer.snapshot.iteration, untrained(config).theta, trainer.folder)


def state(session: FakeSession, run: str) -> RunState:
    """Return the state of a run."""
    return session.snapshots()[run].state


def _plan(algorithm: str, number: str = "", seed: int = 0) -> Plan:
    config = RunConfig(
        algorithm=ALGORITHMS[algorithm](), iterations=TARGET, seed=seed, engine="torch"
    )
    return Plan(config, RunFolder(Path("checkpoints", f"{algorithm}-{number or seed + 1}")))


def _curve(iteration: int) -> Curve:
    ends = range(50, iteration + 1, 50)
    return Curve(
        tuple(ends), tuple(4.0 * math.exp(-end / 3_000) + 0.5 + 0.1 * math.sin(end) for end in ends)
    )
