"""A process that has imported the program, and forks to start it.

Python, Textual and numba take a second of processor time to start; a fork takes none. What is
forked is a process of its own like any other, with its own terminal, signals, files and end.
"""

import atexit
import gc
import importlib
import io
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import termios
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from fcntl import ioctl
from typing import Any

from tests.support.terminals.forked import FORKING_DAEMON, receive

OWN = ("tui_meta.__main__", "tui_meta.cli.main")
"""Modules that each process imports itself: they look at its terminal."""


TOOLS = ("pandas", "pyte", "torch._dynamo", "tests.support.dashboard.fake_session")
"""What tests import that the program does not; PyTorch's optimizers import ``torch._dynamo``."""


def main() -> None:
    """Import the program, and serve the socket named first; each child runs the program."""
    load_kernels()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{sys.argv[1]}.new")
        listening.listen()
        os.rename(f"{sys.argv[1]}.new", sys.argv[1])
        load_program()
        request = serve(listening)
    if request:
        become(request)
        try:
            run(request["arguments"])
        except SystemExit as end:
            if end.code is not None and not isinstance(end.code, int):
                raise
            leave(int(end.code or 0))
        leave(0)


def load_kernels() -> None:
    """Load the compiled kernels; they are compiled first where they are not in the cache."""
    network = importlib.import_module("core.engines.fused.network")
    signatures = importlib.import_module("core.engines.fused.signatures")
    for dtype in ("float32", "float64"):
        network.compiled_kernels(signatures.Variant(dtype))


def load_program() -> None:
    """Import what the program may import; sessions that it launches are forked as well."""
    for package in (importlib.import_module("core"), importlib.import_module("tui_meta")):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name not in OWN:
                importlib.import_module(module.name)
    for name in TOOLS:
        importlib.import_module(name)
    importlib.import_module("core.remote.spawn").DAEMON = FORKING_DAEMON


def serve(listening: socket.socket) -> Mapping[str, Any] | None:
    """Fork for each request until standard input ends; return the request in each child."""
    children: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    with woken, wake:
        for one in (woken, wake):
            one.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        gc.freeze()  # what is here lives as long as each child: no collection goes through it
        while True:
            ready, _, _ = select.select([0, woken, listening], [], [])
            if 0 in ready:
                await_ends(children)
                return None
            if listening in ready:
                client, _ = listening.accept()
                request, files = receive(client)
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for other in (client, *children.values()):
                        other.close()
                    for number, file in enumerate(files):
                        os.dup2(file, number)
                        os.close(file)
                    return request
                for file in files:
                    os.close(file)
                children[pid] = client
                with suppress(OSError):
                    client.sendall(b"%d\n" % pid)
            if woken in ready:
                woken.recv(4096)
            report_ends(children)


def report_ends(children: dict[int, socket.socket]) -> None:
    """Send the exit codes of processes that have ended to those that asked for them."""
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with suppress(OSError), children.pop(pid) as client:
                client.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def await_ends(children: dict[int, socket.socket]) -> None:
    """Give workers, which end with the tests, the time to: theirs is a part of the tests' time."""
    deadline = time.monotonic() + 10
    while children and time.monotonic() < deadline:
        report_ends(children)
        time.sleep(0.02)
    for client in children.values():
        client.close()


def become(request: Mapping[str, Any]) -> None:
    """Take on the session, terminal, folder, variables and streams of the requested process."""
    if request["session"] and os.fork():
        os._exit(0)  # a session is the child of no process that would have to wait for it
    if request["session"] or request["terminal"]:
        os.setsid()
    if request["terminal"]:
        ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = opened(number, "r" if name == "stdin" else "w", getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def opened(number: int, mode: str, like: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return a stream to the file, as Python opens it at its start."""
    file = open(number, f"{mode}b", closefd=False)  # noqa: SIM115  (for the process's life)
    buffered = number == 2 or file.isatty()
    return io.TextIOWrapper(file, like.encoding, like.errors, line_buffering=buffered)


def run(arguments: list[str]) -> None:
    """Do what Python does with ``arguments``, which begin with ``-m MODULE`` or ``-c CODE``."""
    kind, program, *words = arguments
    sys.argv = [kind, *words]
    more = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = ["" if kind == "-c" else os.getcwd(), *filter(None, more)]
    if kind == "-c":
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def leave(code: int) -> None:
    """End as Python does, except that memory is not given back piece by piece: all is shared."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
