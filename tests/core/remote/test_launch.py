"""Launching a session in a process of its own: it starts, or the reason is reported in time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.remote import launch as launching
from core.remote import spawn
from core.remote.protocol import RemoteError
from core.remote.registry import sessions_folder
from core.session.run_requests import ResumeRequest
from tests.support.homes import without_home

LAUNCH = """
import sys
sys.path.insert(0, {checkout!r})
from pathlib import Path
from core.remote.launch import launch
from core.remote.protocol import RemoteError
from core.session.run_requests import ResumeRequest
try:
    launch(ResumeRequest.of([Path("run")]))
except RemoteError as error:
    print(error)
"""


UseProgram = Callable[[str], None]


@pytest.fixture
def resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ResumeRequest:
    """The request to resume a run that does not exist; the log is in ``tmp_path``."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return ResumeRequest.of([tmp_path / "run"])


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseProgram:
    """Replace the program of a session's process."""

    def use(program: str) -> None:
        path = tmp_path / "daemon.py"
        path.write_text(program)
        monkeypatch.setattr(spawn, "DAEMON", path)

    return use


def test_a_session_that_does_not_start_is_not_waited_for_endlessly(
    resume: ResumeRequest, daemon: UseProgram
) -> None:
    daemon("import threading; threading.Event().wait()")
    with pytest.raises(RemoteError, match=r"no session started within 0\.1 seconds"):
        launching.launch(resume, timeout=0.1)


def test_a_session_that_cannot_start_reports_where_the_reason_is(
    tmp_path: Path, resume: ResumeRequest, daemon: UseProgram
) -> None:
    daemon("import sys; sys.exit('no such module')")
    with pytest.raises(RemoteError, match=r"could not start; see .*session\.log"):
        launching.launch(resume)
    assert "no such module" in (tmp_path / "tui-meta" / "session.log").read_text()


def test_a_session_is_found_by_the_name_of_the_program(
    tmp_path: Path, resume: ResumeRequest, daemon: UseProgram
) -> None:
    shows_itself = "import sys; from pathlib import Path; "
    shows_itself += "sys.exit(Path('/proc/self/cmdline').read_text().replace(chr(0), ' '))"
    daemon(shows_itself)
    with pytest.raises(RemoteError):
        launching.launch(resume)
    log = (tmp_path / "tui-meta" / "session.log").read_text()
    assert log.strip().endswith("daemon.py tui-meta session")


def test_without_a_home_the_log_is_beside_the_sockets(
    resume: ResumeRequest, daemon: UseProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_home(monkeypatch)
    daemon("import sys; sys.exit('no such module')")
    with pytest.raises(RemoteError, match=r"could not start; see .*session\.log"):
        launching.launch(resume)
    assert "no such module" in (sessions_folder() / "session.log").read_text()


def test_a_long_log_is_replaced_and_the_one_before_it_kept(
    tmp_path: Path, resume: ResumeRequest, daemon: UseProgram
) -> None:
    daemon("import sys; sys.exit('now')")
    log = tmp_path / "tui-meta" / "session.log"
    log.parent.mkdir()
    for content in (b"older", b"old"):
        log.write_bytes(content * spawn.LONGEST_LOG)
        with pytest.raises(RemoteError):
            launching.launch(resume)
    assert log.read_text() == "now\n"
    assert log.with_suffix(".log.old").read_bytes().startswith(b"oldold")
    assert len(list(log.parent.iterdir())) == 2


def test_a_process_that_was_started_early_takes_the_request(
    tmp_path: Path,
    resume: ResumeRequest,
    daemon: UseProgram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    daemon("import sys; sys.exit(sys.stdin.read())")
    with spawn.early_process():
        monkeypatch.setattr(spawn, "DAEMON", tmp_path / "another")
        with pytest.raises(RemoteError):
            launching.launch(resume)
    assert '"runs"' in (tmp_path / "tui-meta" / "session.log").read_text()


def test_a_process_that_was_started_early_ends_without_a_request(
    tmp_path: Path, resume: ResumeRequest
) -> None:
    with spawn.early_process():
        (early,) = spawn._early
        output = os.dup(early._process.stdout.fileno())
    with open(output, "rb") as file:
        assert file.read() == b""
    assert (tmp_path / "tui-meta" / "session.log").read_text() == ""


def test_the_daemon_loads_the_core_that_launched_it(runtime: Path, tmp_path: Path) -> None:
    """The environment of the daemon puts another one first on its path."""
    other = tmp_path / "core"
    other.mkdir()
    (other / "__init__.py").write_text("raise RuntimeError('another core')")
    checkout = str(Path(launching.__file__).parents[2])
    launched = subprocess.run(
        [sys.executable, "-P", "-c", LAUNCH.format(checkout=checkout)],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "run: no such run folder" in launched.stdout
    assert (tmp_path / "tui-meta" / "session.log").read_text() == ""
