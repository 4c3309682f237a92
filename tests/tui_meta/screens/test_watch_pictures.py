"""The watch screen as pictures: a cursor and marks, and each theme."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import STILL
from tests.tui_meta.screens.test_watch import SIZES, press, settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.app.themes import PALETTES

Compare = Callable[..., bool]
every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer of its own, and a size in the environment that does not stay there."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setattr("tui_meta.screens.watch.screen.rates", lambda *_: STILL)


async def looked_closely(pilot: Pilot[None]) -> None:
    """A linear axis, a mark where both runs were saved, and a cursor at an early iteration."""
    await settle(pilot)
    await press(pilot, "s", "L", "x", "g")


@every_size
def test_a_cursor_and_marks(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = TuiMetaApp(FakeSession())
    assert snap_compare(app, terminal_size=size, run_before=looked_closely)


@pytest.mark.parametrize("theme", list(PALETTES))
def test_a_theme(snap_compare: Compare, theme: str) -> None:
    app = TuiMetaApp(FakeSession(), Preferences(theme=theme))  # type: ignore[arg-type]
    assert snap_compare(app, terminal_size=(120, 40), run_before=looked_closely)
