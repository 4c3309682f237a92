"""A run folder has one writer, and who that is can be told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import core.storage.lock
from core.errors import RunFolderError
from core.storage.lock import FolderLock, owner_of
from core.storage.paths import LOCK

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


def test_a_locked_folder_is_refused_in_a_line_that_names_process_and_host(
    tmp_path: Path, hurried: None
) -> None:
    first = FolderLock(tmp_path)
    first.take()
    with pytest.raises(RunFolderError, match="being trained by process") as caught:
        FolderLock(tmp_path).take()
    assert f"process {os.getpid()} on {os.uname().nodename} (" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    first.release()


def test_the_owner_is_known_while_it_has_the_folder_and_not_after(tmp_path: Path) -> None:
    assert owner_of(tmp_path) is None
    lock = FolderLock(tmp_path)
    lock.take()
    owner = owner_of(tmp_path)
    assert owner is not None
    assert (owner.pid, owner.host) == (os.getpid(), os.uname().nodename)
    lock.release()
    assert owner_of(tmp_path) is None


def test_the_lock_is_as_open_to_others_as_other_files(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    before = os.umask(0o027)
    try:
        lock.take()
    finally:
        os.umask(before)
    lock.release()
    assert (tmp_path / LOCK).stat().st_mode & 0o777 == 0o640


def test_to_ask_for_the_owner_writes_nothing(tmp_path: Path) -> None:
    owner_of(tmp_path)
    owner_of(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_the_death_of_the_owner_frees_the_folder(tmp_path: Path) -> None:
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
def test_an_owner_that_left_no_name_is_refused_all_the_same(
    tmp_path: Path, hurried: None, content: bytes
) -> None:
    lock = FolderLock(tmp_path)
    lock.take()
    (tmp_path / ".lock").write_bytes(content)
    with pytest.raises(RunFolderError, match="on an unknown host"):
        FolderLock(tmp_path).take()
    lock.release()


def test_a_folder_that_is_not_there_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot be locked"):
        FolderLock(tmp_path / "nothing").take()
