"""A run saves itself, keeps what the user saved, and continues when a save fails."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.training.checkpointing
from core.algorithms.fomaml import Fomaml
from core.commands import Pause, Resume, Save, SetPace, Step, Stop
from core.config import CheckpointSettings, ValidationSettings
from core.engines import sample
from core.engines.base import untrained
from core.errors import CheckpointError, ConfigError, RunFolderError
from core.events import (
    CommandRejected,
    Evaluated,
    Finished,
    RolledBack,
    Saved,
    SaveFailed,
    SaveKind,
    Started,
    Stepped,
    Validation,
    WriteRecovered,
)
from core.storage.checkpoint import (
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.lock import owner_of
from core.storage.paths import checkpoint_path, optimizer_path
from core.storage.provenance import SAMPLE_NAME
from core.storage.retention import StoredCheckpoint, to_prune
from core.storage.run_folder import RunFolder, create_run_folder, read_record
from core.tasks.base import Floats
from core.tasks.sine import SineTasks
from core.training.run_plan import plan_resumed
from core.training.trainer import Trainer
from tests.support.runs import (
    CRAWL,
    PATIENCE,
    Log,
    ended,
    learned,
    new_plan,
    paused_at,
    run_whole,
    saved_iterations,
    saved_kinds,
    small_config,
    straight,
    until,
)
from tests.support.states import bits

FIRST_VERSION = Path(__file__).parents[1] / "first_version"
"""A run written by version 0.1, with a shortened log."""
OFTEN = CheckpointSettings(autosave_seconds=0, autosave_iterations=10, keep=2)
HISTORY = [0, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100]
"""Iterations of the history of a run of less than 120."""

KINDS: tuple[SaveKind, ...] = ("auto", "best", "history", "hand", "final")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let autosaves follow each other without a rest."""
    monkeypatch.setattr(core.training.checkpointing, "REST", 0)


def checkpoint(iteration: int, kind: SaveKind = "auto", best: float | None = None) -> Checkpoint:
    config = small_config(algorithm=Fomaml(outer_optimizer="adam"))
    state = dataclasses.replace(untrained(config), iteration=iteration)
    found = None if best is None else Validation(iteration, best, best, best)
    return Checkpoint(config, state, 120, 0.0, (), kind, found)


def kinds(folder: Path) -> dict[int, str]:
    return saved_kinds(RunFolder(folder))


def test_a_run_keeps_its_newest_autosaves_its_best_and_its_last(
    tmp_path: Path, eager: None
) -> None:
    config = small_config(validation=ValidationSettings(tasks=2, interval=7))
    log = Log()
    trainer = run_whole(Trainer(new_plan(tmp_path, config, saving=OFTEN), log), log)
    kept = kinds(tmp_path / "run")
    assert kept[120] == "final"
    assert list(kept.values()).count("auto") <= 2
    assert list(kept.values()).count("best") <= 1
    best = trainer.snapshot.best
    assert best is not None
    assert kept[best.iteration] in ("best", "final")
    assert load_checkpoint(checkpoint_path(tmp_path / "run", best.iteration)).best == best
    assert [at for at, kind in kept.items() if kind == "history"] == HISTORY
    lasting = [kind for kind in kept.values() if kind != "history"]
    assert len({saved.path for saved in log.of(Saved)}) > len(lasting)


@given(
    st.dictionaries(
        st.integers(0, 50),
        st.builds(
            StoredCheckpoint,
            st.sampled_from(KINDS),
            st.one_of(st.none(), st.floats(0, 1)),
            st.booleans(),
        ),
    ),
    st.integers(1, 5),
)
def test_only_old_autosaves_and_superseded_bests_are_deleted(
    found: dict[int, StoredCheckpoint], keep: int
) -> None:
    gone = to_prune(found, keep)
    assert {found[iteration].kind for iteration in gone} <= {"auto", "best"}
    left = {iteration for iteration in found if iteration not in gone}
    autos = [one for one in sorted(found) if found[one].kind == "auto"]
    autos.sort(key=lambda one: not found[one].discarded)
    assert {one for one in left if found[one].kind == "auto"} == set(autos[-keep:])
    bests = [(one.discarded, one.best) for one in found.values() if one.kind == "best"]
    known = [best for best in bests if best[1] is not None]
    kept = [(found[iteration].discarded, found[iteration].best) for iteration in left]
    assert not known or min(known) in kept


def test_the_newest_checkpoint_is_kept_although_it_is_not_the_best() -> None:
    stored = {10: StoredCheckpoint("best", 0.1), 20: StoredCheckpoint("best", 0.2)}
    assert to_prune(stored, keep=1) == []


@pytest.mark.parametrize(("first", "then"), [("auto", "hand"), ("hand", "auto"), ("hand", "best")])
def test_a_checkpoint_saved_by_the_user_remains_so(
    tmp_path: Path, first: SaveKind, then: SaveKind
) -> None:
    folder = create_run_folder(tmp_path, "run", unique=False)
    for kind in (first, then):
        folder.save(checkpoint(10, kind))
    for iteration in (20, 30, 40):
        folder.save(checkpoint(iteration))
        folder.prune(1)
    assert kinds(folder.path) == {10: "hand", 40: "auto"}
    assert not optimizer_path(checkpoint_path(folder.path, 20)).exists()
    folder.release()


def test_a_checkpoint_of_the_first_version_opens_and_is_never_deleted(tmp_path: Path) -> None:
    path = tmp_path / "run"
    shutil.copytree(FIRST_VERSION, path)
    plan = plan_resumed(path)
    assert plan.resumed is not None
    assert (plan.resumed.kind, plan.resumed.best) == ("hand", None)
    assert len(plan.history) == 16
    for iteration in (50_001, 50_002):
        plan.folder.save(checkpoint(iteration))
        plan.folder.prune(1)
    assert saved_iterations(plan.folder) == [50_000, 50_002]
    plan.folder.release()


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("first", [None, "hand"])
def test_a_save_killed_anywhere_leaves_earlier_checkpoints_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, first: SaveKind | None
) -> None:
    """A save makes six calls that bring two files to disk."""
    folder = create_run_folder(tmp_path, "run", unique=False)
    folder.describe(small_config(), OFTEN, "torch", "cpu")
    folder.save(checkpoint(10))
    if first:
        folder.save(checkpoint(20, first))
    before = kinds(folder.path)
    calls = 0

    def failing(original: Any) -> Any:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step + 1:
                os._exit(9)
            return original(*arguments)

        return call

    child = os.fork()
    if not child:
        os.fsync, Path.replace = failing(os.fsync), failing(Path.replace)  # type: ignore[method-assign]
        save_checkpoint(folder.path, checkpoint(20))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    folder.release()
    after = kinds(folder.path)
    assert after[10] == "auto"
    assert set(before) <= set(after)
    plan = plan_resumed(folder.path)
    plan.folder.continue_at(10)
    assert not list(folder.path.glob("*.partial")) + list(folder.path.glob(".*.partial"))
    lone = {path.name.split(".")[0] for path in folder.path.glob("*.optimizer.safetensors")}
    assert lone == {path.stem for path in folder.path.glob("[0-9]*[0-9].safetensors")}
    plan.folder.release()


def test_a_damaged_newest_checkpoint_is_skipped_with_a_warning(tmp_path: Path) -> None:
    trainer, _ = paused_at(3, tmp_path)
    for command in (Save(), Step(2), Save()):
        trainer.send(command)
    ended(trainer)
    damaged = checkpoint_path(tmp_path / "run", 5)
    damaged.write_bytes(damaged.read_bytes()[:-7])
    plan = plan_resumed(tmp_path / "run")
    assert plan.resumed is not None
    assert plan.resumed.state.iteration == 3
    (line,) = plan.warnings
    assert line.startswith(f"skipping {damaged}: ")
    plan.folder.release()


def test_a_run_with_only_damaged_checkpoints_is_not_resumed(tmp_path: Path) -> None:
    trainer, _ = paused_at(3, tmp_path)
    ended(trainer, save=True)
    for path in (tmp_path / "run").glob("*.safetensors"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no readable checkpoint; skipping .* empty"):
        plan_resumed(tmp_path / "run")
    assert owner_of(tmp_path / "run") is None


def test_a_run_that_was_never_saved_restarts(engine_name: str, tmp_path: Path) -> None:
    trainer, _ = paused_at(3, tmp_path, small_config(engine_name))
    ended(trainer)
    log = Log()
    again = run_whole(Trainer(plan_resumed(tmp_path / "run"), log), log)
    assert log.events[0] == log.wait(RolledBack)
    assert again.snapshot.theta is not None
    assert again.snapshot.theta.tobytes() == straight(small_config(engine_name)).theta.tobytes()


@pytest.mark.parametrize("back", [10, 60])
def test_iterations_trained_again_replace_their_events(tmp_path: Path, back: int) -> None:
    once = Log()
    run_whole(Trainer(new_plan(tmp_path, name="whole"), once), once)
    trainer, _ = paused_at(back, tmp_path)
    for command in (Save(), SetPace(None), Resume()):
        trainer.send(command)
    until(lambda: trainer.snapshot.state == "finished")
    ended(trainer)
    again = Log()
    path = checkpoint_path(tmp_path / "run", back)
    run_whole(Trainer(plan_resumed(path), again), again)
    assert again.wait(RolledBack).iteration == back
    assert learned(list(history(trainer.plan.folder.path))) == learned(once.events)


@pytest.mark.parametrize("log_lost", [False, True])
def test_a_discarded_checkpoint_is_not_resumed(tmp_path: Path, log_lost: bool) -> None:
    """The events between were discarded, and the log would lack them."""
    trainer, log = paused_at(10, tmp_path)
    for command in (Save(), Step(100), Save(), Stop(save=False)):
        trainer.send(command)
    assert trainer.join(PATIENCE)
    if log_lost:
        trainer.plan.folder.log.path.unlink()
    again = Trainer(plan_resumed(checkpoint_path(tmp_path / "run", 10)), log)
    again.start()
    again.send(Stop(save=False))
    assert again.join(PATIENCE)
    plan = plan_resumed(tmp_path / "run")
    assert plan.resumed is not None
    assert plan.resumed.state.iteration == 10
    plan.folder.release()


def test_a_run_is_not_rolled_back_for_checkpoints_discarded_before(tmp_path: Path) -> None:
    trainer, log = paused_at(10, tmp_path)
    for command in (Save(), Step(100), Save(), Stop(save=False)):
        trainer.send(command)
    assert trainer.join(PATIENCE)
    again = Trainer(plan_resumed(checkpoint_path(tmp_path / "run", 10), pace=CRAWL), log)
    again.start()
    ended(again, save=True)
    assert saved_iterations(again.plan.folder)[-1] == 110
    plan = plan_resumed(tmp_path / "run")
    assert plan.resumed is not None
    assert plan.resumed.state.iteration < 110
    assert not plan.rolls_back
    plan.folder.release()


def test_autosaves_of_the_discarded_branch_are_deleted_first(tmp_path: Path, eager: None) -> None:
    log = Log()
    plan = new_plan(tmp_path, small_config(eval_interval=200), saving=OFTEN)
    run_whole(Trainer(plan, log), log)
    save_checkpoint(tmp_path / "run", checkpoint(5, "hand"))
    again = Log()
    trainer = Trainer(plan_resumed(tmp_path / "run" / "000000005.safetensors", pace=CRAWL), again)
    trainer.start()
    trainer.send(Pause())
    for count in (1, 2):
        trainer.send(Step(11))
        again.wait(Saved, count)
    ended(trainer)
    assert all(Path(saved.path).exists() for saved in again.of(Saved))


def test_a_missing_evaluation_is_repeated_on_resume(tmp_path: Path) -> None:
    trainer, log = paused_at(25, tmp_path)
    ended(trainer, save=True)
    first = log.wait(Evaluated)
    (tmp_path / "run" / "events.jsonl").unlink()
    again = Log()
    second = Trainer(plan_resumed(tmp_path / "run", pace=1e-3), again)
    second.start()
    assert learned([again.wait(Evaluated)]) == learned([first])
    ended(second)


def test_a_live_run_cannot_be_resumed(tmp_path: Path) -> None:
    trainer, _ = paused_at(2, tmp_path)
    trainer.send(Save())
    with pytest.raises(RunFolderError, match=f"being trained by process {os.getpid()} on "):
        plan_resumed(tmp_path / "run")
    ended(trainer)
    assert owner_of(tmp_path / "run") is None


def test_a_failed_save_is_retried_until_it_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.training.checkpointing, "RETRY_SECONDS", 0.01)
    trainer, log = paused_at(2, tmp_path)
    (tmp_path / "run").rename(tmp_path / "moved")
    trainer.send(Save())
    log.wait(SaveFailed)
    (tmp_path / "moved").rename(tmp_path / "run")
    assert log.wait(Saved).kind == "hand"
    log.wait(WriteRecovered)
    ended(trainer)
    assert saved_iterations(trainer.plan.folder) == [2]
    assert list(history(trainer.plan.folder.path)) == log.events


def test_a_failing_autosave_is_published_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eager: None
) -> None:
    monkeypatch.setattr(core.training.checkpointing, "RETRY_SECONDS", 0.0)

    attempts = []

    def full(*_: object, **__: object) -> Path:
        attempts.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "save", full)
    trainer, log = paused_at(30, tmp_path, saving=OFTEN)
    until(lambda: len(attempts) >= 2)
    trainer.send(Step(50))
    log.wait(Stepped, 2)
    made = len(attempts)
    until(lambda: len(attempts) > made)
    ended(trainer)
    assert len(log.of(SaveFailed)) == 1
    assert log.wait(SaveFailed).problem.endswith("training continues, retrying")


def test_every_requested_save_that_fails_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.training.checkpointing, "RETRY_SECONDS", 3_600.0)
    trainer, log = paused_at(2, tmp_path)
    (tmp_path / "run").rename(tmp_path / "moved")
    for count in (1, 2, 3):
        trainer.send(Save())
        log.wait(SaveFailed, count)
    ended(trainer)


def test_differences_from_the_record_are_logged(tmp_path: Path) -> None:
    trainer, _ = paused_at(2, tmp_path)
    ended(trainer, save=True)
    file = tmp_path / "run" / "run.json"
    now = read_record(tmp_path / "run").versions["numpy"]
    file.write_text(file.read_text().replace(f'"numpy": "{now}"', '"numpy": "1.0"'))
    log = Log()
    again = Trainer(plan_resumed(tmp_path / "run"), log)
    again.start()
    assert log.wait(Started).differs == (f"numpy {now} (was 1.0)",)
    log.wait(Finished)
    ended(again)


def test_bits_that_differ_for_an_unknown_reason_are_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a setting of the C library: here, of 54,000 sines the last bits of a few differ."""
    trainer, _ = paused_at(2, tmp_path)
    ended(trainer, save=True)
    before = read_record(tmp_path / "run").versions[SAMPLE_NAME]
    write = SineTasks.write

    def rounded_otherwise(family: SineTasks, y: Floats, x: Floats, *parameters: Floats) -> None:
        write(family, y, x, *parameters)
        y.reshape(-1)[-1:] = np.nextafter(y.reshape(-1)[-1:], 9)

    monkeypatch.setattr(SineTasks, "write", rounded_otherwise)
    sample._digest.cache_clear()
    log = Log()
    again = Trainer(plan_resumed(tmp_path / "run"), log)
    again.start()
    (differing,) = log.wait(Started).differs
    assert re.fullmatch(rf"sample computation \w{{12}} \(was {before}\)", differing)
    ended(again)
    sample._digest.cache_clear()


def test_another_command_ends_a_long_step(tmp_path: Path) -> None:
    trainer, log = paused_at(1, tmp_path, small_config(iterations=10**9))
    trainer.send(SetPace(None))
    trainer.send(Step(10**8))
    until(lambda: trainer.snapshot.iteration > 200)
    trainer.send(Stop())
    assert trainer.join(PATIENCE)
    assert 200 <= log.wait(Stepped).count < 10**8
    assert saved_iterations(trainer.plan.folder) == [trainer.snapshot.iteration]


@pytest.mark.parametrize("pace", [float("nan"), 0.0, -1.0, float("inf")])
def test_an_invalid_pace_is_rejected(tmp_path: Path, pace: float) -> None:
    trainer, log = paused_at(1, tmp_path)
    trainer.send(SetPace(pace))
    assert "a finite number of at least 1e-06" in log.wait(CommandRejected).reason
    ended(trainer)
    with pytest.raises(ConfigError, match="pace"):
        dataclasses.replace(trainer.plan, pace=pace)


def test_saving_does_not_change_the_bits(engine_name: str, tmp_path: Path, eager: None) -> None:
    config = small_config(engine_name, algorithm=Fomaml(outer_optimizer="adam"))
    log = Log()
    run_whole(Trainer(new_plan(tmp_path, config, saving=OFTEN), log), log)
    kept = latest_checkpoint(tmp_path / "run").checkpoint.state
    assert bits(kept) == bits(straight(config))
    assert np.isfinite(kept.theta).all()
