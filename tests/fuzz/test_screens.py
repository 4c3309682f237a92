"""Any keys at any sizes leave every screen intact, lead back, and do not disturb training."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import ModalScreen

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import press
from tests.support.dashboard.saved_runs import make_folders
from tests.support.dashboard.watch import assert_intact, settle, shown
from tests.support.soak import soak
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.pages import PAGES
from tui_meta.screens.dialogs.ask import Ask
from tui_meta.screens.dialogs.help import Help
from tui_meta.screens.dialogs.info import Info
from tui_meta.screens.dialogs.palette import Palette
from tui_meta.screens.dialogs.type_in import TypeIn
from tui_meta.screens.filtered_page import FilterInput
from tui_meta.screens.page import Page
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.views.keys.table import SCREEN_KEYS, page_groups
from tui_meta.views.keys.watch import GROUPS

KEYS = soak(120, 10_000)
SIZES = soak(8, 300)
WIDEST, HIGHEST = soak(220, 300), soak(70, 100)
AT_ONCE = 10
"""Keys that arrive together, as over a slow connection."""

OPEN = {key.action.split("'")[1]: key.names for key in SCREEN_KEYS}
DIALOG_KEYS = [
    key
    for widget in (Ask, Help, Info, Palette, TypeIn, FilterInput)
    for binding in widget.BINDINGS
    for key in binding.key.split(",")  # type: ignore[union-attr]
]


def keys_of(screen: str) -> list[str]:
    """Return the names of all keys of a screen and of the dialogs above it."""
    groups = page_groups(screen, PAGES[screen].KEYS) if screen in PAGES else GROUPS
    names = [name for _, keys in groups for key in keys for name in key.names.split(",")]
    return [*names, *DIALOG_KEYS, *"0123456789.-x"]


def key(name: str) -> events.Key:
    return events.Key(name, name if len(name) == 1 else None)


async def wait_for_keys(pilot: Pilot[None]) -> None:
    """Wait until all keys that have arrived are handled."""
    app = pilot.app
    assert isinstance(app, TuiMetaApp)
    deadline = time.monotonic() + 60
    while app._waiting_keys:
        assert time.monotonic() < deadline, "a key is not handled"
        await pilot.pause()
    await pilot.pause()


async def press_random_keys(pilot: Pilot[None], screen: str, rng: random.Random) -> None:
    """Press random keys at changing sizes, mostly on one screen."""
    app = pilot.app
    names = keys_of(screen)
    screen_class = PAGES.get(screen, WatchScreen)
    for batch in range(KEYS // AT_ONCE):
        for name in rng.choices(names, k=AT_ONCE):
            app.post_message(key(name))
        await wait_for_keys(pilot)
        if not isinstance(app.screen, screen_class | ModalScreen):
            app.post_message(key(OPEN[screen]))
        if batch % max(1, KEYS // AT_ONCE // SIZES) == 0:
            small = rng.random() < 0.3
            width = rng.randint(1, 60 if small else WIDEST)
            await pilot.resize_terminal(width, rng.randint(1, 20 if small else HIGHEST))


@pytest.mark.parametrize("screen", OPEN)
async def test_any_keys_at_any_sizes(
    screen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    # The question before quitting may be answered in any way.
    monkeypatch.setattr(TuiMetaApp, "_quit", lambda *_: None)
    session, rng = CannedSession(), random.Random(screen)
    app = TuiMetaApp(session)
    began = time.monotonic()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, OPEN[screen])
        await press_random_keys(pilot, screen, rng)
        await pilot.resize_terminal(120, 40)
        for _ in range(10):
            if isinstance(app.screen, Page | WatchScreen):
                break
            await press(pilot, "escape")
        await press(pilot, "escape", "escape", "escape", "w")
        assert isinstance(app.screen, WatchScreen)
        await assert_intact(pilot)
        await press(pilot, "m")
        assert "·  Messages" in shown(app)
        await assert_intact(pilot)
    print(f"{screen}: {KEYS} keys, {SIZES} sizes, {time.monotonic() - began:.0f} s")
    assert not [call for call in session.calls if call.startswith("stop")]
    assert {one.state for one in session.snapshots().values()} <= {"training", "paused", "loading"}
