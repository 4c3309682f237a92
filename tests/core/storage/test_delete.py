"""Deleting a run deletes its own files and nothing else."""

import os
import platform
from pathlib import Path
from unittest.mock import patch

import pytest

from core.errors import RunFolderError
from core.storage import delete
from core.storage.delete import contents_of, remove_run
from core.storage.lock import FolderLock
from core.storage.paths import LOCK
from tests.support.file_systems import without_locks
from tests.support.run_folders import make_checkpoint, make_run, started


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", [started()])


def test_all_files_of_a_run_are_deleted_with_its_folder(run: Path) -> None:
    make_checkpoint(run, 100)
    (run / "000000100.optimizer.safetensors").touch()
    (run / ".000000200.safetensors.4711.partial").touch()
    (run / ".run.json.4711.partial").touch()
    remove_run(run)
    assert not run.exists()


def test_foreign_files_stay_with_their_folder(run: Path) -> None:
    (run / "notes.txt").write_text("mine")
    (run / "best.safetensors").touch()
    (run / "plots").mkdir()
    contents = remove_run(run)
    assert contents.foreign == ("best.safetensors", "notes.txt", "plots")
    assert sorted(path.name for path in run.iterdir()) == list(contents.foreign)


@pytest.mark.parametrize("name", ["000000100.safetensors", "other"])
def test_links_are_neither_deleted_nor_followed(run: Path, tmp_path: Path, name: str) -> None:
    outside = make_run(tmp_path / "outside")
    (run / name).symlink_to(outside / "run.json")
    (run / "999.safetensors").symlink_to(outside)
    assert remove_run(run).foreign == tuple(sorted((name, "999.safetensors")))
    assert (outside / "run.json").is_file()
    assert (run / name).is_symlink()


def test_a_link_to_a_run_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run)
    with pytest.raises(RunFolderError, match="a symbolic link; choose the folder itself"):
        remove_run(tmp_path / "link")
    assert (run / "run.json").is_file()


def test_a_run_that_is_being_trained_is_refused(run: Path) -> None:
    lock = FolderLock(run)
    lock.take()
    owner = f"process {os.getpid()} on {platform.node()}"
    with pytest.raises(RunFolderError, match=f"being trained by {owner}; stop it first"):
        remove_run(run)
    assert (run / "run.json").is_file()
    lock.release()
    remove_run(run)
    assert not run.exists()


def test_a_run_that_is_resumed_meanwhile_is_refused(run: Path) -> None:
    lock = FolderLock(run)
    lock.take()
    with (
        patch.object(delete, "owner_words", return_value=None),
        pytest.raises(RunFolderError, match="stop it first"),
    ):
        remove_run(run)
    assert (run / "run.json").is_file()
    lock.release()


def test_a_lock_that_is_a_link_is_not_written_through(run: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("precious")
    (run / LOCK).symlink_to(tmp_path / "outside")
    with pytest.raises(RunFolderError, match="cannot be locked"):
        remove_run(run)
    assert (tmp_path / "outside").read_text() == "precious"


@pytest.mark.parametrize("files", [{}, {"run.json": "{}"}, {"events.jsonl": ""}, {"a.py": ""}])
def test_a_folder_without_a_run_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    with pytest.raises(RunFolderError, match="not a run folder"):
        remove_run(folder)
    assert {path.name for path in folder.iterdir()} == set(files)


@pytest.mark.parametrize("has_lock", [False, True])
def test_a_run_on_a_file_system_without_locks_can_be_deleted(
    run: Path, monkeypatch: pytest.MonkeyPatch, has_lock: bool
) -> None:
    if has_lock:
        (run / LOCK).touch()
    without_locks(monkeypatch)
    remove_run(run)
    assert not run.exists()


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no such folder"):
        remove_run(tmp_path / "none")


def test_a_damaged_run_can_be_deleted(run: Path) -> None:
    make_checkpoint(run, 100)
    (run / "run.json").write_text("{")
    remove_run(run)
    assert not run.exists()


def test_a_partly_deleted_run_can_be_deleted(run: Path) -> None:
    make_checkpoint(run, 100)
    unlink = delete.os.unlink

    def interrupted(name: str, *, dir_fd: int) -> None:
        if name == "run.json":
            raise KeyboardInterrupt
        unlink(name, dir_fd=dir_fd)

    with patch.object(delete.os, "unlink", interrupted), pytest.raises(KeyboardInterrupt):
        remove_run(run)
    assert {path.name for path in run.iterdir()} == {"run.json"}
    remove_run(run)
    assert not run.exists()


def test_the_size_of_the_files_to_delete_is_known(run: Path) -> None:
    (run / "notes.txt").write_text("not counted")
    contents = contents_of(run)
    assert contents.own == ("events.jsonl", "run.json")
    assert contents.size == sum((run / name).stat().st_size for name in contents.own)
