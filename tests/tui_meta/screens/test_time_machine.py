"""The time machine by its keys: every checkpoint of a run adapts to the same task."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.algorithms.registry import ALGORITHMS
from core.analysis.lab_tasks import draw_preset
from core.analysis.questions import ReadHistory
from core.config import RunConfig
from core.engines import make_engine
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PRESETS, PROBES, draw_task
from core.events import save_word
from core.session.api import Connection
from core.storage.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from core.tasks.sine import SineTasks
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.pages import SIZES, shown
from tests.support.dashboard.recording_session import RecordingSession
from tests.support.dashboard.saved_runs import CHECKPOINTS, answered
from tests.support.dashboard.watch import settle
from tests.support.run_folders import evaluated, make_run
from tests.support.waves import explicit_task
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.time_machine.screen import RECALL_TICKS, TimeMachinePage
from tui_meta.views.numbers import loss
from tui_meta.views.plots.plot import Series
from tui_meta.views.text import plain
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines

FOMAML, REPTILE = Path("checkpoints/fomaml-1"), Path("checkpoints/reptile-1")


pytestmark = pytest.mark.usefixtures("saved_runs", "no_timers")


@asynccontextmanager
async def in_time_machine(
    session: FakeSession | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], TimeMachinePage]]:
    async with TuiMetaApp(session or FakeSession()).run_test(size=size) as pilot:
        await settle(pilot)
        await answered(pilot, "t")
        page = pilot.app.screen
        assert isinstance(page, TimeMachinePage)
        yield pilot, page


def text(pilot: Pilot[None]) -> str:
    return shown(pilot)


def drawn(page: TimeMachinePage, label: str, name: str = "wave") -> Series:
    plot = page.query_one(f"#{name}", Chart).plot
    assert plot is not None
    return next(one for one in plot.series if one.label == label)


def path(iteration: int, folder: Path = FOMAML) -> str:
    return str(folder / f"{iteration:09d}.safetensors")


@pytest.mark.parametrize("size", SIZES)
async def test_what_matters_is_on_the_screen_at_every_size(size: tuple[int, int]) -> None:
    async with in_time_machine(size=size) as (pilot, page):
        seen = text(pilot)
        for iteration, kind in CHECKPOINTS.items():
            assert (
                f" {iteration:,}  {save_word(kind)}" if size[0] > 100 else f"{iteration:,} "
            ) in seen
        for part in (
            "FOMAML", "Reptile", "checkpoint 4 of 4, iteration 12,000", "θ of 12,000",
            "loss on random tasks", "at step 32 of 32", "esc back", "? help",
        ):  # fmt: skip
            assert part in seen
        assert drawn(page, "chosen", "history").x == (11_500,)


async def test_the_prediction_is_that_of_few_shot() -> None:
    async with in_time_machine() as (pilot, page):
        await answered(pilot, "left")
        config = RunConfig(algorithm=ALGORITHMS["fomaml"]())
        theta = load_checkpoint(Path(path(5_000))).state.theta
        given = draw_preset("standard", 0, 0, SineTasks())
        task = explicit_task(given)
        expected = few_shot(
            make_engine(config), theta, config.tasks, task, 32, config.algorithm.inner_lr,
            every_step=True,
        )  # fmt: skip
        assert drawn(page, "before").y == tuple(expected.predictions[0, 0, :, 0].tolist())
        assert drawn(page, "after").y == tuple(expected.predictions[0, -1, :, 0].tolist())


async def test_keys_move_among_the_checkpoints_and_stay_at_the_ends() -> None:
    async with in_time_machine() as (pilot, _):
        for key, at in (
            ("left", 5_000), ("h", 2_000), ("right", 5_000), ("l", 12_000), ("l", 12_000),
            ("g", 1_000), ("left", 1_000), ("G", 12_000), ("home", 1_000), ("end", 12_000),
        ):  # fmt: skip
            assert f"θ of {at:,} " in await answered(pilot, key)


async def test_a_visited_checkpoint_is_not_asked_again_and_shows_the_same() -> None:
    session = RecordingSession()
    async with in_time_machine(session) as (pilot, page):
        before = drawn(page, "after")
        await answered(pilot, "left", "left", "right", "right")
        assert session.visited == [path(12_000), path(5_000), path(2_000)]
        assert drawn(page, "after") == before


async def test_axes_stay_put_from_checkpoint_to_checkpoint() -> None:
    async with in_time_machine() as (pilot, page):
        axes = []
        for key in ("g", "right", "right", "right"):
            await answered(pilot, key)
            plots = [page.query_one(f"#{name}", Chart).plot for name in ("wave", "history")]
            axes.append([(plot.x, plot.y) for plot in plots if plot])
        assert all(one == axes[0] for one in axes)


async def test_the_mark_in_the_history_moves_along() -> None:
    async with in_time_machine() as (pilot, page):
        await answered(pilot, "left")
        assert drawn(page, "chosen", "history").x == (5_000,)


@pytest.mark.parametrize("keys", [("down", "up"), ("j", "k"), ("up", "down")])
async def test_up_and_down_change_the_run_and_keep_the_place_in_each(
    keys: tuple[str, str],
) -> None:
    session = RecordingSession()
    async with in_time_machine(session) as (pilot, _):
        await answered(pilot, "left", keys[0])
        assert session.visited[-1] == path(12_000, REPTILE)
        assert "θ of 5,000 " in await answered(pilot, keys[1])


async def test_checkpoints_evaluations_and_runs_answer_to_a_click() -> None:
    session = RecordingSession()
    async with in_time_machine(session, (120, 40)) as (pilot, page):
        await pilot.click("#list", offset=(5, 2))
        assert "θ of 2,000 " in await answered(pilot)
        rows = page.query_one("#list", Lines)._lines
        at = next(y for y, row in enumerate(rows) if plain(row).startswith("▸       2,000   "))
        await pilot.click("#list", offset=(5, at + 1))
        assert "evaluation 6 of 24, iteration 2,500" in await answered(pilot)
        await pilot.click("#head", offset=(10, 0))
        await answered(pilot)
        assert session.visited[-1] == path(12_000, REPTILE)


@pytest.mark.parametrize(("key", "name"), list(zip("123456", PRESETS, strict=True)))
async def test_a_preset_is_a_key_away(key: str, name: str) -> None:
    async with in_time_machine() as (pilot, page):
        await answered(pilot, key)
        task = draw_preset(name, 0, 0, SineTasks())  # type: ignore[arg-type]
        assert drawn(page, "support").x == task.support_x
        await answered(pilot, "n")
        following = draw_preset(name, 1, 0, SineTasks())  # type: ignore[arg-type]
        assert drawn(page, "support").x == following.support_x


async def test_the_timeline_of_a_narrow_terminal_answers_to_a_click() -> None:
    async with in_time_machine() as (pilot, page):
        at = plain(page.query_one("#timeline", Lines)._lines[0]).index("2,000")
        await pilot.click("#timeline", offset=(at, 0))
        assert "θ of 2,000 " in await answered(pilot)


# Through the evaluations.


async def test_the_evaluations_are_visited_each_with_its_own_task() -> None:
    async with in_time_machine(size=(120, 40)) as (pilot, page):
        seen = await answered(pilot, "E")
        assert "evaluation 24 of 24, iteration 11,500; nearest θ: 12,000" in seen
        assert "θ of 12,000 " in seen
        assert "E checkpoints" in seen
        assert drawn(page, "chosen", "history").x == (11_500,)
        seen = await answered(pilot, "left", "h", "right")
        assert "evaluation 23 of 24, iteration 11,000" in seen
        task = draw_task(SineTasks(), 0, PROBES["validation"], 11_000)
        assert drawn(page, "support").x == tuple(task.support_x)
        assert "evaluation 1 of 24, iteration 0" in await answered(pilot, "g")
        assert "evaluation 24 of 24" in await answered(pilot, "G")


async def test_the_task_of_an_evaluation_is_kept_for_the_checkpoints() -> None:
    session = RecordingSession()
    async with in_time_machine(session) as (pilot, page):
        await answered(pilot, "E", "left")
        points = drawn(page, "support")
        seen = await answered(pilot, "E", "left")
        assert "checkpoint 3 of 4, iteration 5,000" in seen
        assert drawn(page, "support") == points
        assert [one.task for one in session.adapting[-2:]] == [session.adapting[-1].task] * 2


async def test_an_evaluation_adapted_again_reaches_the_loss_of_its_time() -> None:
    task = draw_task(SineTasks(), 0, PROBES["validation"], 12_000)
    config = RunConfig(algorithm=ALGORITHMS["fomaml"]())
    theta = load_checkpoint(Path(path(12_000))).state.theta
    again = few_shot(make_engine(config), theta, config.tasks, task, 32, 0.02).losses[0]
    events = [evaluated(12_000, float(again[0]), float(again[-1]))]
    make_run(FOMAML.parent / "other", events, config)
    (FOMAML.parent / "other" / "events.jsonl").replace(FOMAML / "events.jsonl")
    async with in_time_machine() as (pilot, _):
        seen = await answered(pilot, "E")
        assert f"logged {loss(again[0])} → {loss(again[-1])}" in seen
        assert f"loss {loss(again[-1])} at step 32 of 32 ({loss(again[0])} before)" in seen


async def test_tab_reports_that_there_are_no_evaluations() -> None:
    (FOMAML / "events.jsonl").write_text("")
    async with in_time_machine() as (pilot, _):
        assert "no evaluation yet" in await answered(pilot, "E")


# Through time at one look.


async def test_a_large_terminal_has_the_same_task_by_several_checkpoints() -> None:
    session = RecordingSession()
    async with in_time_machine(session, (200, 60)) as (pilot, page):
        await answered(pilot, *[""] * 4)
        seen = await answered(pilot, "comma")
        assert sorted(session.visited) == [path(one) for one in CHECKPOINTS]
        config = RunConfig(algorithm=ALGORITHMS["fomaml"]())
        given = draw_preset("standard", 0, 0, SineTasks())
        task = explicit_task(given)
        for index, iteration in enumerate(CHECKPOINTS):
            theta = load_checkpoint(Path(path(iteration))).state.theta
            engine, lr = make_engine(config), config.algorithm.inner_lr
            found = few_shot(engine, theta, config.tasks, task, 32, lr, every_step=True)
            assert drawn(page, "after", f"strip-{index}").y == tuple(found.predictions[0, 31, :, 0])
            mark = "▸" if iteration == 12_000 else " "
            assert f"{mark}θ of {iteration:,} · {loss(found.losses[0][31])}" in seen
            through = drawn(page, "at step 31", "through-time")
            assert 10 ** through.y[index] == pytest.approx(found.losses[0][31])
        assert "this task, by checkpoint" in seen


async def test_steps_are_looked_up() -> None:
    session = RecordingSession()
    async with in_time_machine(session) as (pilot, page):
        asked, last = len(session.asked), drawn(page, "after")
        assert "at step 31 of 32" in await answered(pilot, "comma")
        assert drawn(page, "after") != last
        assert "at step 32 of 32" in await answered(pilot, "full_stop")
        assert drawn(page, "after") == last
        assert len(session.asked) == asked


async def test_new_checkpoints_are_found_while_the_run_trains() -> None:
    session = RecordingSession()
    async with in_time_machine(session) as (pilot, page):
        saved = load_checkpoint(Path(path(12_000)))
        state = dataclasses.replace(saved.state, iteration=20_000)
        save_checkpoint(FOMAML, Checkpoint(saved.config, state, 50_000, 1.0, (), "auto"))
        recalls = sum(isinstance(one, ReadHistory) for one in session.asked)
        for _ in range(2 * RECALL_TICKS):
            page.tick()
        await answered(pilot)
        assert sum(isinstance(one, ReadHistory) for one in session.asked) == recalls
        session.change("fomaml-1", iteration=20_100)
        pilot.app.watch_screen.tick()
        for _ in range(RECALL_TICKS):
            page.tick()
        assert "checkpoint 5 of 5, iteration 20,000" in await answered(pilot)


async def test_a_checkpoint_that_is_gone_is_a_message_and_leaves_the_list() -> None:
    async with in_time_machine() as (pilot, _):
        Path(path(5_000)).unlink()
        seen = await answered(pilot, "left")
        assert "000005000.safetensors: " in seen
        assert "checkpoint 2 of 3, iteration 2,000" in seen


@pytest.mark.parametrize(("gone", "stays"), [(12_000, True), (5_000, False)])
async def test_only_a_problem_with_the_chosen_checkpoint_stays(gone: int, stays: bool) -> None:
    async with in_time_machine(size=(200, 60)) as (pilot, page):
        Path(path(gone)).unlink()
        assert f"{gone:09d}.safetensors: " in await answered(pilot, "n")
        page.show_message("a line of no weight")
        assert (f"{gone:09d}.safetensors: " in await answered(pilot)) is stays


async def test_a_run_without_checkpoints_is_reported() -> None:
    for iteration in CHECKPOINTS:
        Path(path(iteration)).unlink()
    async with in_time_machine() as (pilot, _):
        seen = text(pilot)
        assert "no checkpoint yet" in seen
        assert "no checkpoint" in await answered(pilot, "left", "g", "comma", "2")
        assert "θ of 12,000" in await answered(pilot, "down")
        assert "θ of 12,000" not in await answered(pilot, "up")


async def test_loading_runs_are_not_asked() -> None:
    session = RecordingSession()
    session.start = lambda: None  # type: ignore[method-assign]
    async with in_time_machine(session) as (pilot, _):
        assert "reading…" in await answered(pilot, "left", "n", "down")
        assert not session.asked


async def test_runs_that_start_meanwhile_are_found() -> None:
    session = RecordingSession()
    start, session.start = session.start, lambda: None  # type: ignore[method-assign]
    async with in_time_machine(session) as (pilot, page):
        start()
        pilot.app.watch_screen.tick()
        for _ in range(RECALL_TICKS):
            page.tick()
        assert "θ of 12,000" in await answered(pilot)


async def test_new_runs_replace_the_old_ones() -> None:
    session = RecordingSession()
    async with in_time_machine(session) as (pilot, page):
        for folder in (FOMAML, REPTILE):
            folder.rename(folder.with_name(folder.name.replace("-1", "-2")))
        session.restart()
        session.start()
        pilot.app.watch_screen.tick()
        page.tick()
        await answered(pilot)
        assert session.visited[-1] == path(12_000, FOMAML.with_name("fomaml-2"))


async def test_a_small_terminal_has_one_chart_at_a_time() -> None:
    async with in_time_machine(size=(60, 15)) as (pilot, page):
        assert page.query_one("#wave").size.height >= 7
        assert "loss on random tasks" not in text(pilot)
        seen = await answered(pilot, "o")
        assert "loss on random tasks" in seen
        assert "θ of" not in seen
        assert "θ of" in await answered(pilot, "o")


async def test_o_reports_that_both_charts_are_shown_in_larger_terminals() -> None:
    async with in_time_machine() as (pilot, _):
        assert "both charts are shown" in await answered(pilot, "o")


async def test_a_tiny_terminal_shows_the_size_it_needs() -> None:
    async with in_time_machine(size=(39, 9)) as (pilot, _):
        assert "please enlarge 40x10" in text(pilot)


async def test_a_read_only_client_moves_through_time() -> None:
    session = RecordingSession(connection=Connection(id="abc", read_only=True))
    async with in_time_machine(session) as (pilot, _):
        assert "θ of 5,000 " in await answered(pilot, "left")
        assert not session.sent


async def test_a_hidden_time_machine_asks_nothing_and_paints_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = RecordingSession()
    async with in_time_machine(session) as (pilot, page):
        await answered(pilot, "escape")
        asked = len(session.asked)
        monkeypatch.setattr(page, "show", lambda: pytest.fail("painted"))
        session.change("fomaml-1", iteration=20_000)
        for _ in range(2 * RECALL_TICKS):
            page.tick()
        await answered(pilot)
        assert len(session.asked) == asked
