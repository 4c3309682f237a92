"""A file is whole or not there, whatever fails while it is written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.storage.io import write_atomically
from tests.support.file_systems import UNSUPPORTED, failing, without_folder_sync


def test_a_file_holds_what_was_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_new_content_replaces_the_old_one(tmp_path: Path) -> None:
    for content in (b"old and longer", b"new"):
        write_atomically(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == b"new"


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("fault", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError()], ids=repr)
def test_a_fault_while_writing_leaves_only_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, error: BaseException
) -> None:
    write_atomically(tmp_path / "file", b"old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail) if fault == "fsync" else monkeypatch.setattr(
        Path, "replace", fail
    )
    with pytest.raises(type(error)):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_content_is_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def record_fsync(descriptor: int) -> None:
        steps.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "content")
        fsync(descriptor)

    def record_replace(self: Path, target: Path) -> Path:
        steps.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(Path, "replace", record_replace)
    write_atomically(tmp_path / "file", b"content")
    if Path("/proc/self/fd").exists():
        assert steps == ["content", "name", "folder"]
    else:
        assert len(steps) == 3


@pytest.mark.parametrize("place", ["missing/file", "file/below"])
def test_a_missing_folder_is_an_os_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OSError, match=r"No such file|Not a directory"):
        write_atomically(tmp_path / place, b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.parametrize("code", [*UNSUPPORTED, errno.EBADF])
def test_a_folder_that_cannot_be_flushed_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    without_folder_sync(monkeypatch, code)
    write_atomically(tmp_path / "file", b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_folder_that_fails_to_be_flushed_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    without_folder_sync(monkeypatch, code)
    with pytest.raises(OSError, match=os.strerror(code)):
        write_atomically(tmp_path / "file", b"content")


def test_a_folder_that_cannot_be_listed_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", failing(errno.EACCES))
    write_atomically(tmp_path / "file", b"content")
    monkeypatch.undo()
    assert (tmp_path / "file").read_bytes() == b"content"
