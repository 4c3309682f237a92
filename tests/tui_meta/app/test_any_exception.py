"""An unexpected exception in the dashboard ends it with the reason, and training continues."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch import settle
from tests.support.remotes import Serving, served
from tests.support.runs import until
from tests.support.saboteur import PROBLEM, Call, sabotage
from tests.support.sessions import folder_for_sockets
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.shutdown import LeaveOnSignals
from tui_meta.screens.page import Page
from tui_meta.screens.sweep.screen import SweepPage
from tui_meta.screens.watch.screen import WatchScreen

FAULTS: dict[str, tuple[Call, str]] = {
    "a timer": ((WatchScreen, "_poll"), "x"),
    "an action": ((WatchScreen, "action_pause"), "space"),
    "the timer of a page": ((Page, "_timer_tick"), "b"),
    "the timer of a screen": ((SweepPage, "look"), "V"),
}


@pytest.fixture
def serving() -> Iterator[Serving]:
    with folder_for_sockets(), served(FakeSession()) as serving:
        yield serving


@pytest.mark.parametrize(("call", "key"), FAULTS.values(), ids=FAULTS)
async def test_the_dashboard_ends_with_the_reason_and_training_continues(
    call: Call, key: str, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiMetaApp(serving.client(owner=True))
    with pytest.raises(RuntimeError, match=PROBLEM):  # noqa: PT012  (raised when the application ends)
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot)
            sabotage(monkeypatch, "", call, times=float("inf")).armed = True
            await pilot.press(key)
            for _ in range(200):
                if app.crash:
                    break
                await pilot.pause(0.02)
    assert PROBLEM in str(app.crash)
    app.session.leave(terminated=False)
    assert serving.server._session.calls == ["start"]  # type: ignore[attr-defined]


def test_a_signal_ends_the_runs_although_the_application_takes_no_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession()
    app = TuiMetaApp(session)
    sabotage(monkeypatch, "", (TuiMetaApp, "call_later"), times=float("inf")).armed = True
    leaving = LeaveOnSignals(app, session)
    leaving._closed.set()
    leaving._leave_in_thread(signal.SIGTERM, None)
    until(lambda: session.calls == ["stop save=True"])
    assert PROBLEM in str(app.crash)
