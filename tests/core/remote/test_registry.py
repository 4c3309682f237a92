"""Where sessions are found: private, numbered, and cleared of what the dead have left."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest
from filelock import lock_descriptor

from core.remote import registry
from core.remote.connection import find_session
from core.remote.protocol import RemoteError
from core.remote.registry import (
    SessionEndpoint,
    SessionInfo,
    live_sessions,
    require_endpoint,
    sessions_folder,
    socket_path,
)
from tests.support.file_systems import failing, without_locks


class Taken(SessionEndpoint):
    """A endpoint whose socket is closed with it."""

    def close(self) -> None:
        self.listening.close()
        self.remove()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


@pytest.fixture
def take(stack: ExitStack):
    return lambda: stack.enter_context(closing(Taken()))


def ids() -> list[str]:
    return [entry.id for entry in live_sessions()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def leave_dead(folder: Path, number: int) -> None:
    """What a process that was killed has left."""
    entry = SessionInfo(id=str(number), pid=2**22 + 1, started=1.0, command=["tui-meta"])
    (folder / f"{number}.json").write_bytes(msgspec.json.encode(entry))
    (folder / f"{number}.sock").touch()


def test_a_session_takes_the_lowest_free_number(take) -> None:
    assert [take().id for _ in range(3)] == ["1", "2", "3"]
    assert ids() == ["1", "2", "3"]


def test_a_number_that_was_given_back_is_taken_again(take) -> None:
    first, _ = Taken(), take()
    first.close()
    assert take().id == "1"


def test_an_entry_describes_the_process(take) -> None:
    take()
    (entry,) = live_sessions()
    assert (entry.id, entry.pid) == ("1", os.getpid())


def test_sessions_are_listed_in_the_order_of_their_numbers(take) -> None:
    for _ in range(11):
        take()
    assert ids() == [str(number) for number in range(1, 12)]


def test_what_a_dead_session_left_is_cleared_by_the_next_look(runtime: Path) -> None:
    folder = sessions_folder()
    leave_dead(folder, 1)
    assert ids() == []
    assert not list(folder.iterdir())


def test_the_number_of_a_dead_session_is_taken_at_once(take) -> None:
    leave_dead(sessions_folder(), 1)
    assert take().id == "1"


def test_what_a_living_session_holds_is_not_cleared(take) -> None:
    take()
    assert ids() == ids() == ["1"]
    assert socket_path("1").exists()


def test_an_entry_of_another_process_lives_as_long_as_it(runtime: Path) -> None:
    code = "from core.remote import registry; print(registry.SessionEndpoint().id, flush=True)"
    code += "; input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        (entry,) = live_sessions()
        assert entry.pid == child.pid
        child.kill()
        child.wait()
        assert ids() == []
        assert child.stdin is not None
        child.stdin.close()


def test_a_late_clean_up_keeps_the_entry_of_the_next_session(
    take, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the opening of a dead entry and its lock, another may replace it."""
    folder = sessions_folder()
    leave_dead(folder, 1)
    opened = os.open

    def overtaken(path, flags, *mode, **where):
        descriptor = opened(path, flags, *mode, **where)
        if str(path).endswith("1.json") and not flags & os.O_CREAT:
            monkeypatch.setattr(os, "open", opened)
            assert take().id == "1"
        return descriptor

    monkeypatch.setattr(os, "open", overtaken)
    assert ids() == []
    assert ids() == ["1"]
    assert socket_path("1").exists()


def test_an_entry_that_is_being_written_is_no_session_and_stays(runtime: Path) -> None:
    path = sessions_folder() / "1.json"
    path.touch()
    assert ids() == []
    assert path.exists()
    os.utime(path, (1, 1))
    assert ids() == []
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"id": 3}', b"[" * 90_000, b"null"])
def test_an_entry_that_cannot_be_read_is_passed_over(content: bytes, runtime: Path) -> None:
    path = sessions_folder() / "1.json"
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDWR)
    assert lock_descriptor(descriptor, blocking=False)
    assert ids() == []
    os.close(descriptor)


def test_links_folders_and_pipes_are_no_entries(runtime: Path, tmp_path: Path) -> None:
    folder = sessions_folder()
    elsewhere = tmp_path / "entry"
    elsewhere.write_bytes(b"kept")
    (folder / "1.json").symlink_to(elsewhere)
    (folder / "2.json").mkdir()
    os.mkfifo(folder / "3.json")
    assert ids() == []
    assert elsewhere.read_bytes() == b"kept"


def test_folder_and_socket_are_for_this_user_only(take) -> None:
    before = os.umask(0)
    try:
        take()
    finally:
        os.umask(before)
    assert mode(sessions_folder()) == 0o700
    assert mode(socket_path("1")) == 0o600
    assert mode(sessions_folder() / "1.json") == 0o600


def test_a_folder_that_others_can_enter_is_refused(runtime: Path) -> None:
    sessions_folder().chmod(0o750)
    with pytest.raises(RemoteError, match="other users can enter it; set XDG_RUNTIME_DIR"):
        sessions_folder()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(runtime: Path) -> None:
    os.chown(sessions_folder(), 65_534, -1)
    with pytest.raises(RemoteError, match="belongs to another user; set XDG_RUNTIME_DIR"):
        sessions_folder()


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_is_refused(kind: str, runtime: Path, tmp_path: Path) -> None:
    endpoint = runtime / "tui-meta"
    if kind == "link":
        tmp_path.chmod(0o700)
        endpoint.symlink_to(tmp_path)
    else:
        endpoint.touch(0o600)
    with pytest.raises(RemoteError) as caught:
        sessions_folder()
    assert str(endpoint) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_path_too_long_for_a_socket_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with pytest.raises(RemoteError, match="too long for a socket; set XDG_RUNTIME_DIR"):
        sessions_folder()


def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    with pytest.raises(
        RemoteError, match=r"gone/tui-meta: sessions cannot be registered here \(No such"
    ):
        sessions_folder()


@pytest.mark.parametrize("value", [None, "", "relative"])
def test_without_a_runtime_folder_there_is_a_private_one(
    value: str | None, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(runtime))
    if value is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
    assert sessions_folder() == runtime / f"tui-meta-{os.getuid()}"
    assert mode(sessions_folder()) == 0o700


def test_without_a_usable_temporary_folder_the_next_one_is_taken(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(registry, "TEMPORARY", (str(runtime / "gone"), str(runtime)))
    for value in ("", "relative", str(runtime / "no such")):
        monkeypatch.setenv("TMPDIR", value)
        assert sessions_folder() == runtime / f"tui-meta-{os.getuid()}"


def test_where_no_temporary_folder_can_be_written_no_session_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the working folder either: from another one it would not be found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(registry, "TEMPORARY", (str(tmp_path / "gone"),))
    with pytest.raises(RemoteError, match="can be written; set XDG_RUNTIME_DIR to a folder of"):
        SessionEndpoint()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["pwrite", "open"])
def test_an_entry_that_cannot_be_written_is_refused_and_leaves_nothing(
    call: str, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sessions_folder()
    monkeypatch.setattr(os, call, failing(errno.ENOSPC))
    with pytest.raises(RemoteError, match=r"cannot be registered here \(No space left"):
        SessionEndpoint()
    monkeypatch.undo()
    assert list(folder.iterdir()) == []


def test_where_nothing_can_be_locked_no_session_is_registered(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sessions_folder()
    without_locks(monkeypatch)
    with pytest.raises(RemoteError, match=r"cannot be registered here \(Function not impl"):
        SessionEndpoint()
    assert list(folder.iterdir()) == []


def test_a_socket_gets_its_name_once_it_listens(take, monkeypatch: pytest.MonkeyPatch) -> None:
    listen, named_before = socket.socket.listen, []

    def observed(self: socket.socket, backlog: int) -> None:
        named_before.append(socket_path("1").exists())
        listen(self, backlog)

    monkeypatch.setattr(socket.socket, "listen", observed)
    assert take().exists()
    assert named_before == [False]


@pytest.mark.parametrize("call", ["chmod", "replace"])
def test_a_socket_that_cannot_be_created_leaves_nothing(
    call: str, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sessions_folder()
    monkeypatch.setattr(Path, call, failing(errno.EPERM))
    with pytest.raises(RemoteError, match=r"cannot listen here \(Operation not permitted"):
        SessionEndpoint()
    assert list(folder.iterdir()) == []


def test_a_trial_leaves_nothing_behind(runtime: Path) -> None:
    require_endpoint()
    assert list(sessions_folder().iterdir()) == []


@pytest.fixture
def usual(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folders of a login and of a timed job of this user."""
    login, temporary = runtime / str(os.getuid()), runtime / "tmp"
    login.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(registry, "RUNTIME", str(runtime))
    monkeypatch.setattr(registry, "TEMPORARY", (str(temporary),))
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    return login, temporary


def test_a_session_of_a_timed_job_is_found_after_a_login_and_the_reverse(
    take, usual: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    login, temporary = usual
    in_job = take()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(login))
    at_login = take()
    assert (in_job.id, at_login.id) == ("1", "2")
    assert socket_path("1") == temporary / f"tui-meta-{os.getuid()}" / "1.sock"
    assert socket_path("2") == login / "tui-meta" / "2.sock"
    for variable in (str(login), ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", variable)
        assert ids() == ["1", "2"]
    with pytest.raises(RemoteError, match=r"tui-meta-\d+ and .*/tui-meta; another XDG_"):
        find_session("3")


def test_a_runtime_folder_of_ones_own_choice_is_searched_alone(
    take, usual: tuple[Path, Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert ids() == []
    assert take().id == "1"


@pytest.mark.parametrize("own", ["gone", "0"], ids=["own", "of a login"])
def test_a_runtime_folder_that_is_gone_is_no_reason_not_to_search_the_others(
    take, usual: tuple[Path, Path], runtime: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    take()
    usual[0].rmdir()
    gone = str(usual[0] if own == "0" else runtime / own)
    monkeypatch.setenv("XDG_RUNTIME_DIR", gone)
    assert ids() == ["1"]
    with pytest.raises(RemoteError, match=r"looked in .*/tui-meta and .*/tui-meta-\d+; another"):
        find_session("3")


def test_a_runtime_folder_that_is_gone_has_no_sessions(
    usual: tuple[Path, Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / "gone"))
    assert ids() == []
    assert not (runtime / "gone").exists()


def test_sessions_of_a_login_are_found_where_no_temporary_folder_can_be_written(
    take, usual: tuple[Path, Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(usual[0]))
    take()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(registry, "TEMPORARY", (str(runtime / "gone"),))
    assert ids() == ["1"]


def test_another_folder_that_is_not_private_is_not_searched(
    take, usual: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    take()
    folder = sessions_folder()
    folder.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(usual[0]))
    assert ids() == []
    folder.chmod(0o700)
    assert ids() == ["1"]


def test_too_many_sessions_are_refused(take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MOST_SESSIONS", 2)
    take(), take()
    with pytest.raises(RemoteError, match="there are 2 sessions; stop some first"):
        SessionEndpoint()


def test_a_session_leaves_nothing_behind(runtime: Path) -> None:
    Taken().close()
    assert not list(sessions_folder().iterdir())


def test_a_place_that_was_cleared_away_is_made_again(take) -> None:
    endpoint = take()
    assert endpoint.exists()
    shutil.rmtree(sessions_folder())
    assert not endpoint.exists()
    endpoint.listening.close()
    endpoint.restore()
    assert endpoint.exists()
    assert ids() == ["1"]


def test_where_only_the_socket_is_gone_the_number_stays(take) -> None:
    endpoint = take()
    socket_path("1").unlink()
    assert not endpoint.exists()
    endpoint.listening.close()
    endpoint.restore()
    assert (endpoint.id, ids()) == ("1", ["1"])


def test_a_place_whose_number_was_taken_meanwhile_gets_another(take) -> None:
    endpoint = take()
    shutil.rmtree(sessions_folder())
    assert take().id == "1"
    assert not endpoint.exists()
    endpoint.listening.close()
    endpoint.restore()
    assert (endpoint.id, ids()) == ("2", ["1", "2"])


def test_one_that_was_replaced_does_not_clear_its_successor(runtime: Path, take) -> None:
    endpoint = Taken()
    shutil.rmtree(sessions_folder())
    take()
    endpoint.close()
    assert ids() == ["1"]
    assert socket_path("1").exists()


def test_a_restoring_that_fails_can_be_tried_again(runtime: Path, take) -> None:
    endpoint = take()
    shutil.rmtree(runtime)
    endpoint.listening.close()
    for _ in range(2):
        with pytest.raises(RemoteError):
            endpoint.restore()
    runtime.mkdir()
    endpoint.restore()
    assert ids() == ["1"]


def test_the_only_session_need_not_be_named(take) -> None:
    with pytest.raises(
        RemoteError,
        match=r"no session is running \(looked in .*/tui-meta; another XDG_RUN.*\); start one",
    ):
        find_session(None)
    take()
    assert find_session(None).id == find_session("1").id == "1"
    with pytest.raises(RemoteError, match=r"no session '2' \(looked in .*\); running: 1"):
        find_session("2")
    take()
    with pytest.raises(RemoteError, match="several sessions are running; choose one of 1, 2"):
        find_session(None)
