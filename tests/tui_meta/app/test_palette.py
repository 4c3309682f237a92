"""The command palette finds and runs every command of every screen, from any of them."""

import pytest

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import press, settle, shown
from tests.support.dashboard.pictures import picture
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.commands import COMMANDS
from tui_meta.app.pages import PAGES
from tui_meta.app.themes import PALETTES
from tui_meta.screens.battery.screen import BatteryPage
from tui_meta.screens.dialogs.palette import Palette
from tui_meta.screens.lab.screen import LabPage
from tui_meta.screens.messages.screen import MessagesPage
from tui_meta.views.keys.keymap import BOUND_TOGETHER
from tui_meta.views.keys.palette import SYNONYMS, found, palette_entries
from tui_meta.views.keys.watch import GROUPS

pytestmark = pytest.mark.usefixtures("no_timers")

FROM_WATCH = [*palette_entries(GROUPS, "watch"), *COMMANDS]


def test_it_has_every_key_of_every_screen() -> None:
    helps = {entry.does for entry in FROM_WATCH}
    for keys in BOUND_TOGETHER.values():
        for key in keys:
            assert key.help in helps or key.action in ("palette", "back")


def test_every_synonym_is_of_a_command() -> None:
    names = {key.name for keys in BOUND_TOGETHER.values() for key in keys}
    assert set(SYNONYMS) <= names | {one.name for one in COMMANDS}


def test_words_are_found_in_any_order_and_names_first() -> None:
    assert found(FROM_WATCH, "SAVE")[0].name == "save"
    assert {entry.name for entry in found(FROM_WATCH, "row table newest")} == {"newest"}
    assert not found(FROM_WATCH, "no such thing")


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("lr", {"info", "lab change", "lab type", "battery open"}),
        ("rate", {"info", "lab type"}),
        ("settings", {"info", "battery open", "preferences"}),
        ("export", {"export", "copy", "picture"}),
        ("compare", {"runs compare", "battery start", "per step"}),
        ("theme", {"theme dark", "theme colour-blind", "preferences"}),
        ("quit", {"quit", "detach"}),
        ("exit", {"quit", "detach"}),
        ("screenshot", {"picture"}),
        ("resume", {"pause", "continue", "runs resume"}),
        ("finn", {"battery protocol"}),
        ("geom", {"geometry", "geometry newest"}),
        ("rotocol", {"battery protocol"}),
    ],
)
def test_commands_are_found_by_synonyms(typed: str, names: set[str]) -> None:
    assert names <= {entry.name for entry in found(FROM_WATCH, typed)}


def test_a_part_inside_a_word_counts_only_if_no_word_begins_so() -> None:
    assert all("lr" in f"{entry.name} {entry.words}" for entry in found(FROM_WATCH, "lr"))


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_a_command_is_found_by_typing_a_part_of_it(key: str) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert ": paus" in await press(pilot, key, *"paus")
        await press(pilot, "enter")
        assert {one.state for one in session.snapshots().values()} == {"paused"}


async def test_it_opens_screens() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "colon", *"messages", "enter")
        assert isinstance(app.screen, MessagesPage)


@pytest.mark.parametrize("name", ["watch", *PAGES])
async def test_what_it_lists_of_the_screen_in_front_is_bound_there(name: str) -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.action_visit(name)
        await pilot.pause()
        bound = {active.binding.action for active in app.screen.active_bindings.values()}
        app.action_palette()
        await pilot.pause()
        assert isinstance(app.screen, Palette)
        own = {one.action for one in app.screen._entries if not one.screen}
        assert own == bound - {"palette"} | {one.action for one in COMMANDS}


async def test_a_command_of_another_screen_opens_it_and_acts() -> None:
    session = CannedSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "colon", *"battery start", "enter")
        assert isinstance(app.screen, BatteryPage)
        assert "worst tasks of" in text
        await press(pilot, "colon", *"watch pause", "enter")
        assert app.screen is app.watch_screen
        assert {one.state for one in session.snapshots().values()} == {"paused"}


async def test_what_acts_on_a_place_only_opens_its_screen() -> None:
    app = TuiMetaApp(CannedSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "a", "1")
        text = await press(pilot, "w", "colon", *"lab delete", "enter")
        assert isinstance(app.screen, LabPage)
        assert "points 10 " in text


async def test_a_theme_is_switched_at_once() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "m", "w")
        plain = picture(pilot)
        for name, palette in PALETTES.items():
            assert f"theme {name}" in await press(pilot, "colon", *f"theme {name}", "enter")
            strips = app.screen._compositor.render_strips(app.size)
            styles = [segment.style for strip in strips for segment in strip if segment.style]
            grounds = {style.bgcolor.triplet.hex for style in styles if style.bgcolor}  # type: ignore[union-attr]
            assert f"#{palette.background}" in grounds
        await press(pilot, "colon", *"theme terminal", "enter")
        await press(pilot, "m", "w")
        assert plain.rpartition("styles:")[2] == picture(pilot).rpartition("styles:")[2]


async def test_no_color_has_no_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "NO_COLOR is set" in await press(pilot, "colon", *"theme dark", "enter")


async def test_commands_without_a_key_say_how_from_any_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nowhere")  # a longer path is cut
    async with TuiMetaApp(FakeSession()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for start in ("w", "b"):
            text = await press(pilot, start, "colon", *"export", "enter")
            assert "tui-meta export checkpoints/fomaml-1 checkpoints/reptile-1" in text
            assert "config.toml" in await press(pilot, "colon", *"preferences", "enter")


async def test_nothing_found_gives_a_hint_and_escape_goes_back() -> None:
    app = TuiMetaApp(FakeSession())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "no matching command; try" in await press(pilot, "colon", *"qqq", "enter")
        assert isinstance(app.screen, Palette)
        await press(pilot, "backspace", "backspace", "backspace", "escape")
        assert app.screen is app.watch_screen
        assert "commands" not in shown(pilot).splitlines()[0]
