"""Whatever call out of the process fails, and however, a run ends in a state that is published."""

from __future__ import annotations

import fcntl
import importlib.metadata
import io
import os
import subprocess
import tempfile
import threading
import time
import traceback
from pathlib import Path

import pytest

import core.training.trainer
from core.commands import AnyCommand, Evaluate, Save, Step, Stop
from core.engines.fused import compiler, network
from core.engines.fused.build import kernel
from core.engines.fused.engine import FusedEngine
from core.engines.torch.engine import TorchEngine
from core.events import ENDED, AnyEvent, Failed, SaveFailed
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.run_index import describe_run
from core.training.trainer import Trainer
from tests.support import stub_kernel
from tests.support.runs import CRAWL, PATIENCE, Log, new_plan, paused_at, small_config
from tests.support.saboteur import PROBLEM, Call, Saboteur, name_of, sabotage

# Of a git process that could not be started Python itself leaves parts behind.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RUN = "run "
"""How the names of the threads of runs begin."""

CALLS: list[Call] = [
    *((os, name) for name in ("open", "write", "fsync", "replace", "listdir", "unlink", "mkdir")),
    *((os, name) for name in ("stat", "fstat", "close", "getpriority", "setpriority")),
    (io, "open"),
    (fcntl, "flock"),
    (time, "time"),
    (time, "monotonic"),
    (importlib.metadata, "distribution"),
    (subprocess, "Popen"),
    (core.training.trainer, "make_engine"),
]
"""Calls of a run that leave the process."""

ENGINES: dict[str, type] = {"torch": TorchEngine, "fused": FusedEngine}

PHASES: dict[str, AnyCommand | None] = {
    "loading": None,
    "training": Step(5),
    "saving": Save(),
    "evaluating": Evaluate("random", 0),
    "ending": Stop(save=True),
}


def sabotaged_run(
    out: Path, phase: str, saboteur: Saboteur, engine: str = "torch"
) -> tuple[Trainer, Log]:
    """Run ``phase`` with the saboteur armed, then stop the run and save it."""
    if phase == "loading":
        log = Log()
        trainer = Trainer(new_plan(out, small_config(engine)), log)
        saboteur.armed = True
        trainer.start()
    else:
        trainer, log = paused_at(3, out, small_config(engine, iterations=10))
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
@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_a_run_ends_and_names_what_is_unsaved_whichever_call_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str, call: Call
) -> None:
    saboteur = sabotage(monkeypatch, RUN, call)
    assert_ended_and_reported(*sabotaged_run(tmp_path, phase, saboteur))


@pytest.mark.parametrize("phase", ["loading", "training"])
@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_a_run_ends_and_names_what_is_unsaved_where_a_call_fails_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str, call: Call
) -> None:
    saboteur = sabotage(monkeypatch, RUN, call, times=float("inf"))
    assert_ended_and_reported(*sabotaged_run(tmp_path, phase, saboteur))


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("name", ["advance", "adapt"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_is_saved_whatever_the_exception_of_its_engine_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    name: str,
    error: type[BaseException],
) -> None:
    saboteur = sabotage(monkeypatch, RUN, (ENGINES[engine], name), error)
    phase = {"advance": "training", "adapt": "evaluating"}[name]
    trainer, log = sabotaged_run(tmp_path, phase, saboteur, engine)
    assert saboteur.hits
    assert log.of(Failed)[0].problem == f"{error.__name__}: {PROBLEM}"
    assert not trainer.snapshot.unsaved
    assert_ended_and_reported(trainer, log)


COMPILING: list[Call] = [
    (compiler, "njit"),
    (tempfile, "mkstemp"),
    *((os, name) for name in ("open", "stat", "mkdir", "replace", "unlink", "close", "fdopen")),
    (io, "open"),
]
"""Calls of a run while it compiles its engine and keeps what was compiled."""


@pytest.mark.parametrize("call", COMPILING, ids=name_of)
def test_a_run_starts_or_fails_whichever_call_of_the_compiler_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    for name in ("advance", "adapt"):
        monkeypatch.setattr(kernel, name, getattr(stub_kernel, name))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network._prepare.cache_clear()
    try:
        log = Log()
        trainer = Trainer(new_plan(tmp_path, small_config("fused"), pace=CRAWL), log)
        saboteur = sabotage(monkeypatch, RUN, call, times=float("inf"))
        saboteur.armed = True
        trainer.start()
        trainer.send(Stop(save=False))
        assert trainer.join(PATIENCE), "the run never ends"
        saboteur.armed = False
    finally:
        monkeypatch.undo()
        network._prepare.cache_clear()
    assert trainer.snapshot.state in ENDED
    assert bool(log.of(Failed)) == (trainer.snapshot.state == "failed")


def test_a_save_that_fails_unexpectedly_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saboteur = sabotage(monkeypatch, RUN, (os, "fsync"))
    trainer, log = paused_at(3, tmp_path)
    saboteur.armed = True
    trainer.send(Save())
    problem = log.wait(SaveFailed).problem
    assert "internal error in saboteur.py:" in problem
    assert f"RuntimeError: {PROBLEM}; training continues, retrying" in problem
    trainer.send(Stop(save=True))
    assert trainer.join(PATIENCE)
    assert (trainer.snapshot.state, trainer.snapshot.unsaved) == ("stopped", False)


def test_a_run_is_saved_although_the_traceback_of_its_failure_cannot_be_formatted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sabotage(monkeypatch, RUN, (traceback, "format_exception")).armed = True
    saboteur = sabotage(monkeypatch, RUN, (TorchEngine, "advance"))
    trainer, log = sabotaged_run(tmp_path, "training", saboteur)
    assert not trainer.snapshot.unsaved
    assert log.of(Failed)[0].details.startswith("internal error in saboteur.py:")


def test_a_failure_that_nothing_else_reports_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(Trainer):
        def _fail(self, problem: str, details: str = "") -> None:
            raise RuntimeError(PROBLEM)

    log = Log()
    trainer = Refusing(new_plan(tmp_path), log)
    sabotage(monkeypatch, RUN, (FusedEngine, "advance")).armed = True
    trainer.start()
    assert trainer.join(PATIENCE)
    (failed,) = log.of(Failed)
    assert PROBLEM in failed.problem
    assert describe_run(trainer.folder)[0].state == "failed"


def test_a_run_whose_events_nobody_takes_ends_all_the_same(tmp_path: Path) -> None:
    def refuse(_: AnyEvent) -> None:
        raise RuntimeError(PROBLEM)

    trainer = Trainer(new_plan(tmp_path), refuse)
    trainer.start()
    assert trainer.join(PATIENCE)
    assert trainer.snapshot.state == "failed"


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
