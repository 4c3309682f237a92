"""A run folder has one writer, whose process can be identified."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import core.storage.lock
from core.errors import RunFolderError
from core.storage.lock import FolderLock, owner_of
from core.storage.paths import LOCK
from tests.support.file_systems import UNSUPPORTED, without_locks

HOLD = """
import sys, time
from pathlib import Path
from core.storage.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.take()
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.storage.lock, "TIMEOUT_SECONDS", 0.0)


def test_a_locked_folder_is_refused_with_the_name_of_its_owner(
    tmp_path: Path, hurried: None
) -> None:
    first = FolderLock(tmp_path)
    first.take()
    with pytest.raises(RunFolderError, match="being trained by process") as caught:
        FolderLock(tmp_path).take()
    assert f"process {os.getpid()} on {os.uname().nodename} (" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    first.release()


def test_the_owner_is_known_while_it_holds_the_lock(tmp_path: Path) -> None:
    assert owner_of(tmp_path) is None
    lock = FolderLock(tmp_path)
    lock.take()
    owner = owner_of(tmp_path)
    assert owner is not None
    assert (owner.pid, owner.host) == (os.getpid(), os.uname().nodename)
    lock.release()
    assert owner_of(tmp_path) is None


def test_the_lock_has_the_permissions_of_other_files(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    before = os.umask(0o027)
    try:
        lock.take()
    finally:
        os.umask(before)
    lock.release()
    assert (tmp_path / LOCK).stat().st_mode & 0o777 == 0o640


def test_reading_the_owner_writes_nothing(tmp_path: Path) -> None:
    owner_of(tmp_path)
    owner_of(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_the_death_of_the_owner_releases_the_lock(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    owner = owner_of(tmp_path)
    assert owner is not None
    assert owner.pid == process.pid
    process.kill()
    process.communicate()
    assert owner_of(tmp_path) is None
    lock = FolderLock(tmp_path)
    lock.take()
    lock.release()


@pytest.mark.parametrize("content", [b"", b"\xff", b'{"host":1}', b"x" * 200_000])
def test_a_folder_locked_by_an_unknown_owner_is_refused(
    tmp_path: Path, hurried: None, content: bytes
) -> None:
    lock = FolderLock(tmp_path)
    lock.take()
    (tmp_path / ".lock").write_bytes(content)
    with pytest.raises(RunFolderError, match="on an unknown host"):
        FolderLock(tmp_path).take()
    lock.release()


def test_a_missing_folder_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot be locked"):
        FolderLock(tmp_path / "nothing").take()


@pytest.mark.parametrize("code", [*UNSUPPORTED, errno.ENOLCK])
def test_without_locks_a_folder_is_read_and_not_trained_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    without_locks(monkeypatch, code)
    with pytest.raises(RunFolderError) as caught:
        FolderLock(tmp_path).take()
    problem = f"cannot be locked, as its file system has no locks ({os.strerror(code)})"
    assert str(caught.value) == f"{tmp_path}: {problem}; copy it to another file system"
    assert list(tmp_path.iterdir()) == []
    FolderLock(tmp_path).take(required=False)
    (tmp_path / LOCK).touch()
    assert owner_of(tmp_path) is None


def test_a_lock_that_cannot_be_checked_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / LOCK).touch()
    without_locks(monkeypatch, errno.EIO)
    with pytest.raises(RunFolderError, match=r"cannot check the lock \(Input/output error\)"):
        owner_of(tmp_path)
