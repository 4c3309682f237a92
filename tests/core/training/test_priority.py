"""Threads give way to user interfaces; a niceness that the user chose is never lowered."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.training.priority import set_thread_niceness

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


def test_a_niceness_that_is_refused_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refused)
    assert niceness_after(19) == os.getpriority(os.PRIO_PROCESS, 0)
