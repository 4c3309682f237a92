"""The battery screen: a battery is started, watched, cancelled and read."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from core.analysis.answers import AnyAnswer, BatteryResult, Cancelled
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.questions import AnyQuestion, Battery
from core.commands import Pause
from core.errors import QuestionError
from core.tasks.sine import SineTasks
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import SIZES, press, settle
from tests.support.dashboard.pictures import picture
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.battery.screen import BatteryPage
from tui_meta.screens.watch.screen import WatchScreen
from tui_meta.views.numbers import loss

pytestmark = pytest.mark.usefixtures("no_timers")

NEXT = "▸ next: {}"


class WaitingSession(FakeSession):
    """A battery that never finishes; it stops when it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[AnyQuestion] = []
        self.begun = threading.Event()
        self.stopped = threading.Event()

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        self.asked.append(question)
        progress(750, 3_000)
        self.begun.set()
        while not cancelled():
            self.stopped.wait(0.01)
        self.stopped.set()
        return Cancelled()


async def begin(pilot: Pilot[None], session: WaitingSession) -> str:
    """A survey that has begun."""
    await press(pilot, "b", "e", answers=False)
    assert session.begun.wait(30)
    return await settle(pilot, answers=False)


@pytest.mark.parametrize("size", SIZES)
async def test_e_starts_a_battery_and_shows_every_part(
    size: tuple[int, int],
) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await settle(pilot)
        assert "e start" in await press(pilot, "b", "minus", "minus")
        text = await press(pilot, "e")
        runs = list(session.snapshots())
        page = pilot.app.screen
        assert isinstance(page, BatteryPage)
        expected = session.ask(page._settings.question(runs, SineTasks()))
        assert isinstance(expected, BatteryResult)
        assert "100 random tasks, 10 " in text
        for title, source in zip(("FOMAML", "Reptile", "random"), expected.sources, strict=True):
            row = next(line for line in text.splitlines() if line.startswith(title))
            for number in (source.mean, source.low, source.high, source.median, *source.quantiles):
                assert loss(number) in row
        for part in (
            "FOMAML \N{MINUS SIGN} Reptile",
            "histogram of final loss",
            "worst tasks of FOMAML",
            "95% interval",
        ):
            assert part in text
        for poor in expected.sources[0].worst:
            assert poor.label in text


@pytest.mark.parametrize("size", SIZES)
async def test_while_it_runs_there_is_a_bar_and_every_key_works(size: tuple[int, int]) -> None:
    session = WaitingSession()
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        text = await begin(pilot, session)
        assert "━" in text
        assert "25%" in text
        assert "esc cancel" in text
        assert "e start" not in text
        text = await press(pilot, "plus", answers=False)
        assert "apply to the next battery" in text
        await press(pilot, "w", "space", answers=False)
        assert session.commands(Pause) == list(session.snapshots())
        assert "25%" in await press(pilot, "b", answers=False)
        assert not session.stopped.is_set()
        assert len(session.asked) == 1
        await press(pilot, "escape")


async def test_escape_cancels_the_battery_before_it_goes_back() -> None:
    session = WaitingSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await begin(pilot, session)
        await pilot.press("escape")
        assert session.stopped.wait(30)
        text = await settle(pilot)
        assert "battery cancelled" in text
        assert isinstance(pilot.app.screen, BatteryPage)
        assert NEXT.format("1,000 tasks") in text
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, WatchScreen)


async def test_quitting_cancels_the_battery() -> None:
    session = WaitingSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await begin(pilot, session)
    assert session.stopped.wait(30)


async def test_a_second_enter_reports_the_running_battery() -> None:
    session = WaitingSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await begin(pilot, session)
        assert "a battery is running; esc cancels it" in await press(pilot, "e", answers=False)
        assert len(session.asked) == 1
        await press(pilot, "escape")


async def test_the_reason_of_a_failed_battery_is_shown() -> None:
    session = CannedSession()

    def refuse(*_: object) -> AnyAnswer:
        raise QuestionError("run 'fomaml-1'", "not started yet", "wait for it")

    session.ask = refuse  # type: ignore[method-assign, assignment]
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "b", "e")
        assert "battery failed: run 'fomaml-1'" in text
        assert NEXT.format("source: 1,000 tasks") in text


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["minus"], "300 tasks, 10 points, 32 gradient steps, seed 0"),
        (["minus"] * 9, "100 tasks"),
        (["minus", "equals_sign", "plus"], "3,000 tasks"),
        (["plus"] * 9, "10,000 tasks"),
        (["F"], "1,000 tasks, 5 points from [0, 5], 10 gradient steps, seed 0"),
        (["F", "F"], "1,000 tasks, 5 points, 10 gradient steps, inner lr 0.01, seed 0"),
        (
            ["enter", "ctrl+u", *"seed", "equals_sign", "7", "enter"],
            "1,000 tasks, 10 points, 32 gradient steps, seed 7",
        ),
        (
            ["n", "n", "n", "N"],
            "1,000 tasks, 10 points, 32 gradient steps, seed 2",
        ),
        (["N"], "1,000 tasks, 10 points, 32 gradient steps, seed 0"),
    ],
)
async def test_keys_change_the_settings_of_the_next_battery(keys: list[str], said: str) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        assert NEXT.format(said) in await press(pilot, "b", *keys)


async def test_the_hint_of_what_can_be_typed_is_whole_at_any_width() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        text = await press(pilot, "b", "enter")
        assert "support-interval=0,5" in text
        assert "enter: apply" in text
        assert "must be" in await press(pilot, "ctrl+u", *"steps=x", "enter")


async def test_the_question_has_the_settings_shown() -> None:
    session = CannedSession()
    asked: list[AnyQuestion] = []
    ask = session.ask

    def noting(question: AnyQuestion, *rest: object) -> AnyAnswer:
        asked.append(question)
        return ask(question)

    session.ask = noting  # type: ignore[method-assign, assignment]
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        text = await press(pilot, "b", "F", "n", "minus", "e")
        (question,) = asked
        assert isinstance(question, Battery)
        protocol = question.protocol
        assert (protocol.tasks, protocol.seed, protocol.support_interval) == (300, 1, (0, 5))
        assert protocol.last_step == 10
        assert len(question.sources) == 3
        assert "300 random tasks, 5 support points from [0, 5], 10 gradient" in text


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
@pytest.mark.parametrize(("down", "up", "last"), [("down", "up", "end"), ("j", "k", "G")])
async def test_the_worst_tasks_are_chosen_and_opened(
    size: tuple[int, int], down: str, up: str, last: str
) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=size) as pilot:
        text = await press(pilot, "b", "e", down, down, up)
        assert "enter open in Lab" in text
        assert "▸     0      1.00  4.90·sin" in text
        text = await press(pilot, last)
        assert "4.00·sin(x + 2.70)" in next(line for line in text.splitlines() if "▸" in line)
        text = await press(pilot, "enter")
        assert "Lab" in text.splitlines()[0]
        assert "4.00" in text
        assert "2.70" in text
        assert "e start" in await press(pilot, "b", "g")


async def test_escape_leaves_the_worst_tasks_first() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await press(pilot, "b", "e", "down")
        assert "e start" in await press(pilot, "escape")
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, WatchScreen)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("right", "left"), [("right", "left"), ("l", "h")])
async def test_another_source_has_its_own_tasks_and_pairs(
    size: tuple[int, int], right: str, left: str
) -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=size) as pilot:
        await press(pilot, "b", "e")
        text = await press(pilot, right)
        assert "worst tasks of Reptile" in text
        assert "Reptile \N{MINUS SIGN} random init" in text
        assert "FOMAML \N{MINUS SIGN} random init" not in text
        assert "worst tasks of random" in await press(pilot, left, left)


async def test_tab_shows_the_map_where_there_is_room_for_one_chart() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        assert "histogram of final loss" in await press(pilot, "b", "e")
        for key in ("tab", "shift+tab"):
            text = await press(pilot, key)
            assert "mean loss of FOMAML" in text
            assert "histogram of final loss" not in text
            assert "histogram of final loss" in await press(pilot, key)


async def test_with_room_all_maps_stand_side_by_side() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(120, 40)) as pilot:
        text = await press(pilot, "b", "e")
        for title in ("FOMAML", "Reptile", "random"):
            assert f"mean loss of {title}" in text
        assert text == await press(pilot, "tab")


async def test_the_smallest_terminal_keeps_the_table() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(60, 15)) as pilot:
        text = await press(pilot, "b", "e")
        (head,) = [line for line in text.splitlines() if line.startswith("loss ")]
        assert head.split()[1] == "mean"
        assert "median" in head.split()
        for title, mean in (("FOMAML", "0.0500"), ("Reptile", "0.150"), ("random", "0.450")):
            assert any(title in line and mean in line for line in text.splitlines())


async def test_a_battery_that_ends_below_another_screen_is_announced() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(80, 24)) as pilot:
        await press(pilot, "b")
        page = pilot.app.screen
        assert isinstance(page, BatteryPage)
        await press(pilot, "w")
        page.action_start()
        assert "battery finished; b: show" in await settle(pilot)
        assert "1,000 random tasks" in await press(pilot, "b")


async def test_battery_while_it_runs(text_snapshot: SnapshotAssertion) -> None:
    session = WaitingSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await begin(pilot, session)
        assert picture(pilot) == text_snapshot
