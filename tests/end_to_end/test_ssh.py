"""Training over SSH, where connections end: nothing is lost, not a bit and not a line."""

import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.events import AnyEvent, CommandIssued, Progress
from core.remote.client import RemoteSession
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from tests.support.runs import learned
from tests.support.soak import soak
from tests.support.states import bits
from tests.support.terminals.dashboards import (
    PROGRAM,
    RUN,
    SLOW,
    OpenDashboard,
    listed,
    past,
    ran,
    until,
)
from tests.support.terminals.sshd import missing, ssh_server
from tests.support.terminals.terminal import Terminal

KILLS = soak(3, 10)
LENGTH = ("--iterations", "30000", "--eval-interval", "250")
LONGEST_LIFE = 2.0
"""Seconds from the start of a connection to its end, at most."""

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there is a server")


def shown_events(events: Sequence[AnyEvent]) -> list[tuple[str, int]]:
    """Return the kinds and iterations of the events that a client shows one by one."""
    others = [event for event in events if not isinstance(event, Progress | CommandIssued)]
    return [(type(event).__name__, event.iteration) for event in others]


def test_connections_that_end_at_any_moment_cost_nothing(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    ran(tmp_path, *SLOW[:-2], *LENGTH, "--out", "undisturbed", "--no-tui")
    keys = tmp_path / "keys"
    keys.mkdir()
    names = ("XDG_RUNTIME_DIR", "XDG_STATE_HOME")
    variables = {name: os.environ[name] for name in names}
    chance = random.Random(5)
    with ssh_server(keys) as server:

        def connected(*tokens: str) -> Terminal:
            command = server.command([*PROGRAM, *tokens], tmp_path, variables)
            return open_dashboard(command=command)

        def cut(dashboard: Terminal) -> None:
            """End the connection at some moment, with no word to the other end."""
            dashboard.read_for(chance.uniform(0, LONGEST_LIFE))
            dashboard.signal(signal.SIGKILL)
            dashboard.wait_for_end()

        dashboard = connected(*SLOW, *LENGTH)
        until(lambda: bool(listed()), "a session")
        for number in range(KILLS):
            cut(dashboard)
            dashboard = connected("attach")
            if number == 0:
                dashboard.wait_until(past(0), "attached")
                dashboard.press("e")
                dashboard.wait_for("random")
                dashboard.press("s")
                dashboard.wait_for("saved")
        last = connected("attach")
        last.wait_until(past(0), "attached again")
        until(lambda: len(listed()[0]["watchers"]) == 2, "cut dashboards have gone")
        last.press(" ")
        last.wait_for("paused")
        last.press(" ")
        ran(tmp_path, "send", "1", "pace", "full")
        last.wait_for("finished", "30,000 / 30,000")

        run = tmp_path / RUN
        late = RemoteSession("1", read_only=True)
        shown, late_events = last.text, list(late.events(0))
        late.detach()
        last.press("d")
        assert last.wait_for_end() == 0

    logged = list(history(run))
    assert shown_events(late_events) == shown_events(logged)
    assert {"Evaluated", "Saved", "Paused", "Resumed", "Finished"} <= {
        kind for kind, _ in shown_events(logged)
    }
    assert "30,000" in shown
    undisturbed = tmp_path / "undisturbed" / RUN.name
    end, expected = (latest_checkpoint(folder).checkpoint for folder in (run, undisturbed))
    assert bits(end.state) == bits(expected.state)
    assert learned(logged) == learned(list(history(undisturbed)))
