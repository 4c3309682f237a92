"""The Watch screen with groups of runs that differ in their seed alone."""

import re
from collections.abc import Collection

import pytest
from rich.console import RenderableType
from syrupy.assertion import SnapshotAssertion
from textual import events
from textual.screen import Screen

from core.commands import Pause
from tests.support.dashboard.grouped import grouped_session
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.dashboard.pictures import picture, size_name
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.preferences import Preferences
from tui_meta.delta_driver.output import Output
from tui_meta.screens.watch.run_list import RunLinesPanel

pytestmark = pytest.mark.usefixtures("no_timers")

NUMBERS_BOUND = 1_000
"""Bytes of a repaint in which every run of a hundred has come further."""


def focus(app: TuiMetaApp) -> str | None:
    return app.watch_screen.focused_name


@pytest.mark.parametrize("size", SIZES)
async def test_a_group_has_one_line_and_one_curve(size: tuple[int, int]) -> None:
    session = grouped_session(5, 0.005, 0.02)
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        session.finish("reptile-1")
        text = await settle(pilot)
        lines = text.splitlines()
        assert re.search(r"⠒⠒ Reptile inner_lr=0.005  1 of 5 done.* ± ", lines[1])
        assert re.search(r"╍╍ Reptile inner_lr=0.02 +0 of 5 done.* ± ", lines[2])
        assert "mean over seeds ± its 95 % interval over seeds" in text
        assert "validation: loss on 64 tasks" in lines[3]
        assert "╍╍ Reptile inner_lr=0.02  ⠂⠂ untrained" in text


async def test_enter_opens_a_group_and_escape_closes_it() -> None:
    app = TuiMetaApp(grouped_session(3, 0.005, 0.02))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "k", "j")
        assert focus(app) == "group-1"
        assert "╭─ Reptile inner_lr=0.02 seed 0 " in text
        assert "enter open" in text
        text = await press(pilot, "enter")
        lines = text.splitlines()
        assert focus(app) == "run-3"
        assert re.search(r"^    Reptile inner_lr=0.005 +0 of 3 done", lines[1])
        assert re.search(r"^█⠒⠒ Reptile inner_lr=0.02 seed 0  training", lines[2])
        assert re.search(r"^ ┅┅ Reptile inner_lr=0.02 seed 2  training", lines[4])
        assert "over seeds" not in text.partition("validation: ")[2]
        text = await press(pilot, "j")
        assert "╭─ Reptile inner_lr=0.02 seed 1 " in text
        text = await press(pilot, "escape")
        assert focus(app) == "group-1"
        assert "Reptile inner_lr=0.02 seed 2" not in text
        assert "esc back" not in text


async def test_keys_act_on_the_runs_of_the_group_in_focus() -> None:
    session = grouped_session(3, 0.005, 0.02)
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "k", "j", "space")
        assert session.commands(Pause) == ["reptile-4", "reptile-5", "reptile-6"]
        assert "3 paused" in text
        await press(pilot, "k", "enter", "space")
        assert session.commands(Pause)[3:] == ["reptile-1"]


async def test_a_run_that_has_ended_gives_its_panels_to_one_that_trains() -> None:
    session = grouped_session(3, 0.005, 0.02)
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        assert "╭─ Reptile inner_lr=0.005 seed 0 " in await settle(pilot)
        session.diverge("reptile-1")
        assert "╭─ Reptile inner_lr=0.005 seed 1 " in await settle(pilot)


async def test_the_opened_group_is_remembered_for_the_next_client() -> None:
    session = grouped_session(3, 0.005, 0.02)
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "k", "j", "enter")
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        assert "Reptile inner_lr=0.02 seed 2" in await settle(pilot)


@pytest.mark.parametrize("size", [SIZES[0], SIZES[-1]])
async def test_the_verdict_at_the_end_is_on_groups(size: tuple[int, int]) -> None:
    session = grouped_session(3, 0.005, 0.02)
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await settle(pilot)
        for run in session.snapshots():
            session.finish(run)
        await settle(pilot)
        text = await settle(pilot)
        assert "more than the best" in text
        if size[0] == 80:
            assert "mean over 3 seeds, best of 2: Reptile inner_lr=0.005 0.0717 ± 0.064" in text
        else:
            assert re.search(r"⠒⠒ Reptile inner_lr=0.005 +0.0717 ± 0.064 over 3 seeds +best", text)
            assert re.search(r"╍╍ Reptile inner_lr=0.02 +0.237 ± .* over 3 seeds +0.165 ± ", text)
        if size[0] == 200:
            assert "per iteration            1 x 50 points" in text, "all facts"


async def test_a_key_is_answered_before_panels_are_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TuiMetaApp(grouped_session(3, 0.005, 0.02))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "k")
        happened: list[str] = []
        display, paint = app._display, app.watch_screen._paint_panels

        def displayed(screen: Screen[object], update: RenderableType | None) -> None:
            happened.append("reverse" if "reverse" in _styles(app, row=1) else "before")
            display(screen, update)

        def painted(panels: Collection[str]) -> None:
            happened.extend(panels)
            paint(panels)

        monkeypatch.setattr(app, "_display", displayed)
        monkeypatch.setattr(app.watch_screen, "_paint_panels", painted)
        await press(pilot, "j")
        assert happened[0] == "reverse"
        assert [one for one in happened if one != "reverse"] == ["validation", "table", "wave-0"]


async def test_keys_that_wait_come_before_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TuiMetaApp(grouped_session(3, 0.005, 0.02))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "k")
        painted: list[str] = []
        monkeypatch.setattr(app.watch_screen, "_paint_panels", painted.extend)
        for key in "jkjkj":
            app.post_message(events.Key(key, key))
        await pilot.pause()
        while app.has_pending_keys or app.watch_screen.paints_later:
            await pilot.pause()
        assert focus(app) == "group-1"
        assert sorted(painted) == ["table", "validation", "wave-0"]


def _styles(app: TuiMetaApp, row: int) -> str:
    """Return the styles of the line of a group as it is painted next."""
    lines = app.watch_screen.query_one(RunLinesPanel)
    return " ".join(str(one.style) for one in lines.render_line(row))


async def test_a_hundred_runs_repaint_few_bytes() -> None:
    session = grouped_session(50, 0.005, 0.02)
    app = TuiMetaApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        output = Output(120, 40)

        async def sent() -> int:
            app.watch_screen.tick()
            app.watch_screen.paint()
            await pilot.pause()
            frame = app.screen._compositor.render_full_update().render_segments(app.console)
            output.write(f"\x1b[?2026h\x1b[0m{frame}\x1b[1;1H\x1b[?2026l")
            return len(output.take().encode())

        await sent()
        for run, one in session.snapshots().items():
            session.change(run, iteration=one.iteration + 1_000, loss=0.498, rate=4_118.0)
        assert 0 < await sent() <= NUMBERS_BOUND


@pytest.mark.parametrize("runs", [10, 100])
async def test_groups(text_snapshot: SnapshotAssertion, runs: int) -> None:
    rates = (0.005, 0.02) if runs == 10 else (0.001, 0.002, 0.005, 0.01, 0.02)
    app = TuiMetaApp(grouped_session(runs // len(rates), *rates))
    async with app.run_test() as pilot:
        await settle(pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert picture(pilot) == text_snapshot(name=size_name(size))
        if runs == 10:
            await press(pilot, "k", "j", "enter", "j")
            assert picture(pilot) == text_snapshot(name="opened")


async def test_groups_in_ascii(text_snapshot: SnapshotAssertion) -> None:
    app = TuiMetaApp(grouped_session(5, 0.005, 0.02), Preferences(ascii=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert picture(pilot) == text_snapshot(name="120x40")
