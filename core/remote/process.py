"""The process of a session: it has no terminal, and outlives the process that launched it."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import msgspec

from core.errors import LabError, unexpected
from core.events import ENDED
from core.remote.launch import LaunchReply, LaunchRequest
from core.remote.registry import SessionEndpoint
from core.remote.server import Server
from core.session.local import LocalSession
from core.session.notification import Notifier
from core.training.priority import TRAINING, set_group_niceness
from core.training.run_plan import Plan

LINGER_SECONDS = 3_600.0
"""How long a session whose runs have all ended waits for a client."""

CHECK_SECONDS = 0.2
"""Seconds between two checks for a reason to end."""


def launch_reply(plans: Sequence[Plan], id: str = "") -> LaunchReply:
    """Return the notes and checkpoints of ``plans``, trained in session ``id`` if in one."""
    notes = tuple(line for plan in plans for line in plan.warnings)
    resumed = tuple(plan.resumed_from for plan in plans if plan.resumed_from)
    return LaunchReply(id, notes, resumed)


def main() -> None:
    """Train the runs that standard input requests, until they are ended."""
    given = sys.stdin.buffer.read()
    if not given:
        return  # this process was started early, and is not needed
    request = msgspec.json.decode(given, type=LaunchRequest)
    sys.argv = request.command_line
    set_group_niceness(TRAINING)  # the process has a session of its own
    received: list[int] = []  # not an Event: a handler may interrupt a wait for one and deadlock
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the process has no terminal
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: received.append(number))
    plans: list[Plan] = []
    try:
        if request.code:
            os.environ["TUI_META_CODE"] = request.code
            from core.extensions.loading import load_code

            load_code()
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
        if isinstance(error, LabError):
            _send_reply(LaunchReply(problem=error.statement, advice=error.advice))
            return
        _send_reply(LaunchReply(problem=unexpected(error)))
        raise  # its traceback is for the log
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
