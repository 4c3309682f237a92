"""Fresh runs come while a page still shows those before: no key that is pressed then does harm."""

from __future__ import annotations

import pytest

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import settle
from tests.support.dashboard.saved_runs import answered
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.pages import PAGES
from tui_meta.screens.filtered_page import FilterInput
from tui_meta.views.keys.table import SCREEN_KEYS

OPEN = {key.action.split("'")[1]: key.names for key in SCREEN_KEYS}


@pytest.mark.usefixtures("saved_runs", "no_timers")
@pytest.mark.parametrize("name", PAGES)
async def test_any_key_may_arrive_before_a_page_knows_of_new_runs(name: str) -> None:
    session = CannedSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("y", *(key.names.split(",")[0] for key in PAGES[name].KEYS)):
            while app.screen.is_modal or isinstance(app.focused, FilterInput):
                await pilot.press("escape")
            if not isinstance(app.screen, PAGES[name]):
                await answered(pilot, OPEN[name])
            await settle(pilot)
            session.restart()
            session.start()
            app.watch_screen.tick()
            await answered(pilot, key)
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert app.is_running
