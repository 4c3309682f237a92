"""Every screen but the watch screen: its sizes, its help and its remapped keys."""

from __future__ import annotations

import random

import pytest

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import press, settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.pages import PAGES
from tui_meta.app.preferences import Preferences
from tui_meta.screens.page import Page
from tui_meta.views.keys.keymap import BOUND_TOGETHER
from tui_meta.views.keys.pages import PAGE_TABLES
from tui_meta.views.keys.table import SCREEN_KEYS

pytestmark = pytest.mark.usefixtures("no_timers")

OPEN = {key.action: key.names for key in SCREEN_KEYS}
SIZES = [(1, 1), (20, 5), (40, 10), (59, 14), (60, 15), (300, 100), (30, 90), (80, 24)]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_fits_every_size(page: str) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, OPEN[f"visit('{page}')"], *(["e"] if page == "battery" else []))
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            text = await settle(pilot)
            if width >= 20:
                too_small = width < 40 or height < 10
                assert ("please enlarge 40x10" in text) == too_small


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_opens_again_after_any_keys_at_any_size(page: str) -> None:
    names = [name for key in PAGES[page].KEYS for name in key.names.split(",")]
    rng = random.Random(page)
    async with TuiMetaApp(CannedSession()).run_test(size=(60, 15)) as pilot:
        await settle(pilot)
        for size in ((60, 15), (120, 40)):
            await pilot.resize_terminal(*size)
            await press(pilot, OPEN[f"visit('{page}')"])
            await pilot.press(*rng.choices([*names, "escape"], k=20))
            for _ in range(4):  # from a dialog over a page over another
                await pilot.press("escape")
            assert PAGES[page].NAME in await press(pilot, OPEN[f"visit('{page}')"])


@pytest.mark.parametrize("page", PAGES)
async def test_the_help_of_a_page_has_its_keys_and_no_others(page: str) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(120, 90)) as pilot:
        await settle(pilot)
        await press(pilot, OPEN[f"visit('{page}')"])
        bound = {one.binding.id: one.tooltip for one in pilot.app.screen.active_bindings.values()}
        text = await press(pilot, "question_mark")
        for key in BOUND_TOGETHER[page]:
            assert bound.pop(key.name) == key.help
            assert f"┃ {' '.join(key.all_shown)} " in text
        assert not bound
        assert "Redraw the screen" in text
        assert "A run has the focus" not in text, "a note of the watch screen"


@pytest.mark.parametrize("page", PAGES)
async def test_a_remapped_key_works_and_is_shown_everywhere(page: str) -> None:
    remapped = next(key for key in PAGE_TABLES[page] if key.rank and not key.joined)
    app = TuiMetaApp(CannedSession(), Preferences(keys={remapped.name: "Z"}))
    async with app.run_test(size=(200, 90)) as pilot:
        await settle(pilot)
        text = await press(pilot, OPEN[f"visit('{page}')"])
        screen = app.screen
        assert isinstance(screen, Page)
        assert "Z " in text.splitlines()[-1]
        assert screen.active_bindings["Z"].binding.action == remapped.action
        assert remapped.names.partition(",")[0] not in screen.active_bindings
        every = " ".join(("Z", *remapped.all_shown[1:]))
        assert f"┃ {every} " in await press(pilot, "question_mark")
        await press(pilot, "escape")
        assert f" Z          {remapped.label} " in await press(pilot, "colon")


@pytest.mark.parametrize("page", PAGES)
async def test_a_tick_while_the_program_ends_does_nothing(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiMetaApp(CannedSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, OPEN[f"visit('{page}')"])
        front = app.screen
        with monkeypatch.context() as closing:
            closing.setattr(app, "_screen_stacks", {app._current_mode: []})
            front.tick()  # type: ignore[attr-defined]
