"""Without the dashboard: whatever fails, runs are saved, and a line says what became of them."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import io
import os
import signal
import sys
import termios
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.events import Stepped
from core.remote.registry import SessionEndpoint, live_sessions
from core.remote.server import Server
from core.session.local import LocalSession
from core.training.run_plan import plan_new
from tests.support.dashboard.fake_session import FakeSession
from tests.support.events import FOMAML
from tests.support.remotes import Serving, served
from tests.support.runs import PATIENCE, small_config, until
from tests.support.saboteur import PROBLEM, sabotage
from tests.support.sessions import folder_for_sockets
from tui_meta.cli import background_stdio as stdio_module
from tui_meta.cli import headless, home
from tui_meta.cli.background_stdio import BackgroundWriter
from tui_meta.cli.commands import train
from tui_meta.cli.headless import run_headless
from tui_meta.cli.main import main
from tui_meta.console import STANDARD_OUTPUT, is_closed_output

# A server that cannot begin leaves its loop of events to the garbage collection.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def runtime() -> Iterator[Path]:
    with folder_for_sockets() as folder:
        yield folder


def test_runs_are_saved_and_what_is_unsaved_is_named_where_printing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(PROBLEM)

    monkeypatch.setattr(headless, "event_line", fail)
    session = LocalSession([plan_new(small_config(), tmp_path, "x")])
    with pytest.raises(RuntimeError, match=PROBLEM):
        run_headless(session, as_json=False)
    (shot,) = session.snapshots().values()
    assert (shot.state, shot.unsaved) in (("stopped", False), ("finished", False))


def test_a_command_that_fails_unexpectedly_prints_one_line_and_keeps_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    sabotage(monkeypatch, "", (home, "expanded")).armed = True
    assert main(["runs"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    (file,) = (tmp_path / "tui-meta").iterdir()
    assert line == (
        f"error: this command crashed (bug in tui-meta): RuntimeError: {PROBLEM}; "
        f"details are in {file}"
    )
    assert "Traceback" in file.read_text()


def test_a_thread_that_cannot_write_is_an_error_of_the_next_write() -> None:
    class Broken(io.RawIOBase):
        def write(self, _: object) -> int:
            raise RuntimeError(PROBLEM)

    writer = BackgroundWriter(Broken())
    writer.write(b"a line")
    writer.drain()
    with pytest.raises(RuntimeError, match=PROBLEM):
        writer.write(b"a line")


def test_a_socket_whose_other_end_has_left_is_not_standard_output() -> None:
    closed = BrokenPipeError(errno.EPIPE, "Broken pipe")
    assert not is_closed_output(closed)
    closed.filename = STANDARD_OUTPUT
    assert is_closed_output(closed)


# A headless session that others can attach to.


def test_a_server_that_fails_is_reported_and_training_continues(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = FakeSession()
    with train._served(session) as is_served:
        assert is_served
        sabotage(monkeypatch, "server", (Server, "_send_updates")).armed = True
        until(lambda: not list(live_sessions()))
    line = capsys.readouterr().err
    assert line.startswith("error: clients of this session may be disconnected: internal error in ")
    assert line.endswith(f"RuntimeError: {PROBLEM}; training continues\n")
    assert session.calls == []


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ((SessionEndpoint, "_register"), PROBLEM),
        ((asyncio, "new_event_loop"), PROBLEM),
        ((threading.Thread, "start"), PROBLEM),
    ],
    ids=["registering", "a loop", "a thread"],
)
@pytest.mark.parametrize("error", [RuntimeError, OSError, MemoryError])
def test_a_session_that_cannot_be_served_trains_all_the_same(
    call: tuple[object, str],
    reason: str,
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sabotage(monkeypatch, "Main", call, error).armed = True
    with train._served(FakeSession()) as is_served:
        assert not is_served
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("this session cannot be attached to: ")
    assert reason in line
    assert not list(live_sessions())


# A watcher whose reader neither reads nor leaves.


@contextmanager
def stalled_output(patch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """Replace standard output by a pipe of one page that is not read; yields if it is full."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4_096)

    def is_full() -> bool:
        waiting = array("i", [0])
        fcntl.ioctl(reading, termios.FIONREAD, waiting)
        return waiting[0] > 3_900  # a line is written whole or waits

    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as output:
        with patch.context() as patched:
            patched.setattr(sys, "stdout", output)
            yield is_full
        reader.close()


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setattr(stdio_module, "PATIENCE_SECONDS", 0.05)
    with served(FakeSession()) as serving:
        yield serving


def publish_much(serving: Serving) -> None:
    for number in range(1_000):
        serving.server._session.publish(Stepped(count=1, run=FOMAML, iteration=number, time=0.0))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watcher_whose_reader_stalls_obeys_a_signal_and_the_session_continues(
    number: int, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def meanwhile() -> None:
        until(lambda: signal.getsignal(signal.SIGTERM) is not before)
        publish_much(serving)
        until(is_full)
        os.kill(os.getpid(), number)

    with stalled_output(monkeypatch) as is_full:
        thread = threading.Thread(target=meanwhile)
        thread.start()
        assert main(["watch", "--json"]) == 128 + number
        thread.join(PATIENCE)
    until(lambda: not serving.server.has_subscribers)
    serving.client().sync()
    assert serving.server._session.calls == ["start"]  # type: ignore[attr-defined]
