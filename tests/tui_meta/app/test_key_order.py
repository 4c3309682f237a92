"""Keys that arrive at once, as over a slow connection, do what they do one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual import events
from textual.pilot import Pilot

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.key_order import KeyDone

pytestmark = pytest.mark.usefixtures("calm")


async def arrive(pilot: Pilot[None], keys: Sequence[str]) -> str:
    """All keys in one go; gives the screen once all have been."""
    app = pilot.app
    assert isinstance(app, TuiMetaApp)
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))
    while app._held_back or app._under_way_since:
        await pilot.pause()
    return await settle(pilot)


async def test_what_is_typed_behind_the_palette_key_is_looked_for_there() -> None:
    session = CannedSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "·  Lab" in await arrive(pilot, ["colon", *"lab", "enter"])
        assert session.sent == []


async def test_an_answer_behind_its_question_is_given() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "·  Messages" in await arrive(pilot, ["q", "down", "escape", "m"])


async def test_a_value_typed_behind_its_key_is_taken() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "amplitude 2.50" in await arrive(pilot, ["a", "enter", *"2.5", "enter"])


async def test_a_focus_that_a_key_moves_is_where_the_next_one_goes() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await arrive(pilot, ["up", "up", "up", "down"])
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "run-1"


async def test_a_key_whose_end_is_lost_holds_up_the_others_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui_meta.app.key_order.LONGEST_SECONDS", 0.01)
    monkeypatch.setattr(KeyDone, "bubble", False)
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("m", "w", "m"):
            pilot.app.post_message(events.Key(key, key))
        while pilot.app._held_back:  # type: ignore[attr-defined]
            await pilot.pause()
        assert "·  Messages" in await settle(pilot)
