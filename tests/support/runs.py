"""Small runs to test with, and engines that fail or wait."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from safetensors import safe_open

from core.algorithms.fomaml import Fomaml
from core.commands import Pause, Step, Stop
from core.config import CheckpointSettings, RunConfig
from core.engines import make_engine
from core.engines.base import Adaptation, Advance, Engine, TrainState
from core.events import AnyEvent, Evaluated, Failed, Progress, Stepped, Validated
from core.models.settings import NetworkConfig
from core.storage.run_folder import RunFolder, create_run_folder
from core.training.run_plan import Plan, plan_in
from core.training.trainer import Trainer

PATIENCE = 60.0
"""Seconds that a test waits at most: the machine may be busy."""

CRAWL = 1e-3
"""A pace at which the second iteration is due after a quarter of an hour."""

NO_AUTOSAVE = CheckpointSettings(autosave_seconds=0)
"""Tests save runs themselves."""

E = TypeVar("E")


def small_config(engine: str = "fused", **settings: Any) -> RunConfig:
    """A run of some milliseconds."""
    defaults: dict[str, Any] = {
        "algorithm": Fomaml(),
        "network": NetworkConfig(hidden=(6, 6)),
        "iterations": 120,
        "eval_interval": 25,
    }
    return RunConfig(engine=engine, **{**defaults, **settings})  # type: ignore[arg-type]


class Log:
    """Collects the events of one or several runs; ``wait`` blocks until one is published."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: AnyEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of ``kind`` so far; saves of the history are left out."""
        return [
            event
            for event in list(self.events)
            if isinstance(event, kind) and getattr(event, "kind", "") != "history"
        ]

    def wait(self, kind: type[E], count: int = 1) -> E:
        """Wait for the event number ``count`` of ``kind``."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.of(kind)) >= count or self.of(Failed), PATIENCE)
        assert len(self.of(kind)) >= count, f"no {kind.__name__} number {count} in {self.events}"
        return self.of(kind)[count - 1]


def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def new_plan(out: Path, config: RunConfig | None = None, name: str = "run", **plan: Any) -> Plan:
    """Plan a run from scratch in ``out / name``."""
    folder = create_run_folder(out, name, unique=False)
    saving = plan.pop("saving", NO_AUTOSAVE)
    return dataclasses.replace(plan_in(folder, config or small_config(), saving=saving), **plan)


def started(out: Path, config: RunConfig | None = None, **plan: Any) -> tuple[Trainer, Log]:
    """Start a run; return it and its events."""
    log = Log()
    trainer = Trainer(new_plan(out, config, **plan), log)
    trainer.start()
    return trainer, log


def paused_at(
    iteration: int, out: Path, config: RunConfig | None = None, **plan: Any
) -> tuple[Trainer, Log]:
    """Start a run and pause it after exactly ``iteration`` iterations."""
    trainer, log = started(out, config, pace=CRAWL, **plan)
    trainer.send(Pause())
    if iteration > 1:
        trainer.send(Step(iteration - 1))
    until(lambda: trainer.snapshot.state != "training" and trainer.snapshot.iteration >= iteration)
    if iteration > 1:
        log.wait(Stepped)
    return trainer, log


def ended(trainer: Trainer, *, save: bool = False) -> None:
    """Stop ``trainer`` and wait for its thread."""
    trainer.send(Stop(save))
    assert trainer.join(PATIENCE)


def run_whole(trainer: Trainer, log: Log) -> Trainer:
    """Start ``trainer``, let it finish and end its thread."""
    from core.events import Finished

    trainer.start()
    log.wait(Finished)
    ended(trainer)
    return trainer


def straight(config: RunConfig, iterations: int | None = None) -> TrainState:
    """Train ``config`` in one call of the engine."""
    engine = make_engine(config)
    return engine.advance(engine.initial_state(), iterations or config.iterations).state


def learned(events: list[AnyEvent]) -> list[AnyEvent]:
    """Select losses, validations and periodic evaluations, without names and times."""
    found: list[AnyEvent] = []
    for event in events:
        if isinstance(event, Validated):
            spent = msgspec.structs.replace(event.spent, seconds=0.0)
            found.append(msgspec.structs.replace(event, spent=spent, run="", time=0.0))
        elif isinstance(event, Progress) or (
            isinstance(event, Evaluated) and event.probe == "validation"
        ):
            found.append(msgspec.structs.replace(event, run="", time=0.0))
    return found


def saved_iterations(folder: RunFolder) -> list[int]:
    """Return the iterations of the checkpoints in ``folder``, but for those of the history."""
    return [iteration for iteration, kind in saved_kinds(folder).items() if kind != "history"]


def saved_kinds(folder: RunFolder) -> dict[int, str]:
    """Return the iterations of the checkpoints in ``folder`` and why each was saved."""
    found = {}
    for path in sorted(folder.path.glob("*[0-9].safetensors")):
        with safe_open(path, "numpy") as file:
            kind = json.loads(file.metadata()["tui-meta"]).get("kind")
        found[int(path.stem)] = kind or "hand"
    return found


@dataclasses.dataclass
class Unsound:
    """An engine that breaks in iteration ``at`` (from 1), in one of several ways."""

    inner: Engine
    at: int
    how: str
    name: str = "unsound"
    device: str = "cpu"
    note: str = ""

    def initial_state(self) -> TrainState:
        return self.inner.initial_state()

    def advance(self, state: TrainState, n: int) -> Advance:
        done = self.inner.advance(state, n)
        if state.iteration + n < self.at:
            return done
        if self.how == "crash":
            raise RuntimeError("the kernel is on fire")
        losses, theta, moments = done.losses.copy(), done.state.theta, dict(done.state.moments)
        if self.how in ("loss", "everything"):
            losses[max(0, self.at - state.iteration - 1) :] = np.nan
        if self.how in ("parameter", "everything"):
            theta = np.full_like(theta, np.inf)
        if self.how == "one NaN":
            theta = theta.copy()
            theta[len(theta) // 2] = np.nan
        if self.how == "moment":
            moments = {name: np.full_like(vector, np.inf) for name, vector in moments.items()}
        return Advance(TrainState(done.state.iteration, theta, moments), losses)

    def adapt(self, *task: Any, **how: Any) -> Adaptation:
        return self.inner.adapt(*task, **how)


@dataclasses.dataclass
class Gated:
    """An engine that waits within ``advance`` until ``gate`` is open."""

    inner: Engine
    name: str = "gated"
    device: str = "cpu"
    note: str = ""
    entered: threading.Event = dataclasses.field(default_factory=threading.Event)
    gate: threading.Event = dataclasses.field(default_factory=threading.Event)

    def initial_state(self) -> TrainState:
        return self.inner.initial_state()

    def advance(self, state: TrainState, n: int) -> Advance:
        self.entered.set()
        assert self.gate.wait(PATIENCE)
        return self.inner.advance(state, n)

    def adapt(self, *task: Any, **how: Any) -> Adaptation:
        return self.inner.adapt(*task, **how)
