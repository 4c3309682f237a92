"""The process of a session: it has no terminal, and outlives the process that launched it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import msgspec

from core.errors import Advice, LabError, reason
from core.events import ENDED
from core.remote.protocol import RemoteError
from core.remote.registry import SessionEndpoint, sessions_folder
from core.remote.server import Server
from core.session.local import LocalSession
from core.session.notification import Notifier
from core.session.run_requests import Runs
from core.storage.provenance import command_line
from core.training.run_plan import Plan
from core.user_folders import user_folder

LINGER_SECONDS = 3_600.0
"""How long a session whose runs have all ended waits for a client."""

LAUNCH_SECONDS = 60.0
"""How long a session may take to start. It imports the engines only after its reply."""

CHECK_SECONDS = 0.2
"""Seconds between two checks for a reason to end."""

LONGEST_LOG = 2**20
"""Bytes of ``session.log`` with which it is renamed, in place of the one before it."""

TITLE = ("tui-meta", "session")
"""Arguments that the script ignores: ``pgrep -f tui-meta`` finds the process."""

DAEMON = Path(__file__).with_stem("daemon")


class LaunchRequest(msgspec.Struct, frozen=True):
    """The input of a new process: what to train, and the command line that asked for it."""

    runs: Runs
    command_line: list[str]


class LaunchReply(msgspec.Struct, frozen=True):
    """The output of a new process: the name of the session, or a ``problem`` with its ``advice``.

    ``notes`` are lines for the user, and ``resumed`` are the checkpoints that the runs resume from.
    """

    id: str = ""
    notes: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""


def launch(runs: Runs, timeout: float = LAUNCH_SECONDS, daemon: Path = DAEMON) -> LaunchReply:
    """Start a session in a process of its own; raises ``RemoteError`` where that fails.

    ``daemon`` is the script that the new process runs.
    """
    request = LaunchRequest(runs, command_line())
    with _open_log() as log:
        try:
            launched = subprocess.run(
                [sys.executable, "-P", str(daemon), *TITLE],
                input=msgspec.json.encode(request),
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                check=False,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            problem = f"no session started within {timeout:g} seconds"
            raise RemoteError(problem, Advice.LIST_SESSIONS) from error
        except OSError as error:
            raise RemoteError(f"no process can be started ({reason(error)})") from error
    try:
        reply = msgspec.json.decode(launched.stdout, type=LaunchReply)
    except msgspec.DecodeError as error:
        raise RemoteError(f"the session could not start; see {log.name}") from error
    if reply.problem:
        raise RemoteError(reply.problem, reply.advice)
    return reply


def launch_reply(plans: Sequence[Plan], id: str = "") -> LaunchReply:
    """Return the notes and checkpoints of ``plans``, trained in session ``id`` if in one."""
    notes = tuple(line for plan in plans for line in plan.warnings)
    resumed = tuple(plan.resumed_from for plan in plans if plan.resumed_from)
    return LaunchReply(id, notes, resumed)


def main() -> None:
    """Train the runs that standard input requests, until they are ended."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=LaunchRequest)
    sys.argv = request.command_line
    received: list[int] = []  # not an Event: a handler may interrupt a wait for one and deadlock
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the process has no terminal
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: received.append(number))
    plans: list[Plan] = []
    try:
        request.runs.check()
        endpoint = SessionEndpoint()
        try:
            plans = request.runs.plans()
            session = LocalSession(plans)
            if request.runs.notify:
                Notifier(session, request.runs.notify)
            server = Server(session, endpoint)
        except BaseException:
            endpoint.remove()
            raise
    except Exception as error:
        for plan in plans:
            plan.folder.discard()
        if not isinstance(error, LabError):
            raise
        _send_reply(LaunchReply(problem=error.statement, advice=error.advice))
        return
    with ExitStack() as ending:  # each step is taken, whatever comes of the others
        for plan in plans:
            ending.callback(plan.folder.discard)
        ending.callback(server.close)
        ending.callback(session.stop, save=True)
        _send_reply(launch_reply(plans, server.id))
        session.start()
        _await_end(session, server, received)


def _await_end(session: LocalSession, server: Server, received: Sequence[int]) -> None:
    needed_at = time.monotonic()
    while not (server.ended.wait(CHECK_SECONDS) or received):
        have_ended = all(one.state in ENDED for one in session.snapshots().values())
        if server.has_subscribers or not have_ended:
            needed_at = time.monotonic()
        elif time.monotonic() - needed_at > LINGER_SECONDS:
            return


def _send_reply(reply: LaunchReply) -> None:
    """Reply to the process that launched this one, and close its pipes."""
    with suppress(BrokenPipeError):  # it was killed: the runs continue all the same
        os.write(1, msgspec.json.encode(reply))
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)


def _open_log() -> IO[bytes]:
    """Open the file for tracebacks of internal errors; a long one gives way to a new one."""
    registry = sessions_folder()  # without one, no session can be found again
    try:
        folder = user_folder("state")
        folder.mkdir(parents=True, exist_ok=True)
        return _opened(folder / "session.log")
    except OSError:
        return _opened(registry / "session.log")


def _opened(log: Path) -> IO[bytes]:
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_suffix(".log.old"))
    return log.open("ab")
