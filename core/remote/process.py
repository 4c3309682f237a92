"""The process of a session: it has no terminal, and outlives the one that it was begun from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec
from platformdirs import user_state_path

from core.errors import Advice, LabError
from core.events import ENDED
from core.remote.protocol import RemoteError
from core.remote.registry import SessionEndpoint, sessions_folder
from core.remote.server import Server
from core.session.launch import Runs
from core.session.local import LocalSession
from core.storage.provenance import command_line
from core.training.run_plan import Plan
from core.version import VERSION

LINGER_SECONDS = 3_600.0
"""How long a session whose runs have all ended waits for somebody to look at them."""

LAUNCH_SECONDS = 60.0
"""How long a session may take to begin. It imports what trains only after it has answered."""

LOOK_SECONDS = 0.2
"""How often it is looked whether there is a reason to end."""

_ALONE = """
import os, sys
if os.fork() == 0:
    sys.path.append({root!r})
    from core.remote.process import main
    main()
"""
"""The child of a child: it is nobody's to wait for. It forks before any library has threads."""


class LaunchRequest(msgspec.Struct, frozen=True):
    """What a new process is told: what to train, and what a person typed for it."""

    runs: Runs
    command_line: list[str]


class LaunchReply(msgspec.Struct, frozen=True):
    """What it answers: the session's name, or what is wrong.

    ``notes`` are for the user, and ``resumed`` are the checkpoints it goes on from.
    """

    id: str = ""
    notes: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""


def launch(runs: Runs) -> LaunchReply:
    """Begin a session in a process of its own; raises ``RemoteError`` where it cannot be."""
    order = LaunchRequest(runs, command_line())
    script = _ALONE.format(root=str(Path(__file__).parents[2]))
    with _log() as log:
        try:
            begun = subprocess.run(
                [sys.executable, "-P", "-c", script],
                input=msgspec.json.encode(order),
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                check=False,
                timeout=LAUNCH_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            problem = f"no session started within {LAUNCH_SECONDS:g} seconds"
            raise RemoteError(problem, Advice.LIST_SESSIONS) from error
    try:
        answer = msgspec.json.decode(begun.stdout, type=LaunchReply)
    except msgspec.DecodeError as error:
        raise RemoteError(f"the session could not start; see {log.name}") from error
    if answer.problem:
        raise RemoteError(answer.problem, answer.advice)
    return answer


def launch_reply(plans: Sequence[Plan], id: str = "") -> LaunchReply:
    """What is to be said of ``plans``, trained in session ``id`` if in one."""
    remarks = tuple(line for plan in plans for line in plan.warnings)
    resumed = tuple(plan.resumed_from for plan in plans if plan.resumed_from)
    return LaunchReply(id, remarks, resumed)


def main() -> None:
    """Train what standard input orders, until somebody ends it."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=LaunchRequest)
    sys.argv = order.command_line
    signals = _Signals()
    try:
        order.runs.require()
        place = SessionEndpoint()
        try:
            plans = order.runs.plans()
            session = LocalSession(plans)
            server = Server(session, place, VERSION)
        except LabError:
            place.clear()
            raise
    except LabError as error:
        _answer(LaunchReply(problem=error.statement, advice=error.advice))
        return
    try:
        _answer(launch_reply(plans, server.id))
        session.start()
        _await_end(session, server, signals)
    except BrokenPipeError:
        return  # whoever began this was interrupted, and will not come
    finally:
        session.stop(save=True)
        server.close()
        for plan in plans:
            plan.folder.discard()


class _Signals:
    """Signals that ask the process to end; a terminal that is closed does not concern it."""

    def __init__(self) -> None:
        self.received = False
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def _hear(self, *_: object) -> None:
        self.received = True


def _await_end(session: LocalSession, server: Server, signals: _Signals) -> None:
    awaited = time.monotonic()
    while not (server.ended.wait(LOOK_SECONDS) or signals.received):
        over = all(one.state in ENDED for one in session.snapshots().values())
        if server.watched or not over:
            awaited = time.monotonic()
        elif time.monotonic() - awaited > LINGER_SECONDS:
            return


def _answer(answer: LaunchReply) -> None:
    """Tell who began this process, and let go of all that is theirs."""
    with suppress(BrokenPipeError):  # it was killed, or its terminal: the runs go on all the same
        os.write(1, msgspec.json.encode(answer))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _log() -> IO[bytes]:
    """Where the process writes what goes wrong by a fault of ours."""
    sessions_folder()  # without one, no session can be found again
    path = user_state_path("tui-meta", appauthor=False) / "session.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")
