"""Beginning a session in a process of its own: what comes of it is told, and in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.remote import process
from core.remote.protocol import RemoteError
from core.session.launch import ResumeRequest


def test_a_session_that_does_not_begin_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(process, "LAUNCH_SECONDS", 0.1)
    monkeypatch.setattr(process, "_ALONE", "import threading; threading.Event().wait()")
    with pytest.raises(RemoteError, match=r"no session has begun within 0\.1 seconds; if it"):
        process.launch(ResumeRequest.of([tmp_path / "run"]))


def test_a_session_that_cannot_begin_says_where_the_reason_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(process, "_ALONE", "import sys; sys.exit('no such module')")
    with pytest.raises(RemoteError, match=r"could not be begun; .*session\.log says why"):
        process.launch(ResumeRequest.of([tmp_path / "run"]))
    assert "no such module" in (tmp_path / "tui-meta" / "session.log").read_text()
