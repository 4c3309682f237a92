"""A screen that is covered sends nothing to the terminal."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import press, settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.pages import PAGES
from tui_meta.views.keys.table import SCREEN_KEYS

pytestmark = pytest.mark.usefixtures("no_timers")

KEYS = {key.action: key.names for key in SCREEN_KEYS}
FRAMES = 0.1
"""Seconds in which what has changed is painted, in one of sixty frames a second."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What goes to the terminal."""
    updates: list[object] = []
    display = App._display

    def noting(app: App[None], screen: Any, update: object) -> None:
        updates.append(update)
        display(app, screen, update)

    monkeypatch.setattr(App, "_display", noting)
    return updates


@pytest.mark.parametrize("page", PAGES)
async def test_the_watch_screen_below_another_repaints_nothing(
    page: str, sent: list[object]
) -> None:
    session = CannedSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, KEYS[f"visit('{page}')"])
        await pilot.pause(FRAMES)
        sent.clear()
        for count in range(30):
            session.change("fomaml-1", iteration=12_400 + count, loss=1.0 / (count + 1))
            app.watch_screen.tick()
            await pilot.pause()
        assert sent == []
        assert "12,429" in await press(pilot, "w")


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_at_rest_repaints_nothing(page: str, sent: list[object]) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        # In the Lab, enter opens a line to type in, which is another screen.
        await press(pilot, KEYS[f"visit('{page}')"], *(() if page == "lab" else ("e", "R")))
        await pilot.pause(FRAMES)
        sent.clear()
        for _ in range(10):
            pilot.app.screen.tick()  # type: ignore[attr-defined]
            await pilot.pause()
        assert sent == []
