"""Whose theta adapts in the Lab: a live one that is followed or held still, or a saved one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.algorithms.registry import ALGORITHMS
from core.analysis.lab_tasks import draw_preset
from core.analysis.questions import ExplicitTask, Live, PinnedTheta, Saved
from core.analysis.service import AnalysisService
from core.analysis.theta_sources import LiveRun
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import untrained
from core.evaluation.adaptation import few_shot
from core.session.api import Connection
from core.tasks.base import Floats
from core.tasks.sine import SineTasks
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.lab_page import drawn, in_lab
from tests.support.dashboard.pages import shown
from tests.support.dashboard.recording_session import RecordingSession
from tests.support.dashboard.saved_runs import answered
from tests.support.waves import explicit_task
from tui_meta.screens.lab.screen import FOLLOW_TICKS, LabPage

pytestmark = pytest.mark.usefixtures("saved_runs", "no_timers")


async def test_a_live_theta_is_followed_about_once_a_second() -> None:
    session = RecordingSession()
    async with in_lab(session) as (pilot, page):
        asked = len(session.adapting)
        for _ in range(2 * FOLLOW_TICKS):
            page.tick()
        await answered(pilot)
        assert len(session.adapting) == asked
        session.change("reptile-1", iteration=20_000)
        pilot.app.watch_screen.tick()
        for _ in range(FOLLOW_TICKS):
            page.tick()
        text = await answered(pilot)
        assert [one.source for one in session.adapting[asked:]] == [Live("reptile-1")]
        assert "iteration 20,000 (live)" in text


class Moving(RecordingSession):
    """Its runs have another theta at every iteration."""

    def _live_run(self, run: str) -> LiveRun | None:
        found = super()._live_run(run)
        return found and dataclasses.replace(found, theta=theta_at(run, found.iteration))


def theta_at(run: str, iteration: int) -> Floats:
    return untrained(config_of(run, seed=iteration)).theta


def config_of(run: str, seed: int = 0) -> RunConfig:
    return RunConfig(algorithm=ALGORITHMS[run.split("-")[0]](), engine="fused", seed=seed)


def predicted(run: str, iteration: int, task: ExplicitTask) -> tuple[float, ...]:
    """What the theta of ``iteration`` makes of a task in 32 updates, by core's evaluation."""
    config, few = config_of(run), explicit_task(task)
    theta = theta_at(run, iteration)
    lr = config.algorithm.inner_lr
    result = few_shot(make_engine(config), theta, config.tasks, few, 32, lr, every_step=True)
    return tuple(result.predictions[0, -1, :, 0].tolist())


async def train_on(pilot: Pilot[None], page: LabPage, session: FakeSession, to: int) -> str:
    """All runs are at a later iteration, and the page has had the time to follow them."""
    for run in session.snapshots():
        session.change(run, iteration=to)
    pilot.app.watch_screen.tick()
    for _ in range(FOLLOW_TICKS):
        page.tick()
    return await answered(pilot)


async def test_s_freezes_and_unfreezes_theta() -> None:
    session = Moving()
    async with in_lab(session) as (pilot, page):
        before = drawn(page, "FOMAML")
        text = await answered(pilot, "z")
        assert "frozen 12,300" in text
        assert "frozen 18,700" in text
        text = await train_on(pilot, page, session, 20_000)
        assert "frozen 12,300" in text
        assert drawn(page, "FOMAML") == before
        assert "θ follows training" in await answered(pilot, "z")
        text = await train_on(pilot, page, session, 20_000)
        assert text.count("iteration 20,000 (live)") == 2
        assert drawn(page, "FOMAML") != before


async def test_a_frozen_theta_adapts_to_every_later_task() -> None:
    session = Moving()
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "z")
        await train_on(pilot, page, session, 20_000)
        for key, preset in (("4", "noisy"), ("6", "contradictory"), ("1", "standard")):
            text = await answered(pilot, key)
            task = draw_preset(preset, 0, 0, SineTasks())  # type: ignore[arg-type]
            assert "frozen 12,300" in text
            assert "frozen 18,700" in text
            assert drawn(page, "FOMAML").y == predicted("fomaml-1", 12_300, task)
            assert drawn(page, "Reptile").y == predicted("reptile-1", 18_700, task)


async def test_the_frozen_theta_is_the_one_shown_and_nothing_flickers() -> None:
    session = Moving()
    async with in_lab(session) as (pilot, _):
        for run in session.snapshots():
            session.change(run, iteration=19_000)
        pilot.app.watch_screen.tick()
        await pilot.press("z")
        assert "frozen 12,300" in shown(pilot)
        assert " …" not in shown(pilot)
        await answered(pilot)
        assert session.adapting[-1].source == PinnedTheta("reptile-1", 18_700)


async def test_choosing_a_checkpoint_keeps_the_frozen_theta() -> None:
    session = Moving()
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "shift+tab", "z", "minus")
        await train_on(pilot, page, session, 20_000)
        assert "▸frozen 18,700" in await answered(pilot, "plus")


async def test_s_before_any_answer_freezes_the_first_answer() -> None:
    session = Moving()
    start, session.start = session.start, lambda: None  # type: ignore[method-assign]
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "z")
        start()
        text = await train_on(pilot, page, session, 15_000)
        assert text.count("frozen 15,000") == 2
        text = await train_on(pilot, page, session, 20_000)
        assert text.count("frozen 15,000") == 2


async def test_losing_the_frozen_theta_shows_a_message_and_follows_training() -> None:
    session = Moving()
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "z")
        session._analysis = AnalysisService(session._live_run)
        text = await answered(pilot, "2")
        assert "is not kept; choose a checkpoint" in text
        text = await train_on(pilot, page, session, 20_000)
        assert text.count("iteration 20,000 (live)") == 2


async def test_new_runs_are_followed() -> None:
    session = Moving()
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "z")
        session.restart()
        session.start()
        pilot.app.watch_screen.tick()
        page.tick()
        assert "θ (z: freeze)" in await answered(pilot)


async def test_a_checkpoint_is_chosen_by_keys_and_by_typing() -> None:
    session = RecordingSession()
    async with in_lab(session) as (pilot, page):
        live = drawn(page, "Reptile")
        text = await answered(pilot, "shift+tab", "minus")
        assert "▸checkpoint 12,000 auto" in text
        assert session.adapting[-1].source == Saved("checkpoints/reptile-1/000012000.safetensors")
        assert drawn(page, "Reptile") != live
        assert "▸checkpoint 5,000 manual" in await answered(pilot, "minus")
        await answered(pilot, "enter", *["backspace"] * 4, *"2500", "enter")
        assert "▸checkpoint 2,000 best" in shown(pilot)
        assert "▸iteration 18,700 (live)" in await answered(pilot, *["plus"] * 3)
        assert drawn(page, "Reptile") == live


async def test_one_key_finds_checkpoints_that_are_new() -> None:
    saved = Path("checkpoints/reptile-1")
    hidden = [path.rename(path.with_suffix(".hidden")) for path in saved.glob("*.safetensors")]
    async with in_lab() as (pilot, _):
        assert "no checkpoint yet" in await answered(pilot, "shift+tab", "minus")
        for path in hidden:
            path.rename(path.with_suffix(".safetensors"))
        assert "▸checkpoint 12,000 auto" in await answered(pilot, "minus")


async def test_a_checkpoint_that_is_gone_is_a_message_and_the_one_before_takes_its_place() -> None:
    async with in_lab() as (pilot, page):
        await answered(pilot, "shift+tab")
        Path("checkpoints/reptile-1/000012000.safetensors").unlink()
        text = await answered(pilot, "minus")
        assert "000012000.safetensors: " in text
        assert "▸checkpoint 5,000 manual" in text
        assert drawn(page, "Reptile").y
        for path in Path("checkpoints/reptile-1").glob("*.safetensors"):
            path.unlink()
        assert "▸iteration 18,700 (live)" in await answered(pilot, "2")


async def test_loading_runs_are_not_asked() -> None:
    session = RecordingSession()
    session.start = lambda: None  # type: ignore[method-assign]
    async with in_lab(session) as (pilot, _):
        assert {one.source for one in session.adapting}.isdisjoint(
            {Live("fomaml-1"), Live("reptile-1")}
        )
        assert "untrained" in shown(pilot)


async def test_new_runs_replace_the_old_ones() -> None:
    session = RecordingSession()
    async with in_lab(session) as (pilot, page):
        session.restart()
        session.start()
        pilot.app.watch_screen.tick()
        page.tick()
        await answered(pilot)
        assert session.adapting[-3].source == Live("fomaml-2")


async def test_a_read_only_client_has_the_whole_lab() -> None:
    session = RecordingSession(connection=Connection(id="abc", read_only=True))
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "2", "plus", "A")
        assert drawn(page, "FOMAML").y
        assert not session.sent
