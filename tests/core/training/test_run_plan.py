"""What planning a run writes, and what is left of it where the run does not begin."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import core.training.trainer
from core.errors import EngineError, LabError, RunFolderError
from core.events import Failed, SaveFailed, Started
from core.storage.delete import remove_run
from core.storage.run_folder import read_record
from core.storage.run_index import list_runs, read_run
from core.training.run_plan import Plan, plan_new, plan_resumed
from core.training.trainer import Trainer
from tests.support.file_systems import without_folder_sync, without_locks
from tests.support.runs import CRAWL, Log, ended, paused_at, small_config, started


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.storage.lock.TIMEOUT_SECONDS", 0.0)


@pytest.fixture
def planned(tmp_path: Path) -> Plan:
    """A run whose engine is still being compiled."""
    return plan_new(small_config(), tmp_path, "a")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A run folder without a lock file, as one that was copied or committed."""
    trainer, _ = paused_at(2, tmp_path)
    ended(trainer, save=True)
    (tmp_path / "run" / ".lock").unlink()
    return tmp_path / "run"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_is_known_while_its_engine_is_compiled(planned: Plan, tmp_path: Path) -> None:
    (summary,) = list_runs(tmp_path)
    assert (summary.name, summary.state, summary.iteration) == ("fomaml-a", "training", 0)
    assert read_run(planned.folder.path).summary == summary
    for refused in (plan_resumed, remove_run):
        with pytest.raises(RunFolderError, match="being trained by process"):
            refused(planned.folder.path)
    planned.folder.discard()


def test_a_run_that_never_begins_leaves_nothing(planned: Plan, tmp_path: Path) -> None:
    planned.folder.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_be_described_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.storage.io.os.fsync", full)
    with pytest.raises(RunFolderError, match=r"the run cannot be written here \(No space left"):
        plan_new(small_config(), tmp_path, "a")
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_process_was_killed_before_it_began_starts_when_resumed(
    planned: Plan,
) -> None:
    planned.folder.release()  # as the death of its process does
    log = Log()
    trainer = Trainer(plan_resumed(planned.folder.path, pace=CRAWL), log)
    trainer.start()
    begun = log.wait(Started)
    ended(trainer)
    assert (begun.iteration, begun.differs) == (0, ())
    assert read_record(planned.folder.path).engine == "fused"


def test_the_record_names_the_engine_that_was_chosen(tmp_path: Path) -> None:
    trainer, log = started(tmp_path, small_config("auto"), pace=CRAWL)
    log.wait(Started)
    assert read_record(tmp_path / "run").engine == "fused"
    ended(trainer)


def test_a_run_that_fails_early_is_listed_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise EngineError("fused engine", "no compiler")

    monkeypatch.setattr(core.training.trainer, "make_engine", broken)
    trainer, log = started(tmp_path)
    assert log.wait(Failed).problem == "fused engine: no compiler"
    ended(trainer)
    (summary,) = list_runs(tmp_path)
    assert (summary.state, summary.problem) == ("failed", None)


def beyond(folder: Path) -> None:
    plan_resumed(folder, iterations=1)


def with_a_damaged_record(folder: Path) -> None:
    (folder / "run.json").write_text("{")
    plan_resumed(folder)


def from_a_damaged_checkpoint(folder: Path) -> None:
    for path in folder.glob("*.safetensors"):
        path.write_bytes(b"damaged")
    plan_resumed(folder)


@pytest.mark.parametrize("resume", [beyond, with_a_damaged_record, from_a_damaged_checkpoint])
def test_a_refused_resume_leaves_no_lock(resume: Callable[[Path], None], saved: Path) -> None:
    with pytest.raises(LabError):
        resume(saved)
    assert not (saved / ".lock").exists()


def test_a_resume_that_does_not_begin_leaves_the_folder_as_it_was(saved: Path) -> None:
    before = contents(saved)
    plan_resumed(saved).folder.discard()
    assert contents(saved) == before


def test_a_lock_file_that_was_there_before_stays(saved: Path) -> None:
    (saved / ".lock").write_bytes(b"")
    plan_resumed(saved).folder.discard()
    assert (saved / ".lock").exists()


def test_a_refused_resume_keeps_the_lock_of_the_run_in_training(saved: Path) -> None:
    first = plan_resumed(saved)
    with pytest.raises(RunFolderError, match="being trained by"):
        plan_resumed(saved)
    assert (saved / ".lock").exists()
    first.folder.release()
    shutil.rmtree(saved)


def test_a_file_system_that_flushes_no_folders_is_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_folder_sync(monkeypatch)
    trainer, log = paused_at(2, tmp_path)
    ended(trainer, save=True)
    assert log.of(SaveFailed) == []
    assert (tmp_path / "run" / "000000002.safetensors").exists()


def test_a_file_system_without_locks_is_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    with pytest.raises(RunFolderError, match=r"has no locks .*; choose another output folder"):
        plan_new(small_config(), tmp_path, "a")
    assert list(tmp_path.iterdir()) == []
