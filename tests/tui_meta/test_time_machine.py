"""The time machine by its keys: every checkpoint of a run adapts to the same task."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from core.adaptation import FewShotTask, few_shot
from core.algorithms import ALGORITHMS
from core.bench.answers import AnyAnswer
from core.bench.presets import PRESETS, draw_preset
from core.bench.questions import Adapt, AnyQuestion, Recall, Saved
from core.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from core.config import RunConfig, SineTasks
from core.engines import make_engine
from core.session import Connection
from core.tasks import SineWave
from tests.tui_meta.checkpoints import CHECKPOINTS, answered, make_folders
from tests.tui_meta.fake_session import FakeSession
from tests.tui_meta.test_dashboard import SIZES, settle, shown
from tui_meta.app import TuiMetaApp
from tui_meta.screens.help import Help
from tui_meta.screens.time_machine import RECALL_TICKS, TimeMachinePage
from tui_meta.views.plot import Series
from tui_meta.widgets.chart import Chart

FOMAML, REPTILE = Path("checkpoints/fomaml-1"), Path("checkpoints/reptile-1")


class Noting(FakeSession):
    """Notes what is asked of it."""

    def ask(self, question: AnyQuestion, *args: object, **options: object) -> AnyAnswer:
        self.asked.append(question)
        return super().ask(question, *args, **options)  # type: ignore[arg-type]

    @property
    def asked(self) -> list[AnyQuestion]:
        return self.__dict__.setdefault("questions", [])

    @property
    def visited(self) -> list[str]:
        """The checkpoints that were asked to adapt."""
        sources = [one.source for one in self.asked if isinstance(one, Adapt)]
        return [one.path for one in sources if isinstance(one, Saved)]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tui_meta.screens.page.TICK_SECONDS", 3_600)


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
    return shown(pilot.app)  # type: ignore[arg-type]


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
            assert f"{iteration:,}  {kind}" in seen
        for part in (
            "FOMAML", "Reptile", "checkpoint 4 of 4, iteration 12,000", "θ of 12,000", "best",
            "loss after adaptation", "at step 32 of 32", "esc back", "? help",
        ):  # fmt: skip
            assert part in seen
        assert drawn(page, "chosen", "history").x == (11_500,)


async def test_the_prediction_is_that_of_few_shot() -> None:
    async with in_time_machine() as (pilot, page):
        await answered(pilot, "left")
        config = RunConfig(algorithm=ALGORITHMS["fomaml"]())
        theta = load_checkpoint(Path(path(5_000))).state.theta
        given = draw_preset("standard", 0, 0, SineTasks())
        wave = SineWave(given.amplitude, given.phase)
        task = FewShotTask(wave, np.array(given.support_x), np.array(given.support_y))
        expected = few_shot(
            make_engine(config), theta, config.waves, task, 32, config.algorithm.inner_lr,
            every_step=True,
        )  # fmt: skip
        assert drawn(page, "before").y == tuple(expected.predictions[0][0].tolist())
        assert drawn(page, "after").y == tuple(expected.predictions[0][-1].tolist())


async def test_keys_move_among_the_checkpoints_and_stay_at_the_ends() -> None:
    async with in_time_machine() as (pilot, _):
        for key, at in (
            ("left", 5_000), ("h", 2_000), ("right", 5_000), ("l", 12_000), ("l", 12_000),
            ("g", 1_000), ("left", 1_000), ("G", 12_000), ("home", 1_000), ("end", 12_000),
        ):  # fmt: skip
            assert f"θ of {at:,} " in await answered(pilot, key)


async def test_a_visited_checkpoint_is_not_asked_again_and_shows_the_same() -> None:
    session = Noting()
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


async def test_the_mark_in_the_history_goes_along() -> None:
    async with in_time_machine() as (pilot, page):
        await answered(pilot, "left")
        assert drawn(page, "chosen", "history").x == (5_000,)


@pytest.mark.parametrize("keys", [("down", "up"), ("j", "k"), ("up", "down")])
async def test_up_and_down_change_the_run_and_keep_the_place_in_each(
    keys: tuple[str, str],
) -> None:
    session = Noting()
    async with in_time_machine(session) as (pilot, _):
        await answered(pilot, "left", keys[0])
        assert session.visited[-1] == path(12_000, REPTILE)
        assert "θ of 5,000 " in await answered(pilot, keys[1])


async def test_checkpoints_and_runs_answer_to_a_click() -> None:
    session = Noting()
    async with in_time_machine(session) as (pilot, _):
        await pilot.click("#list", offset=(5, 2))
        assert "θ of 2,000 " in await answered(pilot)
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


async def test_steps_are_looked_up() -> None:
    session = Noting()
    async with in_time_machine(session) as (pilot, page):
        asked, last = len(session.asked), drawn(page, "after")
        assert "at step 31 of 32" in await answered(pilot, "comma")
        assert drawn(page, "after") != last
        assert "at step 32 of 32" in await answered(pilot, "full_stop")
        assert drawn(page, "after") == last
        assert len(session.asked) == asked


async def test_new_checkpoints_are_found_while_the_run_trains() -> None:
    session = Noting()
    async with in_time_machine(session) as (pilot, page):
        saved = load_checkpoint(Path(path(12_000)))
        state = dataclasses.replace(saved.state, iteration=20_000)
        save_checkpoint(FOMAML, Checkpoint(saved.config, state, 50_000, 1.0, (), "auto"))
        recalls = sum(isinstance(one, Recall) for one in session.asked)
        for _ in range(2 * RECALL_TICKS):
            page.tick()
        await answered(pilot)
        assert sum(isinstance(one, Recall) for one in session.asked) == recalls
        session.change("fomaml-1", iteration=20_100)
        page.watch_screen.tick()
        for _ in range(RECALL_TICKS):
            page.tick()
        assert "checkpoint 5 of 5, iteration 20,000" in await answered(pilot)


async def test_a_checkpoint_that_is_gone_is_a_message_and_leaves_the_list() -> None:
    async with in_time_machine() as (pilot, _):
        Path(path(5_000)).unlink()
        seen = await answered(pilot, "left")
        assert "000005000.safetensors: " in seen
        assert "checkpoint 2 of 3, iteration 2,000" in seen


async def test_a_run_without_checkpoints_says_so() -> None:
    for iteration in CHECKPOINTS:
        Path(path(iteration)).unlink()
    async with in_time_machine() as (pilot, _):
        seen = text(pilot)
        assert "there is no checkpoint yet" in seen
        assert "no checkpoint" in await answered(pilot, "left", "g", "comma", "2")
        assert "θ of 12,000" in await answered(pilot, "down")
        assert "θ of 12,000" not in await answered(pilot, "up")


async def test_runs_that_have_not_begun_are_not_asked() -> None:
    session = Noting()
    session.start = lambda: None  # type: ignore[method-assign]
    async with in_time_machine(session) as (pilot, _):
        assert "looking…" in await answered(pilot, "left", "n", "down")
        assert not session.asked


async def test_runs_that_begin_while_one_looks_are_found() -> None:
    session = Noting()
    start, session.start = session.start, lambda: None  # type: ignore[method-assign]
    async with in_time_machine(session) as (pilot, page):
        start()
        page.watch_screen.tick()
        for _ in range(RECALL_TICKS):
            page.tick()
        assert "θ of 12,000" in await answered(pilot)


async def test_fresh_runs_take_the_place_of_the_old_ones() -> None:
    session = Noting()
    async with in_time_machine(session) as (pilot, page):
        for folder in (FOMAML, REPTILE):
            folder.rename(folder.with_name(folder.name.replace("-1", "-2")))
        session.fresh()
        session.start()
        page.watch_screen.tick()
        page.tick()
        await answered(pilot)
        assert session.visited[-1] == path(12_000, FOMAML.with_name("fomaml-2"))


async def test_a_small_terminal_has_one_chart_at_a_time() -> None:
    async with in_time_machine(size=(60, 15)) as (pilot, page):
        assert page.query_one("#wave").size.height >= 7
        assert "loss after adaptation" not in text(pilot)
        seen = await answered(pilot, "o")
        assert "loss after adaptation" in seen
        assert "θ of" not in seen
        assert "θ of" in await answered(pilot, "o")


async def test_elsewhere_o_says_that_both_are_there() -> None:
    async with in_time_machine() as (pilot, _):
        assert "both charts are on the screen" in await answered(pilot, "o")


async def test_a_tiny_terminal_says_what_it_needs() -> None:
    async with in_time_machine(size=(39, 9)) as (pilot, _):
        assert "please enlarge 40x10" in text(pilot)


async def test_a_face_that_may_only_look_moves_through_time() -> None:
    session = Noting(connection=Connection(id="abc", read_only=True))
    async with in_time_machine(session) as (pilot, _):
        assert "θ of 5,000 " in await answered(pilot, "left")
        assert not session.sent


async def test_a_hidden_time_machine_asks_nothing_and_paints_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Noting()
    async with in_time_machine(session) as (pilot, page):
        await answered(pilot, "escape")
        asked = len(session.asked)
        monkeypatch.setattr(page, "_show", lambda: pytest.fail("painted"))
        session.change("fomaml-1", iteration=20_000)
        for _ in range(2 * RECALL_TICKS):
            page.tick()
        await answered(pilot)
        assert len(session.asked) == asked


async def test_every_key_is_in_the_help() -> None:
    async with in_time_machine(size=(120, 60)) as (pilot, page):
        bound = {active.binding for active in page.active_bindings.values()}
        seen = await answered(pilot, "question_mark")
        assert isinstance(pilot.app.screen, Help)
        for binding in bound:
            assert f"┃ {binding.key_display} " in seen
            assert binding.tooltip
