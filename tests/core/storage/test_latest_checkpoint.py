"""The newest checkpoint is that of the highest iteration, but for discarded and damaged ones."""

from __future__ import annotations

import dataclasses
import os
import platform
from pathlib import Path

import pytest

from core.engines.base import untrained
from core.errors import CheckpointError, RunFolderError
from core.events import AnyEvent, RolledBack, Saved, Started
from core.storage.checkpoint import Checkpoint, save_checkpoint
from core.storage.event_log_reader import FollowedLog
from core.storage.latest_checkpoint import (
    CurrentBranch,
    latest_checkpoint,
    latest_metadata,
    latest_or_untrained,
)
from core.storage.lock import FolderLock
from core.storage.paths import checkpoint_names, checkpoint_path, optimizer_path
from tests.support.run_folders import make_checkpoint, make_run, progress, stamp
from tests.support.runs import small_config


def save(folder: Path, iteration: int) -> Path:
    folder.mkdir(exist_ok=True)
    state = dataclasses.replace(untrained(small_config()), iteration=iteration)
    return save_checkpoint(folder, Checkpoint(small_config(), state, 10**12, 1.0, ()))


def saved(iteration: int, at: int | None = None) -> Saved:
    """A checkpoint of ``iteration``, written when the run was ``at`` another one."""
    path = checkpoint_path(Path("runs/a-name-of-before"), iteration)
    return Saved(path=str(path), **stamp(at or iteration))


def resumed(iteration: int) -> Started:
    path = str(checkpoint_path(Path("runs/run"), iteration))
    return Started(engine="torch", device="cpu", target=400, resumed_from=path, **stamp(iteration))


def rolled_back(iteration: int) -> RolledBack:
    return RolledBack(**stamp(iteration))


def test_the_newest_is_that_of_the_highest_iteration(tmp_path: Path) -> None:
    for iteration in (7, 1_234_567_890, 999_999_999):
        save(tmp_path, iteration)
    assert latest_checkpoint(tmp_path).path == checkpoint_path(tmp_path, 1_234_567_890)


@pytest.mark.parametrize("name", ["2024-11-05.safetensors", "1x2.safetensors", "notes.txt", ".7.8"])
def test_other_files_in_a_run_folder_are_ignored(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    optimizer_path(checkpoint_path(tmp_path, 9)).touch()
    assert latest_checkpoint(save(tmp_path, 7).parent).path == checkpoint_path(tmp_path, 7)


def test_a_folder_without_checkpoints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint in this folder"):
        latest_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="No such file"):
        latest_checkpoint(tmp_path / "missing")


def test_a_run_that_is_not_saved_yet_is_refused_with_its_process(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", config=small_config())
    lock = FolderLock(run)
    lock.take()
    owner = f"process {os.getpid()} on {platform.node()}"
    with pytest.raises(CheckpointError, match=f"run: not saved yet by {owner}, which trains it;"):
        latest_checkpoint(run)
    lock.release()
    with pytest.raises(CheckpointError, match="run: this run was never saved; train it first"):
        latest_checkpoint(run)


def test_a_run_that_was_never_saved_is_untrained(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", config=small_config())
    latest = latest_or_untrained(run, small_config().to_dict())
    assert (latest.path, latest.checkpoint.state.iteration) == (run / "run.json", 0)


@pytest.mark.parametrize(
    ("log", "current"),
    [
        ([], [100, 200, 300]),
        ([saved(100), saved(200), saved(300)], [100, 200, 300]),
        ([saved(100), saved(200), saved(300), rolled_back(200)], [100, 200]),
        ([saved(300), rolled_back(200), progress(290), saved(300)], [100, 200, 300]),
        ([saved(300), rolled_back(100), saved(200), rolled_back(200)], [100, 200]),
        ([saved(200), saved(300), rolled_back(200), rolled_back(100)], [100]),
        # The best network is written with the next save after its evaluation.
        ([rolled_back(100), saved(200, at=280), rolled_back(250)], [100, 200]),
        ([saved(200, at=280), rolled_back(100)], [100]),
        # A user may resume from a checkpoint that was discarded before.
        ([saved(200), saved(300), rolled_back(100), resumed(100), resumed(300)], [100, 300]),
        ([saved(300), rolled_back(100), resumed(300), rolled_back(200)], [100]),
    ],
)
def test_checkpoints_of_a_discarded_branch_are_not_current(
    tmp_path: Path, log: list[AnyEvent], current: list[int]
) -> None:
    run = make_run(tmp_path / "run", log)
    paths = [make_checkpoint(run, iteration) for iteration in (100, 200, 300)]
    for names in (checkpoint_names(path.name for path in paths), [path.name for path in paths]):
        followed = FollowedLog(run)
        followed.read()
        for branch in (CurrentBranch(run), CurrentBranch(run, followed.saves)):
            assert [int(Path(name).stem) for name in names if branch.contains(name)] == current
    found = latest_metadata(run)
    assert found is not None
    assert found.iteration == current[-1]


def test_a_damaged_checkpoint_is_skipped_with_a_warning(tmp_path: Path) -> None:
    sound, damaged = save(tmp_path, 7), save(tmp_path, 9)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    latest = latest_checkpoint(tmp_path)
    metadata = latest_metadata(tmp_path)
    assert latest.path == sound
    assert metadata is not None
    assert metadata.iteration == 7
    (warning,) = latest.warnings
    assert warning.startswith(f"skipping {damaged}: ")


def test_if_all_are_damaged_the_first_problem_is_named(tmp_path: Path) -> None:
    for name in ("7.safetensors", "9.safetensors"):
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=r"no readable checkpoint; .*9\.safetensors"):
        latest_checkpoint(tmp_path)
    assert latest_metadata(tmp_path) is None


def test_a_log_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    save(tmp_path, 7)
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(RunFolderError, match=r"events\.jsonl: cannot be read"):
        latest_checkpoint(tmp_path)
