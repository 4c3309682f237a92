"""What the Watch screen says about its runs besides their curves: the key info and the verdict."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from core.analysis.answers import AnyAnswer
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.questions import AnyQuestion
from core.errors import SessionError
from core.session.api import Connection
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.pages import SIZES, press, settle, shown
from tests.support.dashboard.watch_state import NAMES
from tui_meta.app.application import TuiMetaApp

pytestmark = pytest.mark.usefixtures("no_timers")


class SilentSession(CannedSession):
    """A session that ends before it answers."""

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        self.calls.append("battery")
        raise SessionError("session 1 has ended")


def finish(session: CannedSession) -> None:
    for run in NAMES:
        session.finish(run)


async def judged(pilot: Pilot[None]) -> str:
    """Wait until the verdict is painted, after the panels have made room; gives the screen."""
    text = await settle(pilot)
    for _ in range(50):
        if "1,000 tasks" in text:
            break
        await pilot.pause()
        text = shown(pilot)
    return text


@pytest.mark.parametrize("size", SIZES)
async def test_the_verdict_comes_by_itself_once_and_stays(size: tuple[int, int]) -> None:
    session = CannedSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=size) as pilot:
        assert "1,000 tasks" not in await settle(pilot)
        session.finish("fomaml-1")
        assert "1,000 tasks" not in await settle(pilot)
        session.finish("reptile-1")
        text = await judged(pilot)
        assert "FOMAML 0.0500 ± 0.0050 · Reptile 0.150 ± 0.015 · untrained 0.450" in text
        narrow = "gradient evaluations in 50,000 iterations: FOMAML 300,000 · Reptile 250,000"
        assert (narrow if size[0] == 80 else "300,000 gradient evaluations") in text
        assert "untrained 0.450" in await press(pilot, "s", "e", "tab", "f", "w")
        assert session.calls.count("battery") == 1
        await press(pilot, "c")
        await settle(pilot)
        assert app.watch_screen.state.verdicts.current is None


async def test_in_a_small_terminal_the_verdict_is_a_message() -> None:
    session = CannedSession()
    async with TuiMetaApp(session).run_test(size=(60, 15)) as pilot:
        finish(session)
        assert "1,000 tasks, 10 points" in await judged(pilot)


async def test_a_session_that_is_lost_has_no_verdict_and_the_dashboard_stays() -> None:
    session = SilentSession()
    app = TuiMetaApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        finish(session)
        assert "no verdict: session 1 has ended" in await settle(pilot)
        await settle(pilot)
        assert session.calls.count("battery") == 1
        assert app.is_running


async def test_of_a_lost_session_nothing_is_asked() -> None:
    session = CannedSession(connection=Connection(id="1", lost="session 1 has ended"))
    async with TuiMetaApp(session).run_test(size=(80, 24)) as pilot:
        finish(session)
        await settle(pilot)
        assert "battery" not in session.calls


async def test_i_shows_what_the_runs_are_or_the_one_in_focus() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(120, 60)) as pilot:
        await settle(pilot)
        text = await press(pilot, "i")
        assert "FOMAML, fomaml-1: used so far" in text
        assert "used so far" not in await press(pilot, "i")
        text = await press(pilot, "shift+tab", "i")
        assert "Reptile, reptile-1: used so far" in text
        assert "mean minibatch loss on the way" in text
        assert "used so far" not in await press(pilot, "escape")


@pytest.mark.usefixtures("saved_runs")
async def test_i_shows_the_run_in_focus_on_every_screen() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(120, 50)) as pilot:
        await settle(pilot)
        for keys in (("t", "down"), ("v", "down"), ("a", "shift+tab"), ("b", "e", "l")):
            text = await press(pilot, *keys, "i")
            assert "Reptile, reptile-1: used so far" in text, keys
            assert "inner_lr" in text
            await press(pilot, "i")
        for key in ("m", "b"):
            assert "FOMAML, fomaml-1: used so far" in await press(pilot, key, "h", "i")
            await press(pilot, "escape")


@pytest.mark.usefixtures("saved_runs")
async def test_i_on_runs_reads_the_folder_of_the_run_under_the_cursor() -> None:
    async with TuiMetaApp(CannedSession()).run_test(size=(120, 60)) as pilot:
        await settle(pilot)
        text = await press(pilot, "f", "j", "i")
        for part in ("used so far", "12,000 of 50,000", "processor", "command line", "inner_lr"):
            assert part in text
        assert "used so far" not in await press(pilot, "i")
