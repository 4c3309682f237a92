"""A repaint of the dashboard sends few bytes, whatever the time it takes."""

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from core.analysis.answers import AnyAnswer, Traced
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.questions import AnyQuestion
from core.analysis.theta_sources import LiveRun
from tests.support.dashboard.canned import CannedSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import press, settle
from tests.support.dashboard.saved_runs import make_folders
from tui_meta.app.application import TuiMetaApp
from tui_meta.app.pages import PAGES
from tui_meta.delta_driver.output import Output
from tui_meta.views.keys.table import SCREEN_KEYS

BOUNDS = {(80, 24): 1300, (120, 40): 2100, (200, 60): 3000}
"""Bytes of the largest repaint: numbers, table, and another wave in every chart of waves."""

NUMBERS_BOUND = 400
"""Bytes of a repaint in which every number of the header is another one."""


async def sent(pilot: Pilot[None], output: Output) -> int:
    """Bytes of a repaint: all that is on the screen is written, as after a change of layout."""
    app = pilot.app
    assert isinstance(app, TuiMetaApp)
    app.watch_screen.tick()
    app.watch_screen.paint()
    await pilot.pause()
    return rewritten(pilot, output)


def rewritten(pilot: Pilot[None], output: Output) -> int:
    """Bytes that make the terminal show what is on the screen now."""
    app = pilot.app
    frame = app.screen._compositor.render_full_update().render_segments(app.console)
    output.write(f"\x1b[?2026h\x1b[0m{frame}\x1b[1;1H\x1b[?2026l")
    return len(output.take().encode())


@pytest.mark.parametrize("size", BOUNDS, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_repaint_sends_what_changed(size: tuple[int, int]) -> None:
    session = FakeSession()
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await pilot.press("e")  # the waves are seen at every size
        output = Output(*size)
        await sent(pilot, output)
        assert await sent(pilot, output) == 0
        for run in session.snapshots():
            session.change(run, iteration=13_457, loss=0.498, rate=4_118.0, elapsed=5.0)
        numbers = await sent(pilot, output)
        session.evaluate("random")
        everything = await sent(pilot, output)

        assert 0 < numbers <= NUMBERS_BOUND
        assert numbers < everything <= BOUNDS[size]


KEYS = {key.action: key.names for key in SCREEN_KEYS}

PAGE_BOUNDS = {
    "lab": {(80, 24): 1450, (120, 40): 3900, (200, 60): 7100},
    "time-machine": {(80, 24): 640, (120, 40): 1560, (200, 60): 6000},
    "battery": {(80, 24): 2700, (120, 40): 8100, (200, 60): 17300},
    "geometry": {(80, 24): 1150, (120, 40): 3900, (200, 60): 7900},
    "runs": {(80, 24): 260, (120, 40): 450, (200, 60): 500},
    "sweep": {(80, 24): 850, (120, 40): 1420, (200, 60): 2600},
    "messages": {(80, 24): 200, (120, 40): 200, (200, 60): 200},
}
"""Bytes of the largest repaint: all curves of the Lab and the geometry are others; of the time
machine, on another task. The answer to a survey fills the screen of the battery, once.
"""

TITLE_BOUND = 60
"""Bytes of a repaint of any of them in which only the iterations of the runs are others."""

CHANGES = {
    "time-machine": "n",  # another task: all of its charts
    "battery": "e",  # the answer to a survey
    "geometry": "R",  # the newest iteration, as when it is followed
    "runs": "down",  # another run, and on a wide screen its losses
    "sweep": "L",  # the other scale
}
"""The key that changes the most; the Lab changes the most by itself, as it follows theta."""


class MovingSession(CannedSession):
    """Each answer is about another theta, or about another iteration, than the one before."""

    def __init__(self) -> None:
        super().__init__()
        self._chance = random.Random(0)

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        answer = super().ask(question, progress, cancelled)
        if not isinstance(answer, Traced):
            return answer
        return msgspec.structs.replace(
            answer,
            iteration=self._chance.randrange(1_000, 99_000),
            paths=tuple(tuple(self._place() for _ in range(3)) for _ in range(3)),
            update=self._place(),
            lengths=(0.17,) * 3,
            distances=(0.156,) * 3,
            explained=(self._chance.uniform(0.5, 0.9), self._chance.uniform(0, 0.1)),
        )

    def _place(self) -> tuple[float, float]:
        return self._chance.uniform(-0.1, 0.1), self._chance.uniform(-0.1, 0.1)

    def _live_run(self, run: str) -> LiveRun | None:
        live = super()._live_run(run)
        if live is None or live.theta is None:
            return live
        factor = 1 + 2 * self._chance.random()
        return dataclasses.replace(live, theta=live.theta * factor)


async def all_changes(pilot: Pilot[None], page: str, session: FakeSession) -> None:
    """Everything on the screen is another, as far as it can be from one repaint to the next."""
    for run, one in session.snapshots().items():
        session.change(run, iteration=one.iteration + 1_000)
    if page in CHANGES:
        await press(pilot, CHANGES[page])
    elif page == "messages":
        iteration = session.snapshots()["fomaml-1"].iteration
        pilot.app.screen.show_message(f"something is said at {iteration}")  # type: ignore[attr-defined]
    for _ in range(5):  # a live theta is looked at with every fourth tick
        await settle(pilot)


@pytest.mark.usefixtures("no_timers")
@pytest.mark.parametrize("size", BOUNDS, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGES)
async def test_a_repaint_of_every_screen_sends_what_changed(
    page: str, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    session = MovingSession()
    async with TuiMetaApp(session).run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, KEYS[f"visit('{page}')"])
        output = Output(*size)
        rewritten(pilot, output)
        for run, one in session.snapshots().items():
            session.change(run, iteration=one.iteration + 1_000)
        pilot.app.watch_screen.tick()  # type: ignore[attr-defined]
        pilot.app.screen._paint_frame()  # type: ignore[attr-defined]
        await pilot.pause()
        title = rewritten(pilot, output)
        sent = []
        for _ in range(4):
            await all_changes(pilot, page, session)
            sent.append(rewritten(pilot, output))
        assert 0 < title <= TITLE_BOUND
        assert title < max(sent) <= PAGE_BOUNDS[page][size]
