"""The geometry screen: asked when opened, again by a key, and followed."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from core.analysis.answers import AnyAnswer, Traced
from core.analysis.questions import AnyQuestion, Live, Trace
from core.errors import QuestionError
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import SIZES, press, settle
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.geometry.screen import GeometryPage
from tui_meta.widgets.chart import Chart

pytestmark = pytest.mark.usefixtures("no_timers")

FOMAML, REPTILE = "fomaml-1", "reptile-1"


def noted(session: FakeSession) -> list[str]:
    """The runs that are asked for from now on, in order."""
    asked: list[str] = []
    ask = session.ask

    def noting(question: AnyQuestion, *rest: object) -> AnyAnswer:
        assert isinstance(question, Trace)
        assert isinstance(question.source, Live)
        asked.append(question.source.run)
        return ask(question)

    session.ask = noting  # type: ignore[method-assign, assignment]
    return asked


async def follow(pilot: Pilot[None]) -> str:
    """A second has passed."""
    for screen in pilot.app.screen_stack:
        if isinstance(screen, GeometryPage):
            for _ in screen.dashboard.snapshots:
                screen.follow_next()
    return await settle(pilot)


@pytest.mark.parametrize("size", [(60, 15), *SIZES])
async def test_opening_it_shows_the_newest_iteration_and_its_numbers(
    size: tuple[int, int],
) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await settle(pilot)
        answer = session.ask(Trace(source=Live(FOMAML)))
        assert isinstance(answer, Traced)
        text = await press(pilot, "v")
        assert "FOMAML after 12,300 · PCA plane" in text
        assert f"{answer.update_norm:.3g}" in text
        assert f"{answer.fomaml_reptile:+.3f}" in text
        assert f"{answer.successive:+.3f}" in text
        assert "outer step t and step t+1" in text
        assert "╾╾ outer step" in text


@pytest.mark.parametrize("size", SIZES)
async def test_runs_stand_side_by_side_where_there_is_room(size: tuple[int, int]) -> None:
    session = FakeSession()
    asked = noted(session)
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await settle(pilot)
        text = await press(pilot, "v")
        both = size[0] >= 120
        assert asked == ([FOMAML, REPTILE] if both else [FOMAML])
        assert ("Reptile after 18,700" in text) == both


@pytest.mark.parametrize(
    ("on", "back"), [("tab", "shift+tab"), ("down", "up"), ("right", "left"), ("j", "k")]
)
async def test_another_run_is_chosen_and_asked_for_once(on: str, back: str) -> None:
    session = FakeSession()
    asked = noted(session)
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "v")
        text = await press(pilot, on)
        assert "▸Reptile" in text
        assert "Reptile after 18,700" in text
        assert "FOMAML after 12,300" in await press(pilot, back)
        assert asked == [FOMAML, REPTILE]
        assert "▸Reptile" in await press(pilot, "G")
        assert "▸FOMAML" in await press(pilot, "g")


async def test_a_refresh_asks_for_the_newest_iteration() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "v")
        session.change(FOMAML, iteration=12_500)
        assert "after 12,300" in await settle(pilot)
        assert "after 12,500" in await press(pilot, "R")


async def test_following_asks_for_what_has_changed_and_nothing_else() -> None:
    session = FakeSession()
    asked = noted(session)
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "v")
        asked.clear()
        session.change(REPTILE, iteration=18_900)
        await settle(pilot)
        await follow(pilot)
        assert asked == []
        text = await press(pilot, "z")
        assert "following, once per second" in text
        assert "z stop following" in text
        assert "after 18,900" in text
        await follow(pilot)
        assert asked == [REPTILE]
        session.change(FOMAML, iteration=12_400)
        await settle(pilot)
        assert "after 12,400" in await follow(pilot)
        assert "z follow" in await press(pilot, "z")


async def test_runs_are_followed_one_after_the_other() -> None:
    session = FakeSession()
    asked = noted(session)
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "v", "z")
        page = pilot.app.screen
        assert isinstance(page, GeometryPage)
        turns: list[list[str]] = []
        for iteration in (20_000, 30_000):
            session.change(FOMAML, iteration=iteration)
            session.change(REPTILE, iteration=iteration)
            await settle(pilot)
            for _ in (FOMAML, REPTILE):
                asked.clear()
                page.follow_next()
                await settle(pilot)
                turns.append(list(asked))
        assert turns == 2 * [[FOMAML], [REPTILE]]


@pytest.mark.parametrize(("away", "back"), [("w", "v"), ("question_mark", "escape")])
async def test_behind_another_screen_nothing_is_asked(away: str, back: str) -> None:
    session = FakeSession()
    asked = noted(session)
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "v", "z")
        page = pilot.app.screen
        assert isinstance(page, GeometryPage)
        asked.clear()
        await press(pilot, away)
        session.change(FOMAML, iteration=12_400)
        await settle(pilot)
        page.follow_next()
        page.tick()
        await settle(pilot)
        assert asked == []
        assert "after 12,400" in await press(pilot, back)


async def test_answers_that_arrive_below_the_help_are_painted_once_it_is_closed() -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "v")
        page = pilot.app.screen
        assert isinstance(page, GeometryPage)
        session.change(FOMAML, iteration=12_400)
        await settle(pilot)
        await press(pilot, "question_mark")
        page.action_ask_again()
        await settle(pilot)
        chart = page.query(Chart).first()
        assert chart.plot
        assert "after 12,300" in chart.plot.title
        assert "after 12,400" in await press(pilot, "escape")


async def test_a_loading_run_is_waited_for() -> None:
    session = FakeSession()
    asked = noted(session)
    session.start = lambda: None  # type: ignore[method-assign]
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        assert "the run is loading" in await press(pilot, "v")
        assert asked == []
        FakeSession.start(session)
        assert "FOMAML after 12,300" in await settle(pilot)


async def test_the_reason_for_a_missing_picture_is_shown_once() -> None:
    session = FakeSession()

    def refuse(*_: object) -> AnyAnswer:
        raise QuestionError("run 'fomaml-1'", "its parameters are not finite", "ask")

    session.ask = refuse  # type: ignore[method-assign, assignment]
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = await press(pilot, "v")
        assert "its parameters are not finite" in text
        assert "no picture" in text


async def test_a_question_that_fails_unexpectedly_says_so_and_can_be_asked_again() -> None:
    session = FakeSession()

    def failing(*_: object) -> AnyAnswer:
        raise ZeroDivisionError("out of the blue")

    ask, session.ask = session.ask, failing  # type: ignore[method-assign, assignment]
    async with TuiMetaApp(session).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        text = await press(pilot, "v")
        assert "ZeroDivisionError: out of the blue" in text
        assert "tracing one iteration" not in text
        session.ask = ask  # type: ignore[method-assign]
        assert "PCA plane" in await press(pilot, "R")
