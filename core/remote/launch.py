"""Launches a session in a process of its own, and waits for its reply."""

import os
import subprocess

import msgspec

from core.errors import Advice, reason
from core.remote.protocol import RemoteError
from core.remote.registry import sessions_folder
from core.remote.spawn import session_process
from core.session.run_requests import Runs
from core.storage.provenance import command_line

LAUNCH_SECONDS = 60.0
"""How long a session may take to start. It imports the engines only after its reply."""


class LaunchRequest(msgspec.Struct, frozen=True):
    """The input of a new process: what to train, and the command line that asked for it.

    ``code`` is what the user has named of their own by now, as ``TUI_META_CODE``: the process may
    have been started before.
    """

    runs: Runs
    command_line: list[str]
    code: str = ""


class LaunchReply(msgspec.Struct, frozen=True):
    """The output of a new process: the name of the session, or a ``problem`` with its ``advice``.

    ``notes`` are lines for the user, and ``resumed`` are the checkpoints that the runs resume from.
    """

    id: str = ""
    notes: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""


def launch(runs: Runs, timeout: float = LAUNCH_SECONDS) -> LaunchReply:
    """Start a session in a process of its own; raises ``RemoteError`` where that fails."""
    sessions_folder()  # without one, no session can be found again
    request = msgspec.json.encode(
        LaunchRequest(runs, command_line(), os.environ.get("TUI_META_CODE", ""))
    )
    try:
        process = session_process()
        answer = process.answer(request, timeout)
    except subprocess.TimeoutExpired as error:
        problem = f"no session started within {timeout:g} seconds"
        raise RemoteError(problem, Advice.LIST_SESSIONS) from error
    except OSError as error:
        raise RemoteError(f"no process can be started ({reason(error)})") from error
    try:
        reply = msgspec.json.decode(answer, type=LaunchReply)
    except msgspec.DecodeError as error:
        raise RemoteError(f"the session could not start; see {process.log}") from error
    if reply.problem:
        raise RemoteError(reply.problem, reply.advice)
    return reply
