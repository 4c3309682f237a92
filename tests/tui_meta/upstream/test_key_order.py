"""Keys that arrive at once, as over a slow connection, take effect one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.upstream.key_order import KeyDone

pytestmark = pytest.mark.usefixtures("no_timers")


class PlainApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Input()


async def test_textual_still_handles_bound_keys_later_than_characters() -> None:
    async with PlainApp().run_test() as pilot:
        for key, character in (("b", "b"), ("a", "a"), ("backspace", None), ("c", "c")):
            pilot.app.post_message(events.Key(key, character))
        await pilot.pause()
        await pilot.pause()
        assert pilot.app.query_one(Input).value != "bc"


async def arrive(pilot: Pilot[None], keys: Sequence[str]) -> str:
    """Post all keys at once, and return the screen once all have taken effect."""
    app = pilot.app
    assert isinstance(app, TuiMetaApp)
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))
    while app.has_pending_keys:
        await pilot.pause()
    return await settle(pilot)


async def test_characters_typed_after_the_palette_key_go_to_the_palette() -> None:
    session = CannedSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "·  Lab" in await arrive(pilot, ["colon", *"lab", "enter"])
        assert session.sent == []


async def test_an_answer_typed_after_its_question_is_given() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "·  Messages" in await arrive(pilot, ["q", "down", "escape", "m"])


async def test_a_value_typed_after_its_key_is_entered() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "amplitude 2.50" in await arrive(pilot, ["a", "enter", *"2.5", "enter"])


async def test_the_next_key_goes_where_the_last_one_moved_the_focus() -> None:
    app = TuiMetaApp(CannedSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await arrive(pilot, ["up", "up", "up", "down"])
        assert app.watch_screen.focused_name == "run-1"


async def test_a_key_whose_marker_is_lost_delays_the_others_for_a_limited_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui_meta.upstream.key_order.LONGEST_SECONDS", 0.01)
    monkeypatch.setattr(KeyDone, "bubble", False)
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("m", "w", "m"):
            pilot.app.post_message(events.Key(key, key))
        while pilot.app._waiting_keys:  # type: ignore[attr-defined]
            await pilot.pause()
        assert "·  Messages" in await settle(pilot)
