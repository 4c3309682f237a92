"""Whatever call out of the process fails, and however, a run ends in a state that is published."""

from __future__ import annotations

import fcntl
import importlib.metadata
import io
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import core.training.trainer
from core.engines.torch.engine import TorchEngine
from core.events import ENDED, AnyCommand, Evaluate, Failed, Save, SaveFailed, Step, Stop
from core.storage.latest_checkpoint import latest_checkpoint
from core.training.trainer import Trainer
from tests.support.runs import PATIENCE, Log, new_plan, paused_at, small_config

# Of a git process that could not be started Python itself leaves parts behind.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CALLS: list[tuple[Any, str]] = [
    *((os, name) for name in ("open", "write", "fsync", "replace", "listdir", "unlink", "mkdir")),
    *((os, name) for name in ("stat", "fstat", "close", "getpriority", "setpriority")),
    (io, "open"),
    (fcntl, "flock"),
    (time, "time"),
    (time, "monotonic"),
    (importlib.metadata, "distribution"),
    (subprocess, "Popen"),
    (core.training.trainer, "make_engine"),
    (TorchEngine, "advance"),
    (TorchEngine, "adapt"),
]
"""Calls of a run that leave the process, or run compiled code."""

PHASES: dict[str, AnyCommand | None] = {
    "loading": None,
    "training": Step(5),
    "saving": Save(),
    "evaluating": Evaluate("random", 0),
    "ending": Stop(save=True),
}


class Saboteur:
    """Makes a call fail in the thread of the run, ``times`` times, once it is ``armed``."""

    def __init__(self, error: type[BaseException], times: float) -> None:
        self.armed = False
        self.hits = 0
        self._error, self._times = error, times

    def wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            in_run = threading.current_thread().name.startswith("run ")
            if in_run and self.armed and self.hits < self._times:
                self.hits += 1
                raise self._error("out of the blue")
            return original(*arguments, **named)

        return call


@pytest.fixture
def sabotage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Saboteur]]:
    def sabotaged(
        owner: Any, name: str, error: type[BaseException] = RuntimeError, times: float = 1
    ) -> Saboteur:
        saboteur = Saboteur(error, times)
        monkeypatch.setattr(owner, name, saboteur.wrap(getattr(owner, name)))
        return saboteur

    yield sabotaged
    monkeypatch.undo()


def sabotaged_run(out: Path, phase: str, saboteur: Saboteur) -> tuple[Trainer, Log]:
    """Run ``phase`` with the saboteur armed, then stop the run and save it."""
    if phase == "loading":
        log = Log()
        trainer = Trainer(new_plan(out), log)
        saboteur.armed = True
        trainer.start()
    else:
        trainer, log = paused_at(3, out, small_config(iterations=10))
        saboteur.armed = True
        command = PHASES[phase]
        assert command is not None
        trainer.send(command)
    trainer.send(Stop(save=True))
    assert trainer.join(PATIENCE), "the run never ends"
    saboteur.armed = False
    return trainer, log


def assert_ended_and_reported(trainer: Trainer, log: Log) -> None:
    """Assert that the run has ended, that a failure was published, and what is unsaved named."""
    shot = trainer.snapshot
    assert shot.state in ENDED
    if shot.state == "failed":
        assert log.of(Failed)
    if shot.unsaved:
        problems = [event.problem for event in (*log.of(Failed), *log.of(SaveFailed))]
        named = f"iteration {shot.iteration:,} is not saved"
        assert any(named in problem for problem in problems), problems
    elif shot.iteration:
        found = latest_checkpoint(trainer.folder).checkpoint
        assert found.state.iteration == shot.iteration


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0].__name__}.{call[1]}")
def test_a_run_ends_and_names_what_is_unsaved_whichever_call_fails(
    tmp_path: Path, sabotage: Callable[..., Saboteur], phase: str, call: tuple[Any, str]
) -> None:
    saboteur = sabotage(*call)
    assert_ended_and_reported(*sabotaged_run(tmp_path, phase, saboteur))


@pytest.mark.parametrize("phase", ["loading", "training"])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0].__name__}.{call[1]}")
def test_a_run_ends_and_names_what_is_unsaved_where_a_call_fails_for_ever(
    tmp_path: Path, sabotage: Callable[..., Saboteur], phase: str, call: tuple[Any, str]
) -> None:
    saboteur = sabotage(*call, times=float("inf"))
    assert_ended_and_reported(*sabotaged_run(tmp_path, phase, saboteur))


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError, PermissionError])
@pytest.mark.parametrize("name", ["advance", "adapt"])
def test_a_run_ends_whatever_the_exception_is(
    tmp_path: Path,
    sabotage: Callable[..., Saboteur],
    name: str,
    error: type[BaseException],
) -> None:
    saboteur = sabotage(TorchEngine, name, error)
    phase = {"advance": "training", "adapt": "evaluating"}[name]
    trainer, log = sabotaged_run(tmp_path, phase, saboteur)
    assert saboteur.hits
    assert log.of(Failed)
    assert_ended_and_reported(trainer, log)


def test_a_save_that_fails_unexpectedly_is_tried_again(
    tmp_path: Path, sabotage: Callable[..., Saboteur]
) -> None:
    saboteur = sabotage(os, "fsync")
    trainer, log = paused_at(3, tmp_path)
    saboteur.armed = True
    trainer.send(Save())
    problem = log.wait(SaveFailed).problem
    assert "internal error in test_any_exception.py:" in problem
    assert "RuntimeError: out of the blue; training continues, retrying" in problem
    trainer.send(Stop(save=True))
    assert trainer.join(PATIENCE)
    assert (trainer.snapshot.state, trainer.snapshot.unsaved) == ("stopped", False)


def test_a_run_whose_thread_cannot_start_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    log = Log()
    trainer = Trainer(new_plan(tmp_path), log)
    monkeypatch.setattr(threading.Thread, "start", refused)
    trainer.start()
    assert trainer.join(PATIENCE)
    assert trainer.snapshot.state == "failed"
    assert "can't start new thread" in log.of(Failed)[0].problem
