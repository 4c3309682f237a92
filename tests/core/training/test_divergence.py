"""Divergence, failing engines and full disks are reported, and other runs continue."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import core.training.pacing
import core.training.trainer
from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.commands import Evaluate, Resume, Save, SetPace, Step
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Engine
from core.events import CommandRejected, Diverged, Evaluated, Failed, Finished, Saved, SaveFailed
from core.models.settings import NetworkConfig
from core.session.local import LocalSession
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from core.tasks.family import TaskFamily
from core.tasks.polynomials import CubicTasks, LineTasks
from core.tasks.sine import SineTasks
from core.training import divergence
from core.training.run_plan import plan_resumed
from core.training.trainer import Trainer
from tests.support.homes import without_home
from tests.support.runs import (
    CRAWL,
    Log,
    Unsound,
    ended,
    new_plan,
    paused_at,
    run_whole,
    saved_iterations,
    small_config,
    started,
    straight,
    until,
)
from tests.support.states import bits

ADAM = Fomaml(outer_optimizer="adam")


@pytest.fixture
def unsound(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Unsound]]:
    """Install engines of FOMAML runs that break in an iteration, in some way."""

    def install(at: int, how: str) -> list[Unsound]:
        engines: list[Unsound] = []

        def make(config: RunConfig, *_: object) -> Engine:
            engine = make_engine(config)
            if config.algorithm.name != "fomaml":
                return engine
            engines.append(Unsound(engine, at, how))
            return engines[-1]

        monkeypatch.setattr(core.training.trainer, "make_engine", make)
        return engines

    return install


@pytest.mark.parametrize("seconds", [0.0, 0.002, 5.0])
@pytest.mark.parametrize("how", ["loss", "parameter", "one NaN", "moment", "everything"])
def test_divergence_is_reported_at_its_iteration_for_any_chunk_length(
    engine_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unsound: Callable[..., list[Unsound]],
    how: str,
    seconds: float,
) -> None:
    monkeypatch.setattr(core.training.pacing, "CHUNK_SECONDS", seconds)
    unsound(42, how)
    config = small_config(engine_name, algorithm=ADAM, eval_interval=1_000)
    trainer, log = started(tmp_path, config)
    diverged = log.wait(Diverged)
    until(lambda: trainer.snapshot.state == "diverged")
    ended(trainer)
    assert diverged.iteration == 41
    what = "the loss" if how in ("loss", "everything") else "a parameter"
    assert diverged.problem == f"{what} is no longer finite in iteration 42"
    kept = latest_checkpoint(tmp_path / "run").checkpoint.state
    assert bits(kept) == bits(straight(config, 41))
    assert trainer.snapshot.iteration == 41


def test_the_last_finite_state_is_found_by_bisection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unsound: Callable[..., list[Unsound]]
) -> None:
    """An infinite moment of Adam leaves parameters and losses finite until the end of the chunk."""
    engines = unsound(300, "moment")
    monkeypatch.setattr(core.training.pacing, "CHUNK_SECONDS", 60.0)
    config = small_config(algorithm=ADAM, iterations=2_000, eval_interval=5_000)
    calls = 0
    trainer = Trainer(new_plan(tmp_path, config), log := Log())
    trainer.start()
    until(lambda: bool(engines))
    inner = engines[0].inner
    advance = inner.advance

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return advance(*arguments)

    monkeypatch.setattr(inner, "advance", counted)
    assert log.wait(Diverged).iteration == 299
    ended(trainer)
    # Nine doubling chunks to 511, then a search by halves within 256.
    assert calls < 40


@pytest.mark.parametrize("rate", [100.0, 1e30])
@pytest.mark.parametrize("kind", [Fomaml, Reptile])
def test_a_huge_learning_rate_ends_the_run_with_advice(
    engine_name: str, tmp_path: Path, kind: type[Fomaml | Reptile], rate: float
) -> None:
    algorithm = kind(outer_lr=rate)
    trainer, log = started(tmp_path, small_config(engine_name, algorithm=algorithm))
    diverged = log.wait(Diverged)
    ended(trainer)
    name = algorithm.name
    assert diverged.advice == f"lower {name}.outer_lr (now {rate:g}) or {name}.inner_lr (now 0.02)"
    kept = latest_checkpoint(tmp_path / "run").checkpoint.state
    assert kept.is_finite()
    assert kept.iteration == diverged.iteration


def test_under_adam_the_inner_rate_is_the_first_one_to_lower() -> None:
    words = divergence.advice(RunConfig(algorithm=ADAM))
    assert words.startswith("lower fomaml.inner_lr (now 0.02) or fomaml.outer_lr (now ")


@pytest.mark.parametrize("kind", [Fomaml, Reptile])
def test_a_huge_amplitude_ends_the_run_with_advice(
    engine_name: str, tmp_path: Path, kind: type[Fomaml | Reptile]
) -> None:
    waves = SineTasks(amplitude=(-1e30, 5.0))
    config = small_config(engine_name, algorithm=kind(), tasks=waves)
    trainer, log = started(tmp_path, config)
    diverged = log.wait(Diverged)
    ended(trainer)
    assert diverged.advice.startswith("lower waves.amplitude (now up to 1e+30), ")
    assert f"iteration {diverged.iteration + 1}" in diverged.problem
    kept = latest_checkpoint(tmp_path / "run").checkpoint.state
    assert kept.is_finite()
    assert kept.iteration == diverged.iteration


@pytest.mark.parametrize(
    ("algorithm", "tasks", "suited"),
    [
        (Fomaml(), LineTasks(), "; 0.0008 suits lines"),
        (Fomaml(), CubicTasks(), "; 0.0003 suits cubic functions"),
        (Fomaml(outer_lr=0.0008), LineTasks(), ""),
        (Fomaml(outer_optimizer="adam"), LineTasks(), ""),
        (Reptile(), LineTasks(), ""),
        (Fomaml(), SineTasks(), ""),
    ],
)
def test_a_rate_that_suits_high_tasks_is_named(
    algorithm: Algorithm, tasks: TaskFamily, suited: str
) -> None:
    found = divergence.advice(RunConfig(algorithm=algorithm, tasks=tasks))
    assert f"outer_lr (now {algorithm.outer_lr:g}{suited})" in found


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_relu_with_a_huge_inner_rate_diverges_equally_for_any_chunk_length(
    engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """A real divergence: the same iteration and the same bits as found by single iterations."""
    monkeypatch.setattr(core.training.pacing, "CHUNK_SECONDS", seconds)
    config = small_config(
        engine_name,
        algorithm=Fomaml(outer_lr=0.02, inner_lr=0.5, inner_steps=3),
        network=NetworkConfig(hidden=(32, 32), activation="relu"),
        eval_interval=5_000,
        iterations=5_000,
    )
    engine = make_engine(config)
    last = engine.initial_state()
    following = engine.advance(last, 1)
    while following.state.is_finite() and following.losses[0] < float("inf"):
        assert following.state.iteration < config.iterations, "the test's run does not diverge"
        last = following.state
        following = engine.advance(last, 1)
    trainer, log = started(tmp_path, config)
    diverged = log.wait(Diverged)
    ended(trainer)
    assert diverged.iteration == last.iteration
    by_loss = not following.losses[0] < float("inf")
    assert diverged.problem.startswith("the loss" if by_loss else "a parameter")
    assert bits(latest_checkpoint(tmp_path / "run").checkpoint.state) == bits(last)


def test_a_diverged_run_can_still_be_evaluated(
    tmp_path: Path, unsound: Callable[..., list[Unsound]]
) -> None:
    unsound(10, "loss")
    trainer, log = started(tmp_path)
    log.wait(Diverged)
    for command in (Evaluate("standard", 0), Step(), Resume()):
        trainer.send(command)
    assert log.wait(Evaluated).iteration == 9
    refused = log.wait(CommandRejected, 2)
    assert refused.reason == "the run is diverged"
    ended(trainer)
    assert trainer.snapshot.state == "diverged"


def test_divergence_within_a_step_is_reported(
    tmp_path: Path, unsound: Callable[..., list[Unsound]]
) -> None:
    unsound(10, "parameter")
    trainer, log = paused_at(5, tmp_path)
    trainer.send(Step(20))
    assert log.wait(Diverged).iteration == 9
    ended(trainer)


def test_a_diverged_run_that_is_resumed_diverges_at_the_same_iteration(
    tmp_path: Path, unsound: Callable[..., list[Unsound]]
) -> None:
    unsound(42, "loss")
    trainer, log = started(tmp_path)
    log.wait(Diverged)
    ended(trainer)
    again = Log()
    trainer = Trainer(plan_resumed(tmp_path / "run"), again)
    trainer.start()
    assert again.wait(Diverged).iteration == 41
    ended(trainer)


@pytest.mark.parametrize("how", ["loss", "crash"])
def test_the_other_run_of_the_session_continues(
    engine_name: str, tmp_path: Path, unsound: Callable[..., list[Unsound]], how: str
) -> None:
    unsound(42, how)
    reptile = small_config(engine_name, algorithm=Reptile())
    session = LocalSession(
        [
            new_plan(tmp_path, small_config(engine_name), "broken"),
            new_plan(tmp_path, reptile, "sound"),
        ]
    )
    session.start()
    until(lambda: session.snapshots()["sound"].state == "finished")
    until(lambda: session.snapshots()["broken"].state in ("diverged", "failed"))
    session.stop(save=True)
    kept = latest_checkpoint(tmp_path / "sound").checkpoint.state
    assert bits(kept) == bits(straight(reptile))


def test_a_crash_ends_the_run_with_its_traceback_and_saves_its_progress(
    engine_name: str, tmp_path: Path, unsound: Callable[..., list[Unsound]]
) -> None:
    unsound(42, "crash")
    trainer, log = started(tmp_path, small_config(engine_name))
    failed = log.wait(Failed)
    assert trainer.join(60)
    assert trainer.snapshot.state == "failed"
    assert failed.problem == "RuntimeError: the kernel is on fire"
    assert "Traceback" in failed.details
    kept = latest_checkpoint(tmp_path / "run").checkpoint.state
    assert 0 < kept.iteration == failed.iteration < 42
    assert bits(kept) == bits(straight(small_config(engine_name), kept.iteration))
    assert log.events[-1] == failed
    assert list(history(trainer.plan.folder.path)) == log.events


def test_a_missing_device_fails_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    trainer, log = started(tmp_path, small_config("torch", device="cuda"))
    failed = log.wait(Failed)
    assert trainer.join(60)
    assert failed.problem.startswith("device cuda: ")
    assert failed.details == ""


def vanish(folder: Path) -> None:
    shutil.rmtree(folder)


def become_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


@pytest.mark.parametrize("harm", [vanish, become_a_file])
def test_training_continues_without_its_folder(
    engine_name: str,
    tmp_path: Path,
    harm: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At its end it is saved in another folder, and can be resumed there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    config = small_config(engine_name)
    trainer, log = paused_at(2, tmp_path, config)
    harm(tmp_path / "run")
    trainer.send(Save())
    problem = log.wait(SaveFailed).problem
    assert problem.startswith(str(tmp_path / "run"))
    assert len(problem.splitlines()) == 1
    trainer.send(SetPace(None))
    trainer.send(Resume())
    log.wait(Finished)
    ended(trainer, save=True)
    rescue = tmp_path / "state" / "tui-meta" / "rescue" / "run"
    assert log.of(SaveFailed)[-1].problem.endswith(f"; the run is saved in {rescue} instead")
    (saved,) = log.of(Saved)
    assert Path(saved.path).parent == rescue
    assert not trainer.snapshot.unsaved
    assert not (tmp_path / "run" / "run.json").exists()
    plan = plan_resumed(rescue)
    assert plan.resumed is not None
    assert bits(plan.resumed.state) == bits(straight(config))
    plan.folder.release()


def test_a_run_that_cannot_be_saved_anywhere_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    trainer, log = paused_at(2, tmp_path)
    vanish(tmp_path / "run")
    ended(trainer, save=True)
    (problem,) = [one.problem for one in log.of(SaveFailed) if "is not saved" in one.problem]
    assert "iteration 2 is not saved; set XDG_STATE_HOME to another folder" in problem
    assert len(problem.splitlines()) == 1
    assert trainer.snapshot.unsaved


def test_a_run_that_has_no_home_to_be_saved_in_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_home(monkeypatch)
    trainer, log = paused_at(2, tmp_path)
    vanish(tmp_path / "run")
    ended(trainer, save=True)
    (problem,) = [one.problem for one in log.of(SaveFailed) if "is not saved" in one.problem]
    assert "there is no home folder; set HOME; iteration 2 is not saved" in problem
    assert trainer.snapshot.unsaved


def test_a_failed_save_can_be_repeated(tmp_path: Path) -> None:
    trainer, log = paused_at(2, tmp_path)
    vanish(tmp_path / "run")
    trainer.send(Save())
    log.wait(SaveFailed)
    (tmp_path / "run").mkdir()
    trainer.send(Save())
    log.wait(Saved)
    ended(trainer)
    assert saved_iterations(trainer.plan.folder) == [2]


def test_a_missing_folder_at_the_start_fails_in_one_line(tmp_path: Path) -> None:
    plan = new_plan(tmp_path)
    vanish(tmp_path / "run")
    trainer = Trainer(plan, log := Log())
    trainer.start()
    failed = log.wait(Failed)
    assert trainer.join(60)
    assert failed.problem.startswith(str(tmp_path / "run"))
    assert failed.details == ""


def test_a_log_on_a_full_disk_is_reported_once_and_training_continues(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    plan = new_plan(tmp_path, small_config(iterations=1_000, eval_interval=10))
    (plan.folder.path / "events.jsonl").symlink_to(full)
    trainer = run_whole(Trainer(plan, log := Log()), log)
    (problem,) = {event.problem for event in log.of(SaveFailed)}
    assert "No space left on device" in problem
    assert len(log.of(SaveFailed)) == 1
    assert saved_iterations(trainer.plan.folder) == [1_000]


def test_divergence_is_reported_at_a_slow_pace(
    tmp_path: Path, unsound: Callable[..., list[Unsound]]
) -> None:
    unsound(1, "loss")
    trainer, log = started(tmp_path, pace=CRAWL)
    assert log.wait(Diverged).iteration == 0
    ended(trainer)
