"""Processes of the program that a fork server starts, and the server itself."""

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SERVER = "TUI_META_FORK_SERVER"
"""The variable with the path of the server's socket."""

ROOT = Path(__file__).parents[3]

FORKING_DAEMON = Path(__file__).with_name("forking_daemon.py")
"""The script that starts the process of a session by the server."""

FORKED_PYTHON = Path(__file__).with_name("forked_python.py")
"""The script that is Python, but has imported the program."""


class Forked:
    """A process that does what ``python ARGUMENTS`` does; it is used like ``subprocess.Popen``.

    ``files`` are its standard input, output and error; ``terminal`` makes the first its own.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        files: tuple[int, int, int],
        *,
        terminal: bool = False,
    ) -> None:
        self._server = request(arguments, folder, variables, files, terminal=terminal)
        self.pid = int(self._answer())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._server], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self.returncode = int(self._answer(timeout))
            self._server.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _answer(self, timeout: float | None = None) -> str:
        """Return the next line of the server."""
        if not select.select([self._server], [], [], timeout)[0]:
            raise TimeoutError(f"process {self.pid} has not ended in {timeout} seconds")
        line = b""
        while not line.endswith(b"\n"):
            byte = self._server.recv(1)
            if not byte:
                raise RuntimeError("the fork server has ended")
            line += byte
        return line.decode()


class Piped(Forked):
    """Such a process with nothing to read, whose output and errors are read without buffers."""

    def __init__(self, arguments: Sequence[str], folder: Path, **variables: str) -> None:
        pipes = os.pipe(), os.pipe()
        files = (os.open(os.devnull, os.O_RDONLY), pipes[0][1], pipes[1][1])
        super().__init__(arguments, folder, {**os.environ, **variables}, files)
        for file in files:
            os.close(file)
        self.stdout, self.stderr = (open(pipe[0], "rb", buffering=0) for pipe in pipes)  # noqa: SIM115

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        with ThreadPoolExecutor() as readers, self.stdout, self.stderr:
            out, err = (readers.submit(one.read) for one in (self.stdout, self.stderr))
            self.wait(timeout)
            return out.result(), err.result()


def request(
    arguments: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    files: tuple[int, int, int],
    *,
    terminal: bool = False,
    session: bool = False,
) -> socket.socket:
    """Ask the server for a process; return the connection, over which it answers."""
    path = server_path()
    wanted = {
        "arguments": list(arguments),
        "folder": str(folder),
        "variables": {**variables, SERVER: path},
        "terminal": terminal,
        "session": session,
    }
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    message = json.dumps(wanted).encode() + b"\n"
    sent = socket.send_fds(server, [message], list(files))
    server.sendall(message[sent:])
    return server


def receive(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Read what ``request`` has sent: the wanted process, and its files."""
    message, files, _, _ = socket.recv_fds(client, 65_536, 3)
    while not message.endswith(b"\n"):
        message += client.recv(65_536)
    return json.loads(message), files


def server_path() -> str:
    """Return the path of the server's socket; start the server if there is none."""
    if SERVER not in os.environ:
        start_server()
    return os.environ[SERVER]


def start_server() -> None:
    """Start a server for this process and those that it starts; it ends with this one.

    When this returns, the kernels are compiled; who connects may wait until all is imported.
    """
    folder = tempfile.mkdtemp(prefix="tm-", dir="/tmp")
    path = os.environ[SERVER] = str(Path(folder, "fork"))
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.terminals.fork_server", path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONWARNINGS": "default", "OPENBLAS_NUM_THREADS": "1"},
    )

    @atexit.register
    def end() -> None:
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)

    while not os.path.exists(path):
        assert server.poll() is None, "the fork server could not start"
        time.sleep(0.01)
