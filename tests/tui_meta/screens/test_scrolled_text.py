"""Text that scrolls is whole: nothing of it is below the scrollbar."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.run_folders import make_run, validated
from tui_meta.app.application import TuiMetaApp
from tui_meta.widgets.lines import Lines, ScrolledLines

pytestmark = pytest.mark.usefixtures("no_timers")


def rows(pilot: Pilot[None]) -> list[str]:
    """The text that scrolls, row by row."""
    scrolled = pilot.app.screen.query_one(ScrolledLines)
    assert scrolled.show_vertical_scrollbar
    lines = scrolled.query_one(Lines)
    return [lines.render_line(y).text for y in range(lines.size.height)]


@pytest.mark.parametrize("size", SIZES)
async def test_messages_beside_a_scrollbar_are_whole(size: tuple[int, int]) -> None:
    app = TuiMetaApp(CannedSession())
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        path = "0123456789" * 40
        for _ in range(40):
            app.dashboard.messages.show_result(path)
        await press(pilot, "m")
        text = "".join(row[10:] for row in rows(pilot)).replace(" ", "")
        assert text.endswith(path * 40)


@pytest.mark.parametrize("size", SIZES[:2])
async def test_an_opened_run_beside_a_scrollbar_is_whole(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    losses = [validated(1_000 * (n + 1), 3.905, 0.0384) for n in range(40)]
    make_run(tmp_path / "checkpoints" / "fomaml-a", losses, versions={"9" * 150: "1.0end"})
    app = TuiMetaApp(CannedSession(folder=Path("checkpoints")))
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, "f", "enter")
        text = rows(pilot)
    (title,) = [row for row in text if "the last 10 of 40" in row]
    at = text.index(title)
    cells_of_table = {len(row.rstrip()) for row in text[at + 1 : at + 12]}
    assert len(cells_of_table) == 1, text
    assert "9" * 150 in "".join(row.strip() for row in text)
