"""Threads give way to user interfaces; a niceness that the user chose is never lowered."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import core.training.priority
from core.training.priority import TRAINING, WATCHED, GroupPriority, set_thread_niceness

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness here")


def niceness_after(*wanted: int) -> int:
    def work() -> int:
        for niceness in wanted:
            set_thread_niceness(niceness)
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_a_thread_gives_way() -> None:
    assert niceness_after(19) == 19


def test_the_niceness_that_a_user_gave_is_never_lowered() -> None:
    assert niceness_after(12, 3) == max(12, os.getpriority(os.PRIO_PROCESS, 0))


AS_ORDINARY_USER = """
import os
os.setgroups([])
os.setgid(65_534)
os.setuid(65_534)
os.nice(10)
set_thread_niceness(3)
print(os.getpriority(os.PRIO_PROCESS, 0))
set_thread_niceness(19)
print(os.getpriority(os.PRIO_PROCESS, 0))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_who_gave_a_niceness_keeps_it() -> None:
    """The other user may not be allowed to read the sources, so they are read before."""
    program = inspect.getsource(core.training.priority) + AS_ORDINARY_USER
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert done.stdout.split() == [str(own + 10), "19"]


def test_a_niceness_that_is_refused_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refused)
    assert niceness_after(19) == os.getpriority(os.PRIO_PROCESS, 0)


def test_a_session_gives_way_as_a_group_and_more_so_while_it_is_watched(tmp_path: Path) -> None:
    file = tmp_path / "autogroup"
    file.write_text("/autogroup-17 nice 0\n")
    group = GroupPriority(file)
    for watched, niceness in ((False, TRAINING), (True, WATCHED), (True, WATCHED)):
        group.set_watched(watched)
        assert file.read_text().split()[-1] == str(niceness)
    file.write_text("/autogroup-17 nice 15\n")
    group.set_watched(False)
    assert file.read_text().split()[-1] == "15", "the user's own"


@pytest.mark.parametrize("content", [None, "", "no number"])
def test_a_session_without_a_group_is_no_failure(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "autogroup"
    if content is not None:
        file.write_text(content)
    GroupPriority(file).set_watched(True)
    assert (file.read_text() if file.exists() else None) == content
