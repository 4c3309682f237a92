"""The terminal's bell: when a run diverges or fails, and when all runs have ended."""

import pytest

from core.commands import Stop
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.bell import bell_sequences
from tui_meta.app.preferences import Preferences
from tui_meta.delta_driver.output import Output

pytestmark = pytest.mark.usefixtures("no_timers")

XTERM = {"TERM": "xterm-256color"}
BOTH = "\x07\x1b]9;tui-meta: done\x07\x1b]777;notify;tui-meta;done\x07"


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that were sent with a bell."""
    messages: list[str] = []
    monkeypatch.setattr(TuiMetaApp, "ring", lambda _, message: messages.append(message))
    return messages


async def test_divergence_and_the_end_ring_once_each(rung: list[str]) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test() as pilot:
        await settle(pilot)
        assert rung == []
        session.diverge("fomaml-1")
        await settle(pilot)
        await settle(pilot)
        assert len(rung) == 1
        assert rung[0].startswith("fomaml-1 diverged at 12,300: the loss is no longer finite")
        session.finish("reptile-1")
        await settle(pilot)
        await settle(pilot)
        assert rung[1:] == ["1 of 2 runs have finished"]


async def test_nothing_rings_for_what_had_happened_before(
    rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = FakeSession()
    session.start()
    session.diverge("fomaml-1")
    monkeypatch.setattr(FakeSession, "first_new", len(session.events(0)))
    monkeypatch.setattr(FakeSession, "start", lambda _: None)
    async with TuiMetaApp(session).run_test() as pilot:
        await settle(pilot)
        assert rung == []
        session.finish("reptile-1")
        await settle(pilot)
        assert rung == ["1 of 2 runs have finished"]


async def test_nothing_rings_for_what_the_user_stopped(rung: list[str]) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test() as pilot:
        session.finish("reptile-1")
        session.send(Stop(), "fomaml-1")
        await settle(pilot)
        assert rung == []


async def test_the_bell_can_be_turned_off(rung: list[str]) -> None:
    session = FakeSession()
    async with TuiMetaApp(session, Preferences(bell=False)).run_test() as pilot:
        session.diverge("fomaml-1")
        await settle(pilot)
        assert rung == []


def test_terminals_without_notifications_get_the_bell_alone() -> None:
    assert bell_sequences("done", XTERM) == BOTH
    for terminal in ("linux", "dumb", "screen-256color"):
        assert bell_sequences("done", {"TERM": terminal}) == "\x07"
    assert bell_sequences("done", {}) == "\x07"


def test_a_message_cannot_end_its_sequence() -> None:
    sent = bell_sequences("a\x07\x1b\\\x9cb" + 1_000 * "x", XTERM)
    assert sent.count("\x07") == 3
    assert sent.count("\x1b") == 2
    assert "\x9c" not in sent
    assert len(sent) < 500


@pytest.mark.parametrize("environment", [XTERM, {**XTERM, "TMUX": "/tmp/tmux"}])
def test_the_delta_driver_sends_it_once_and_repaints_nothing(environment: dict[str, str]) -> None:
    output = Output(20, 4)
    output.write("\x1b[0m\x1b[1;1Hhello")
    output.take()
    sequences = bell_sequences("done", environment)
    output.write(sequences)
    assert output.take() == sequences
    assert output.take() == ""
