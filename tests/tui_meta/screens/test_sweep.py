"""The Sweep screen: the session's runs or a folder's, as a table and as charts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.experiments.results import RunResult
from core.experiments.specification import PlannedRun
from core.session.local import LocalSession
from tests.support.dashboard.grouped import grouped_session
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.dashboard.pictures import picture, size_name, style_words
from tests.support.dashboard.sweep_status import GRID
from tests.support.sweeps import loss_of, make_sweep, result, write_results
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.delta_driver.output import Output
from tui_meta.screens.sweep.chart import MapPanel
from tui_meta.screens.sweep.screen import SweepPage
from tui_meta.screens.watch.screen import WatchScreen

pytestmark = pytest.mark.usefixtures("no_timers")

STILL_BOUND, FINISHED_BOUND = 300, 1_000
"""Bytes of a repaint after a second in which all of a hundred runs have come further, and after one
in which half of them have ended."""

TABLE: dict[str, Any] = {"algorithms": ["reptile"], "seeds": 2, "sweep": GRID}
BEST = "reptile network.hidden=16,16 inner_lr=0.02"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def folder() -> Path:
    make_sweep(Path("rates"), TABLE)
    return Path("rates")


def watching(folder: Path, preferred: Preferences | None = None) -> TuiMetaApp:
    return TuiMetaApp(LocalSession([]), preferred, sweep=folder)


def under_cursor(text: str) -> str:
    (row,) = [line for line in text.splitlines() if line.startswith("▸")]
    return " ".join(row[2:60].split()[:3])


async def test_a_folder_is_shown_without_runs(folder: Path) -> None:
    async with watching(folder).run_test(size=SIZES[-1]) as pilot:
        for size in (*SIZES, (60, 15)):
            await pilot.resize_terminal(*size)
            text = await settle(pilot)
            assert "tui-meta  ·  Sweep" in text
            assert f"best: {BEST}" in text
            assert "rates: 12 of 12 runs done" in text
            assert under_cursor(text).startswith("16, 16 0.02")
            assert ("validation over inner_lr and hidden" in text) == (size != (60, 15))
        assert "validation over" in await press(pilot, "o")


async def test_a_heat_map_fills_its_panel_whenever_that_gets_another_size(folder: Path) -> None:
    async with watching(folder).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        panel = pilot.app.screen.query_one(MapPanel)
        for height in (8, 12):
            panel.styles.height = height
            await settle(pilot)
            assert len([line for line in panel._lines if line]) == height - 1


async def test_results_appear_while_another_process_trains(folder: Path) -> None:
    make_sweep(Path("slow"), TABLE, lambda _: None)
    async with watching(Path("slow")).run_test(size=(120, 40)) as pilot:
        text = await settle(pilot)
        assert "best: no result yet" in text
        assert "slow: 0 of 12 runs done" in text
        runs = make_sweep(Path("slow"), TABLE, lambda _: None)
        write_results(Path("slow"), [result(run, loss_of(run)) for run in runs[:2]])
        assert isinstance(pilot.app.screen, SweepPage)
        pilot.app.screen._rested = 0.0
        pilot.app.screen.look()
        text = await settle(pilot)
        assert "slow: 2 of 12 runs done" in text
        assert "best so far: reptile network.hidden=8 inner_lr=0.005" in text


async def test_what_cannot_be_read_is_said_once(folder: Path) -> None:
    async with watching(folder).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        (folder / "sweep.json").write_text("{")
        page = pilot.app.screen
        assert isinstance(page, SweepPage)
        for _ in range(3):
            page._rested = 0.0
            page.look()
            text = await settle(pilot)
        assert "sweep.json: damaged" in text
        assert "12 of 12 runs done" in text
        assert len([one for one in page.dashboard.messages.all if "damaged" in one.text]) == 1


async def test_enter_opens_the_runs_of_a_group(folder: Path) -> None:
    async with watching(folder).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "j", "enter")
        assert re.search(r"reptile network.hidden=8 inner_lr=0.02: 2 of 2 runs done", text)
        assert "training loss" in text
        assert "─ validation ─" in text
        assert under_cursor(text).startswith("0 finished 30")
        assert under_cursor(await press(pilot, "end")).startswith("1 finished")
        assert "reptile-network.hidden-8-inner_lr-0.02-s1: finished" in await press(pilot, "i")
        text = await press(pilot, "escape")
        assert "rates: 12 of 12 runs done" in text
        assert under_cursor(text).startswith("8 0.02")


async def test_columns_sort_and_words_filter(folder: Path) -> None:
    async with watching(folder).run_test(size=(120, 40)) as pilot:
        assert "by validation" in await settle(pilot)
        text = await press(pilot, "O", "O")
        assert "by hidden" in text
        assert under_cursor(text).startswith("16, 16 0.02")
        assert "by more than the best" in await press(pilot, "ctrl+o")
        text = await press(pilot, "slash", *"0.08 8")
        assert "enter keep the filter  esc all groups" in text
        assert "1 with “0.08 8”" not in text
        assert "2 with “0.08 8”" in await press(pilot, "enter")
        text = await press(pilot, "slash", *"zz", "enter")
        assert "nothing with “zz”; esc: show all" in text
        assert "no group is listed" in text
        assert "12 of 12 runs done  ·  by" in await press(pilot, "escape")


async def test_charts_and_their_settings_are_chosen(folder: Path) -> None:
    async with watching(folder).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "validation over hidden and inner_lr" in await press(pilot, "X")
        assert "no other setting" in await press(pilot, "Y", "Y")
        assert "─ validation over inner_lr ─" in await press(pilot, "o")
        assert "loss axis: linear" in await press(pilot, "L")
        assert "─ settings in parallel ─" in await press(pilot, "o")
        assert "validation by hidden, inner_lr, 5 of 6 groups" in await press(pilot, "o")
        assert "validation over" in await press(pilot, "o")


async def test_the_table_is_copied_and_saved_with_a_picture(folder: Path, here: Path) -> None:
    app = watching(folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "saved to" in await press(pilot, "y")
        (copy,) = (here / "state").rglob("*sweep.tsv")
        assert copy.read_text().splitlines()[1].startswith(f"{BEST}\treptile\t16, 16\t0.02\t2\t2")
        await press(pilot, "p")
        assert app.dashboard.messages.all[-1].text.endswith("CSV: sweep-map, sweep-table")
        await press(pilot, "o", "p")
        assert app.dashboard.messages.all[-1].text.endswith("CSV: sweep-chart, sweep-table")
        names = {path.name.partition("-sweep-")[2] for path in (here / "state").rglob("*")}
        assert names >= {"table.csv", "map.svg", "chart.svg", "chart.csv"}


async def test_screens_that_need_runs_say_so(folder: Path) -> None:
    async with watching(folder).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for key in "wf":
            assert "nothing is trained here" in await press(pilot, key)
        assert "nothing is trained here" in await press(pilot, "colon", *"watch pause", "enter")
        assert "·  Messages" in await press(pilot, "m")
        assert "·  Sweep" in await press(pilot, "V")
        assert "q: quit" in await press(pilot, "escape", "escape")
        assert "What you see here" in await press(pilot, "question_mark")
        await press(pilot, "escape")
        assert "no runs · q: quit" in await press(pilot, "d")
        await press(pilot, "q")
    assert pilot.app.return_code == 0


async def test_runs_of_the_session_are_a_sweep() -> None:
    session = grouped_session(5, 0.005, 0.02)
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        session.diverge("reptile-1")
        session.finish("reptile-2")
        await settle(pilot)
        text = await press(pilot, "V")
        assert "this session: 1 of 10 runs done, 1 diverged, 8 training" in text
        assert "best so far: Reptile inner_lr=0.02" in text
        assert re.search(r"about \d+ s left", text)
        assert "1/5" in text
        assert "─ validation over inner_lr ─" in text
        text = await press(pilot, "j", "enter")
        assert "diverged" in text
        await press(pilot, "escape", "escape", "escape")  # the second one dismisses the problem
        assert isinstance(pilot.app.screen, WatchScreen)


async def test_the_numbers_are_those_of_watch() -> None:
    session = grouped_session(3, 0.005, 0.02)
    async with TuiMetaApp(session).run_test(size=(200, 60)) as pilot:
        for run in session.snapshots():
            session.finish(run)
        text = await settle(pilot)
        lines = "\n".join(text.splitlines()[1:3])
        on_watch = re.findall(r"0\.\d+ ± 0\.\d+(?= over 3 seeds)", lines)
        assert len(on_watch) == 2
        text = await press(pilot, "V")
        assert all(one in text for one in on_watch)


async def test_a_hundred_runs_repaint_few_bytes() -> None:
    session = grouped_session(20, 0.001, 0.002, 0.005, 0.01, 0.02)
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "V")
        output = Output(120, 40)

        async def sent() -> int:
            await settle(pilot)
            assert isinstance(app.screen, SweepPage)
            app.screen.look()
            await pilot.pause()
            frame = app.screen._compositor.render_full_update().render_segments(app.console)
            output.write(f"\x1b[?2026h\x1b[0m{frame}\x1b[1;1H\x1b[?2026l")
            return len(output.take().encode())

        await sent()
        for run, one in session.snapshots().items():
            session.change(run, iteration=one.iteration + 1_000, loss=0.498, rate=4_118.0)
        assert await sent() <= STILL_BOUND
        for run in list(session.snapshots())[::2]:
            session.finish(run)
        assert 0 < await sent() <= FINISHED_BOUND


async def test_another_folder_is_opened_and_left(folder: Path) -> None:
    app = TuiMetaApp(grouped_session(2, 0.005, 0.02))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "V", "ctrl+f", *"none", "enter")
        assert "not the folder of a sweep" in text
        await press(pilot, *["backspace"] * 4, *"rates", "enter")
        assert "rates: 12 of 12 runs done" in await settle(pilot)
        assert "this session: 0 of 4 runs done" in await press(pilot, "escape")


def outcome(run: PlannedRun) -> RunResult | None:
    """All states: runs of the last seeds are waiting, a rate diverges."""
    if run.config.seed == 9:
        return None
    if run.config.algorithm.inner_lr > 0.5 and run.config.seed > 3:
        return result(run, None, "diverged")
    return result(run, loss_of(run))


SWEEPS: dict[int, dict[str, Any]] = {
    2: {"algorithms": ["fomaml", "reptile"]},
    10: {"algorithms": ["reptile"], "seeds": 5, "sweep": {"reptile.inner_lr": [0.005, 0.02]}},
    100: {
        "algorithms": ["reptile"],
        "seeds": 10,
        "sweep": {"reptile.inner_lr": [0.005, 0.02, 0.08, 0.3, 0.9], "network.hidden": [[8], [16]]},
    },
}

MODES: dict[str, tuple[dict[str, str], Preferences]] = {
    "color": ({}, Preferences()),
    "no-color": ({"NO_COLOR": "1"}, Preferences()),
    "ascii": ({}, Preferences(ascii=True)),
}


@pytest.mark.parametrize(
    ("count", "mode"), [(2, "color"), (10, "color"), *((100, mode) for mode in MODES)]
)
async def test_pictures(
    text_snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch, count: int, mode: str
) -> None:
    variables, preferences = MODES[mode]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    make_sweep(Path("rates"), SWEEPS[count], outcome)
    async with watching(Path("rates"), preferences).run_test(size=SIZES[-1]) as pilot:
        await settle(pilot)
        await press(pilot, "j")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            drawn = picture(pilot)
            if mode == "ascii":
                assert drawn.isascii()
            if mode == "no-color":
                assert style_words(drawn) <= {"bold", "dim", "italic", "underline", "reverse"}
            assert drawn == text_snapshot(name=size_name(size))
