"""The watch screen as pictures: evaluations, a cursor and marks, a diverged run, each theme."""

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.dashboard.pictures import picture, size_name
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.app.themes import PALETTES

pytestmark = pytest.mark.usefixtures("no_timers")


async def assert_pictures(pilot: Pilot[None], expected: SnapshotAssertion) -> None:
    """Compare the screen at each size with its picture."""
    for size in SIZES:
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert picture(pilot) == expected(name=size_name(size))


async def test_a_cursor_and_marks(text_snapshot: SnapshotAssertion) -> None:
    async with TuiMetaApp(FakeSession()).run_test() as pilot:
        await settle(pilot)
        await press(pilot, "s", "L", "x", "g")
        await assert_pictures(pilot, text_snapshot)


async def test_evaluation_of_the_half_range(text_snapshot: SnapshotAssertion) -> None:
    async with TuiMetaApp(FakeSession()).run_test() as pilot:
        await settle(pilot)
        await press(pilot, "2")
        await assert_pictures(pilot, text_snapshot)


async def test_a_diverged_run_beside_a_paused_one(text_snapshot: SnapshotAssertion) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test() as pilot:
        await settle(pilot)
        session.diverge("fomaml-1")
        await press(pilot, "space")
        await assert_pictures(pilot, text_snapshot)


async def test_quit_question(text_snapshot: SnapshotAssertion) -> None:
    async with TuiMetaApp(FakeSession()).run_test() as pilot:
        await settle(pilot)
        await press(pilot, "q")
        assert picture(pilot) == text_snapshot


@pytest.mark.parametrize("theme", list(PALETTES))
async def test_a_theme(text_snapshot: SnapshotAssertion, theme: str) -> None:
    app = TuiMetaApp(FakeSession(), Preferences(theme=theme))  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "s", "L", "x", "g")
        assert picture(pilot) == text_snapshot
