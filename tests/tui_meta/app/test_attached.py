"""A dashboard on a session across a socket: leaving it, looking on, and losing it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.commands import Pause, Save
from core.remote import client as client_module
from core.remote.client import LOST
from core.remote.launch import LaunchReply
from core.remote.protocol import RemoteError
from tests.support.dashboard.fake_session import FakeSession, state
from tests.support.dashboard.watch import FOMAML, press, settle, shown, workers_done
from tests.support.remotes import Serving, served
from tests.support.runs import until
from tests.support.sessions import folder_for_sockets
from tui_meta.app.application import TuiMetaApp

SIZE = (120, 40)


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def serving(session: FakeSession) -> Iterator[Serving]:
    with folder_for_sockets(), served(session) as serving:
        yield serving


def die(serving: Serving, app: TuiMetaApp) -> None:
    """The process that trains is gone, and the dashboard has noticed."""
    serving.die()
    until(lambda: bool(app.session.connection.lost))


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        (["d"], None),
        (["enter"], None),
        (["s"], "stop save=True"),
        (["down", "enter"], "stop save=True"),
        (["x"], "stop save=False"),
        (["down", "down", "enter"], "stop save=False"),
    ],
)
async def test_each_answer_of_the_quit_question(
    keys: list[str], end: str | None, session: FakeSession, serving: Serving
) -> None:
    app = TuiMetaApp(serving.client(owner=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "detach" in await press(pilot, "q")
        await pilot.press(*keys)
        await workers_done(pilot)
        await pilot.pause()
        assert app._exit
    assert session.calls[1:] == ([end] if end else [])
    assert app.session.connection.ended == bool(end)


async def test_cancelling_changes_nothing(session: FakeSession, serving: Serving) -> None:
    app = TuiMetaApp(serving.client())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "q", "escape")
        assert not app._exit
        await press(pilot, "s")
    assert session.commands(Save)


async def test_d_asks_and_a_second_d_detaches_while_training_continues(
    session: FakeSession, serving: Serving
) -> None:
    app = TuiMetaApp(serving.client(owner=True))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        text = await press(pilot, "d")
        assert "detach (training continues)" in text
        assert "detach?" in text
        assert not app._exit
        await pilot.press("d")
        await pilot.pause()
        assert app._exit
    assert session.calls == ["start"]
    assert state(session, FOMAML) == "training"


async def test_a_session_whose_runs_have_ended_and_are_saved_is_detached_at_once(
    session: FakeSession, serving: Serving
) -> None:
    for run in session.snapshots():
        session.finish(run)
        session.change(run, unsaved=False)
    app = TuiMetaApp(serving.client(owner=True))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await pilot.pause()
        assert app._exit
    assert session.calls == ["start"]


async def test_the_next_client_sees_the_same_panel(serving: Serving) -> None:
    first = TuiMetaApp(serving.client())
    async with first.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await press(pilot, "right", "enter")
        assert "one random task each" not in shown(first)
    second = TuiMetaApp(serving.client())
    async with second.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "one random task each" not in shown(second)
        assert second.query_one("#validation").size.width > 110


async def test_commands_of_other_clients_are_shown(serving: Serving) -> None:
    app, other = TuiMetaApp(serving.client()), serving.client()
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        other.send(Pause())
        other.sync()
        await settle(pilot)
        text = shown(app)
        assert "space resume" in text
        assert other._socket.status.name in text


async def test_a_read_only_client_sends_no_commands_and_shows_why(
    session: FakeSession, serving: Serving
) -> None:
    app = TuiMetaApp(serving.client(read_only=True))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for key in ("space", "s", "e", "1", "less_than_sign", "r", "full_stop", "c"):
            text = await press(pilot, key)
            assert "read-only session" in text
        await pilot.press("q")
        await pilot.pause()
        assert app._exit
    assert session.sent == []
    assert session.calls == ["start"]


async def test_a_session_ended_elsewhere_is_reported_and_q_quits(
    session: FakeSession, serving: Serving
) -> None:
    app, other = TuiMetaApp(serving.client()), serving.client()
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        other.stop(save=True)
        until(lambda: app.session.connection.ended)
        app.watch_screen.tick()
        app.watch_screen.paint()
        await pilot.pause()
        assert "session ended elsewhere; q: quit" in shown(app)
        await pilot.press("q")
        await pilot.pause()
        assert app._exit
    assert session.calls == ["start", "stop save=True"]


async def test_a_lost_session_is_reported_and_its_runs_are_resumed(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiMetaApp(serving.client())
    revived = FakeSession({"fomaml": 13_000, "reptile": 19_000})
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        die(serving, app)
        app.watch_screen.tick()
        await pilot.pause()
        text = shown(app)
        assert "session lost" in text
        assert f"{LOST[:1].upper()}{LOST[1:]}" in text
        with served(revived) as second:
            monkeypatch.setattr(client_module.ResumeRequest, "of", lambda paths: None)
            monkeypatch.setattr(client_module, "launch", lambda _: LaunchReply(id=second.id))
            await pilot.press("r")
            await workers_done(pilot)
            await settle(pilot)
            text = shown(app)
            assert f"training continues in session {second.id}" in text
            assert "13,000 / 50,000" in text
            await press(pilot, "s")
            assert revived.commands(Save)
            app.session.detach()


async def test_the_reason_why_runs_cannot_continue_is_shown(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> LaunchReply:
        raise RemoteError("the disk is full")

    app = TuiMetaApp(serving.client())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        die(serving, app)
        app.watch_screen.tick()
        await pilot.pause()
        monkeypatch.setattr(client_module.ResumeRequest, "of", lambda paths: None)
        monkeypatch.setattr(client_module, "launch", fail)
        await pilot.press("r")
        await workers_done(pilot)
        await pilot.pause()
        assert "the runs cannot continue: the disk is full" in shown(app)
        await pilot.press("q")
        await pilot.pause()
        assert app._exit
