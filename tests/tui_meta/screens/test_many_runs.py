"""The Watch screen with more runs than it shows side by side."""

import re

import pytest
from syrupy.assertion import SnapshotAssertion

from core.commands import Pause
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.dashboard.pictures import picture, size_name
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.widgets.chart import Chart

pytestmark = pytest.mark.usefixtures("no_timers")

TEN = {f"fomaml-{n}": 1_000 * n for n in range(1, 6)} | {
    f"reptile-{n}": 2_000 * n for n in range(1, 6)
}
SIXTEEN = {f"fomaml-{n}": 500 for n in range(16)}


def focus(app: TuiMetaApp) -> str | None:
    return app.watch_screen.focused_name


@pytest.mark.parametrize("size", SIZES)
async def test_each_of_ten_runs_has_one_line_with_its_numbers(size: tuple[int, int]) -> None:
    session = FakeSession(TEN)
    app = TuiMetaApp(session)
    async with app.run_test(size=size) as pilot:
        session.diverge("reptile-1")
        text = await settle(pilot)
        for run, iteration in TEN.items():
            title = app.dashboard.titles[run]
            said = "diverged +at " if run == "reptile-1" else "training .*"
            after = "lower" if run == "reptile-1" else r".* ± "
            assert len(re.findall(rf"{title} +{said}{iteration:,}.*{after}", text)) == 1
        assert text.count("╍╍ FOMAML 2") == 1, "the legend names the chosen run only"
        assert "FOMAML " in text.splitlines()[1]


async def test_j_and_k_choose_the_run_whose_wave_and_table_are_shown() -> None:
    app = TuiMetaApp(FakeSession(TEN))
    async with app.run_test(size=(120, 40)) as pilot:
        text = await settle(pilot)
        assert focus(app) == "validation"
        assert "╭─ FOMAML ─" in text
        text = await press(pilot, "shift+tab", "j", "j")
        assert focus(app) == "run-2"
        assert "╭─ FOMAML 3 " in text
        assert "│⠒⠒ FOMAML  " not in text
        assert "│┅┅ FOMAML 3" in text
        assert "┅┅ FOMAML 3  ⠂⠂ untrained" in text
        text = await press(pilot, "k", "tab", "k")
        assert focus(app) == "run-1"
        assert re.search(r"╭─ FOMAML 2 +\d", text)


async def test_another_chart_in_the_same_place_lays_out_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TuiMetaApp(FakeSession(TEN))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        before = await press(pilot, "tab", "shift+tab")
        arranged = list[object]()
        monkeypatch.setattr(app.watch_screen._compositor, "reflow", arranged.append)
        text = await press(pilot, "tab")
        assert "training loss" in text
        assert "chart 2 of 3" in text
        assert focus(app) == "training"
        assert await press(pilot, "tab", "shift+tab") == text
        assert await press(pilot, "shift+tab") == before
        assert arranged == []


async def test_a_larger_terminal_gives_charts_that_took_turns_a_place_each() -> None:
    app = TuiMetaApp(FakeSession(TEN))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "tab")
        await pilot.resize_terminal(200, 60)
        await settle(pilot)
        assert focus(app) == "training"
        assert app.focused is app.query_one("#training")
        shown = [chart.panel for chart in app.query(Chart) if chart.is_on_screen]
        assert sorted(shown) == ["training", "updates", "validation", "wave-0"]
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert focus(app) == "training"
        shown = [chart.panel for chart in app.query(Chart) if chart.is_on_screen]
        assert sorted(shown) == ["training", "wave-0"]


async def test_keys_act_on_the_run_in_focus_and_else_on_all() -> None:
    session = FakeSession(TEN)
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "shift+tab", "j", "space")
        assert session.commands(Pause) == ["fomaml-2"]
        await press(pilot, "tab", "space")
        assert len(session.commands(Pause)) == 10


async def test_lines_scroll_where_there_are_more_than_fit() -> None:
    app = TuiMetaApp(FakeSession(SIXTEEN))
    async with app.run_test(size=(80, 24)) as pilot:
        assert "runs 1-10 of 16" in await settle(pilot)
        text = await press(pilot, "shift+tab", *["j"] * 20)
        assert "runs 7-16 of 16" in text
        assert focus(app) == "validation"
        text = await press(pilot, "k")
        assert focus(app) == "run-15"


@pytest.mark.parametrize("mode", ["color", "ascii"])
async def test_ten_runs(text_snapshot: SnapshotAssertion, mode: str) -> None:
    preferred = Preferences(ascii=mode == "ascii")
    async with TuiMetaApp(FakeSession(TEN), preferred).run_test() as pilot:
        await settle(pilot)
        await press(pilot, "shift+tab", "j")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert picture(pilot) == text_snapshot(name=size_name(size))
