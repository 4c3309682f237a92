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
from core.training.priority import set_group_niceness, set_thread_niceness

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


@pytest.mark.parametrize(("before", "after"), [(0, 3), (3, 3), (10, 10), (-5, 3)])
def test_a_session_gives_way_as_a_group(before: int, after: int, tmp_path: Path) -> None:
    group = tmp_path / "autogroup"
    group.write_text(f"/autogroup-17 nice {before}\n")
    set_group_niceness(3, group)
    assert int(group.read_text().split()[-1]) == after


@pytest.mark.parametrize("content", [None, "", "no number"])
def test_a_session_without_a_group_is_no_failure(content: str | None, tmp_path: Path) -> None:
    group = tmp_path / "autogroup"
    if content is not None:
        group.write_text(content)
    set_group_niceness(3, group)
    assert (group.read_text() if group.exists() else None) == content
