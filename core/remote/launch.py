"""Launches a session in a process of its own, and waits for its reply."""

import subprocess
import sys
from pathlib import Path
from typing import IO

import msgspec

from core.errors import Advice, reason
from core.remote.protocol import RemoteError
from core.remote.registry import sessions_folder
from core.session.run_requests import Runs
from core.storage.provenance import command_line
from core.user_folders import user_folder

LAUNCH_SECONDS = 60.0
"""How long a session may take to start. It imports the engines only after its reply."""

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
