"""Other users of the machine are kept out, by the mode of the folder and by the session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.remote.client import RemoteSession
from core.remote.connection import make_hello
from core.remote.protocol import RemoteError, to_frame
from core.remote.registry import sessions_folder, socket_path
from tests.support.dashboard.fake_session import FakeSession
from tests.support.remotes import served

CONNECT = """
import os, socket, sys
uid, path, greeting = int(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connecting.settimeout(60)
try:
    connecting.connect(path)
except OSError as error:
    sys.exit(type(error).__name__)
try:
    connecting.sendall(greeting)
    answer = connecting.recv(100)
except OSError as error:
    answer = b""
sys.exit("answered" if answer else "hung up on")
"""
"""Imports nothing that the other user might not be allowed to read."""

LISTEN = """
import os, socket
os.setgroups([])
os.setgid({uid})
os.setuid({uid})
listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listening.bind({path!r})
listening.listen()
print("listening", flush=True)
connected, _ = listening.accept()
connected.settimeout(60)
print("received", connected.recv(100), flush=True)
"""


@pytest.fixture
def other_user() -> int:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    return 65_534  # on Linux, the user without any rights


def outcome(path: Path, uid: int) -> str:
    """Return the outcome of a hello that user ``uid`` sends to ``path``."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            CONNECT,
            str(uid),
            str(path),
            to_frame(make_hello()).hex(),
        ],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip()


def open_to_all(runtime: Path) -> None:
    """Undo every mode that keeps other users out."""
    path = socket_path("1")
    for one, mode in ((path, 0o666), (sessions_folder(), 0o755), (runtime, 0o755)):
        one.chmod(mode)


def test_others_cannot_reach_the_socket(other_user: int, runtime: Path) -> None:
    runtime.chmod(0o755)
    with served(FakeSession()):
        assert outcome(socket_path("1"), os.getuid()) == "answered"
        assert outcome(socket_path("1"), other_user) == "PermissionError"


def test_the_session_hangs_up_on_another_user(other_user: int, runtime: Path) -> None:
    with served(FakeSession()) as serving:
        client = serving.client()
        path = socket_path("1")
        open_to_all(runtime)
        try:
            assert outcome(path, os.getuid()) == "answered"
            assert outcome(path, other_user) == "hung up on"
        finally:
            path.parent.chmod(0o700)
        client.sync()
        assert client.connection.subscribers == 1


def test_a_client_sends_nothing_to_the_socket_of_another_user(
    other_user: int, runtime: Path
) -> None:
    """Only this user can put a socket there; if another could, it would receive nothing."""
    path = sessions_folder() / "1.sock"
    runtime.chmod(0o777)
    code = LISTEN.format(uid=other_user, path=str(runtime / "theirs"))
    with subprocess.Popen(
        [sys.executable, "-I", "-c", code], cwd="/", stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "listening\n"
        (runtime / "theirs").rename(path)
        with pytest.raises(RemoteError, match="session 1 belongs to another user"):
            RemoteSession("1")
        assert child.stdout.readline() == "received b''\n"
