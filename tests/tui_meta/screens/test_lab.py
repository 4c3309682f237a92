"""The Lab by its keys and the mouse: a task under the hands, and every theta's answer to it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from core.algorithms.registry import ALGORITHMS
from core.analysis.lab_tasks import draw_preset
from core.analysis.questions import ExplicitTask
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import untrained
from core.errors import ConfigError
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PRESETS
from core.tasks.sine import SineTasks
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.lab_page import chart, cursor, drawn, in_lab, points
from tests.support.dashboard.pages import SIZES, shown
from tests.support.dashboard.pictures import picture
from tests.support.dashboard.recording_session import RecordingSession
from tests.support.dashboard.saved_runs import answered
from tests.support.waves import explicit_task
from tui_meta.app.application import TuiMetaApp
from tui_meta.screens.dialogs.type_in import TypeIn
from tui_meta.screens.lab.screen import FOLLOW_TICKS, LabPage
from tui_meta.views.lab.settings import RANDOM
from tui_meta.views.numbers import loss
from tui_meta.widgets.chart import Chart

STANDARD = draw_preset("standard", 0, 0, SineTasks())

pytestmark = pytest.mark.usefixtures("saved_runs", "no_timers")


# What is shown.


@pytest.mark.parametrize("size", SIZES)
async def test_what_matters_is_on_the_screen_at_every_size(size: tuple[int, int]) -> None:
    async with in_lab(size=size) as (pilot, _):
        text = shown(pilot)
        for name in PRESETS:
            assert name.replace("-", " ") in text
        for part in (
            "amplitude 4.00", "phase 1.00", "points 10", "from whole range", "noise 0", "steps 32",
            "inner lr own", "task 1", "step 32 of 32", "loss per step",
            "12,300 (live)", "18,700 (live)", "untrained", "esc back", "? help", "enter: type",
        ):  # fmt: skip
            assert part in text


@pytest.mark.parametrize(
    ("keys", "step"), [([], 32), (["comma"], 31), (["g"], 0), (["g", *["full_stop"] * 5], 5)]
)
async def test_its_numbers_equal_few_shot_at_every_step(keys: list[str], step: int) -> None:
    async with in_lab() as (pilot, page):
        text = await answered(pilot, *keys)
        for name in ("fomaml", "reptile"):
            config = RunConfig(algorithm=ALGORITHMS[name](), engine="fused")
            task = explicit_task(STANDARD)
            theta = untrained(config).theta
            expected = few_shot(
                make_engine(config), theta, config.tasks, task, 32, config.algorithm.inner_lr,
                every_step=True,
            )  # fmt: skip
            title = config.algorithm.title
            assert drawn(page, title).y == tuple(expected.predictions[0, step, :, 0].tolist())
            losses = [10**exponent for exponent in drawn(page, title, "losses").y]
            assert losses == pytest.approx(expected.losses[0].tolist(), rel=1e-12)
            numbers = [loss(expected.losses[0][at]) for at in (0, step, 32)]
            row = next(
                line for line in text.splitlines() if f" {title} " in line and "live" in line
            )
            assert row.split()[2:5] == numbers


async def test_stepping_back_and_forth_lands_on_the_same_bits_without_asking() -> None:
    session = RecordingSession()
    async with in_lab(session) as (pilot, page):
        asked = len(session.asked)
        start = chart(page)
        axes = [page.query_one(f"#{name}", Chart).plot for name in ("waves", "losses")]
        text = await answered(pilot, "comma", "comma")
        assert "step 30 of 32" in text
        assert chart(page) != start
        for name, before in zip(("waves", "losses"), axes, strict=True):
            plot = page.query_one(f"#{name}", Chart).plot
            assert plot is not None
            assert before is not None
            assert (plot.x, plot.y) == (before.x, before.y)
        assert "step 0 of 32" in await answered(pilot, "g")
        assert "step 0 of 32" in await answered(pilot, "comma")
        assert "step 1 of 32" in await answered(pilot, "full_stop")
        assert "step 32 of 32" in await answered(pilot, "G", "full_stop")
        assert chart(page) == start
        assert len(session.asked) == asked


async def test_a_small_terminal_has_one_chart_at_a_time() -> None:
    async with in_lab(size=(60, 15)) as (pilot, page):
        text = shown(pilot)
        assert "step 32 of 32" in text
        assert "loss per step" not in text
        assert page.query_one("#waves").size.height >= 7
        text = await answered(pilot, "o")
        assert "loss per step" in text
        assert "step 32 of 32" not in text
        assert "step 32 of 32" in await answered(pilot, "o")


async def test_o_reports_that_both_charts_are_shown() -> None:
    async with in_lab() as (pilot, _):
        assert "both charts are shown" in await answered(pilot, "o")


async def test_a_tiny_terminal_shows_the_size_it_needs() -> None:
    async with in_lab(size=(39, 9)) as (pilot, _):
        assert "please enlarge 40x10" in shown(pilot)


async def test_a_large_terminal_has_a_chart_for_each_theta() -> None:
    async with in_lab(size=(200, 60)) as (_, page):
        assert drawn(page, "before", "theta-1").y
        assert page.query_one("#theta-2").size.width > 50


# Tasks.


@pytest.mark.parametrize(("key", "name"), list(zip("123456", PRESETS, strict=True)))
async def test_a_preset_is_a_key_away(key: str, name: str) -> None:
    async with in_lab() as (pilot, page):
        text = await answered(pilot, key)
        task = draw_preset(name, 0, 0, SineTasks())  # type: ignore[arg-type]
        assert points(page) == list(zip(task.support_x, task.support_y, strict=True))
        assert "task 1" in text
        assert " …" not in text
        assert "task 2" in await answered(pilot, "n")
        assert points(page) != list(zip(task.support_x, task.support_y, strict=True))


async def test_presets_are_drawn_from_the_waves_of_the_runs() -> None:
    session = FakeSession()
    waves = SineTasks(amplitude=(20.0, 30.0), x=(0.0, 1.0))
    for run in session.snapshots():
        config = session.snapshots()[run].config
        session.change(run, config={**config, "waves": msgspec.to_builtins(waves)})
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "5")
        task = draw_preset("one-point", 0, 0, waves)
        assert points(page) == [(task.support_x[0], task.support_y[0])]


@pytest.mark.parametrize(
    ("tabs", "more", "less"),
    [
        (0, "amplitude 4.50", "amplitude 4.00"),
        (1, "phase 1.25", "phase 1.00"),
        (2, "points 11", "points 10"),
        (3, "from right half", "from whole range"),
        (4, "noise 0.1", "noise 0 "),
        (5, "steps 33", "steps 32"),
        (6, "inner lr 0.05", "inner lr 0.02"),
    ],
)
async def test_every_setting_has_more_and_less(tabs: int, more: str, less: str) -> None:
    session = RecordingSession()
    async with in_lab(session) as (pilot, _):
        await answered(pilot, *["tab"] * tabs)
        asked = len(session.adapting)
        assert more in await answered(pilot, "plus")
        assert less in await answered(pilot, "minus")
        # All of them the same, and each of them once: more, and less.
        tasks = [(one.task, one.updates, one.lr) for one in session.adapting[asked:]]
        assert len(tasks) == 6
        assert len(set(tasks)) == 2


async def test_a_wrong_value_shows_a_line_and_keeps_the_text() -> None:
    async with in_lab() as (pilot, page):
        text = await answered(pilot, "enter")
        assert isinstance(pilot.app.screen, TypeIn)
        assert "amplitude" in text
        assert "a number" in text
        text = await answered(pilot, *"tall", "enter")
        assert "amplitude: must be a number, got 'tall'" in text
        assert isinstance(pilot.app.screen, TypeIn)
        await answered(pilot, *["backspace"] * 4, *"2.5", "enter")
        assert pilot.app.screen is page
        assert "amplitude 2.50" in shown(pilot)
        assert max(drawn(page, "true").y) == pytest.approx(2.5, abs=0.01)


async def test_keys_that_arrive_at_once_all_take_effect() -> None:
    async with in_lab() as (pilot, _):
        await answered(pilot, "tab", "tab", "enter")
        for key in ("4", "2", "enter"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        assert "points 42" in await answered(pilot)


async def test_a_wrong_value_is_refused_however_soon_it_is_entered() -> None:
    async with in_lab() as (pilot, _):
        asked: TypeIn[str] = TypeIn("amplitude", "1", "a number", refuse)
        pilot.app.push_screen(asked)
        await asked_field(pilot, asked)
        pilot.app.post_message(events.Key("enter", None))
        assert "amplitude: another" in await answered(pilot)


def refuse(text: str) -> str:
    raise ConfigError("amplitude", text, "another")


async def asked_field(pilot: Pilot[None], asked: TypeIn[str]) -> Input:
    """The field, as soon as there is one."""
    while not asked.query(Input):
        await asyncio.sleep(0)
    return asked.query_one(Input)


async def test_keys_that_edit_keep_their_place_among_those_that_arrive_at_once() -> None:
    async with in_lab() as (pilot, _):
        await answered(pilot, "enter")
        for key in (*["backspace"] * 4, *"27", "left", "backspace", "end", *".5", "enter"):
            named = {".": "full_stop"}.get(key, key)
            pilot.app.post_message(events.Key(named, key if len(key) == 1 else None))
        # The keys are handled one by one, and a busy machine takes its time.
        while isinstance(pilot.app.screen, TypeIn):
            await pilot.pause(0.01)
        assert "amplitude 7.50" in await answered(pilot)


async def test_escape_leaves_the_value_as_it_was_and_the_cursor_does_not_blink() -> None:
    async with in_lab() as (pilot, page):
        await answered(pilot, "tab", "enter")
        field = pilot.app.focused
        assert getattr(field, "cursor_blink", True) is False
        await answered(pilot, "9", "ctrl+c", "escape")
        assert pilot.app.screen is page
        assert "phase 1.00" in shown(pilot)


async def test_an_impossible_edit_shows_a_message_and_changes_nothing() -> None:
    async with in_lab() as (pilot, page):
        await answered(pilot, "5")
        before = points(page)
        assert "must be at least 1" in await answered(pilot, "D")
        assert points(page) == before


async def test_settings_and_presets_answer_to_a_click() -> None:
    async with in_lab() as (pilot, _):
        await pilot.click("#head", offset=(15, 0))
        assert "points 5" in await answered(pilot)
        await pilot.click("#head", offset=(20, 1))
        assert "▸phase" in await answered(pilot)
        await pilot.click("#table", offset=(50, 2))
        assert "▸iteration" in await answered(pilot)


# Points under the cursor.


@pytest.mark.parametrize(
    ("keys", "sign"),
    [
        (("left", "h"), (-1, 0)),
        (("right", "l"), (1, 0)),
        (("up", "k"), (0, 1)),
        (("down", "j"), (0, -1)),
    ],
)
async def test_arrows_and_hjkl_move_the_cursor(
    keys: tuple[str, str], sign: tuple[int, int]
) -> None:
    async with in_lab() as (pilot, page):
        for count, key in enumerate(keys, 1):
            await answered(pilot, key)
            assert cursor(page) == pytest.approx((0.2 * count * sign[0], 0.5 * count * sign[1]))


async def test_points_are_placed_carried_and_deleted_by_keys() -> None:
    async with in_lab() as (pilot, page):
        text = await answered(pilot, "up", "A")
        assert points(page)[-1] == (0.0, 0.5)
        assert "points 11" in text
        assert "edited" in text
        text = await answered(pilot, "H", "right", "up")
        assert points(page)[-1] == pytest.approx((0.2, 1.0))
        assert "grabbed at 0.20, 1.00" in text
        await answered(pilot, "H", "left")
        assert points(page)[-1] == pytest.approx((0.2, 1.0))
        await answered(pilot, "D")
        assert points(page) == list(zip(STANDARD.support_x, STANDARD.support_y, strict=True))


async def test_points_are_placed_carried_and_deleted_by_the_mouse() -> None:
    async with in_lab() as (pilot, page):
        await pilot.mouse_down("#waves", offset=(20, 4))
        await answered(pilot)
        placed = points(page)[-1]
        assert len(points(page)) == 11
        await pilot.hover("#waves", offset=(30, 9))
        await answered(pilot)
        carried = points(page)[-1]
        assert carried[0] > placed[0]
        assert carried[1] < placed[1]
        await pilot.mouse_up("#waves", offset=(30, 9))
        await pilot.hover("#waves", offset=(10, 5))
        await answered(pilot)
        assert points(page)[-1] == carried
        await pilot._post_mouse_events([events.MouseDown], "#waves", offset=(30, 9), button=3)
        await answered(pilot)
        assert points(page) == list(zip(STANDARD.support_x, STANDARD.support_y, strict=True))


async def test_a_press_on_the_frame_places_nothing() -> None:
    async with in_lab() as (pilot, page):
        for offset in ((20, 0), (1, 5), (20, 1)):
            await pilot.click("#waves", offset=offset)
        await answered(pilot)
        assert len(points(page)) == 10


# Slow motion, and a hidden screen.


async def test_r_plays_from_the_beginning_to_the_end_and_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with in_lab() as (pilot, page):
        monkeypatch.setattr(page._player, "resume", lambda: None)
        text = await answered(pilot, "P")
        assert "step 0 of 32" in text
        assert "playing" in text
        for step in range(1, 32):
            page._play_on()
            assert drawn_step(page) == step
        page._play_on()
        assert drawn_step(page) == 32
        assert "playing" not in await answered(pilot)


async def test_r_pauses_and_continues_the_slow_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    async with in_lab() as (pilot, page):
        monkeypatch.setattr(page._player, "resume", lambda: None)
        await answered(pilot, "P")
        page._play_on()
        text = await answered(pilot, "P")
        assert "step 1 of 32" in text
        assert "playing" not in text
        assert "step 1 of 32" in await answered(pilot, "P")


@pytest.mark.parametrize("key", ["comma", "escape", "question_mark"])
async def test_stepping_and_opening_another_screen_stop_the_slow_motion(key: str) -> None:
    async with in_lab() as (pilot, page):
        await answered(pilot, "P", key)
        assert not page._playing


async def test_a_hidden_lab_asks_nothing_and_paints_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = RecordingSession()
    async with in_lab(session) as (pilot, page):
        await answered(pilot, "escape")
        asked = len(session.asked)
        monkeypatch.setattr(page, "show", lambda: pytest.fail("painted"))
        session.change("reptile-1", iteration=20_000)
        for _ in range(2 * FOLLOW_TICKS):
            page.tick()
        page.open_task(ExplicitTask((1.0, 0.0), (0.5,), (0.5,)), 4)
        await answered(pilot)
        assert len(session.asked) == asked


async def test_a_task_from_the_battery_is_shown_when_the_lab_opens() -> None:
    async with in_lab() as (pilot, page):
        await answered(pilot, "escape")
        page.open_task(ExplicitTask((1.0, 0.0), (0.5,), (0.25,)), 4)
        text = await answered(pilot, "a")
        assert points(page) == [(0.5, 0.25)]
        assert "step 4 of 4" in text


async def test_the_watch_screen_below_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    async with in_lab(session) as (pilot, _):
        app = pilot.app
        assert isinstance(app, TuiMetaApp)
        watch_screen = app.watch_screen
        monkeypatch.setattr(watch_screen, "paint_messages", lambda: pytest.fail("painted"))
        session.change("fomaml-1", iteration=30_000)
        for _ in range(30):
            watch_screen.tick()
        watch_screen.paint()


async def test_nothing_is_painted_when_nothing_changes() -> None:
    async with in_lab(size=(120, 40)) as (pilot, page):
        painted: list[object] = []
        refresh = page._compositor.render_update
        page._compositor.render_update = (  # type: ignore[method-assign]
            lambda *args, **options: (painted.append(args), refresh(*args, **options))[1]
        )
        for _ in range(2 * FOLLOW_TICKS):
            page.tick()
            await answered(pilot)
        assert not painted


async def test_typing(text_snapshot: SnapshotAssertion) -> None:
    async with in_lab(size=(80, 24)) as (pilot, _):
        await answered(pilot, "enter", *"tall", "enter")
        assert picture(pilot) == text_snapshot


def drawn_step(page: LabPage) -> int:
    """The step that the losses mark."""
    return int(chart(page, "losses")[-1].x[0])


def test_the_random_theta_is_not_a_run() -> None:
    assert " " in RANDOM
