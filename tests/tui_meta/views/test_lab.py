"""The Lab without a terminal: what each key makes of its state, and what is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.answers import Adapted
from core.analysis.lab_tasks import draw_preset
from core.analysis.questions import ExplicitTask
from core.errors import ConfigError
from core.evaluation.few_shot_tasks import PRESETS, PresetName
from core.tasks.sine import SineTasks
from tests.support.dashboard.answers import SOURCES, TITLES, adapted, surveyed
from tui_meta.views.lab import state as lab
from tui_meta.views.lab.charts import LabCharts
from tui_meta.views.lab.state import LabState
from tui_meta.views.plots.plot import Series

START = lab.begin(SineTasks())


def asked(state: LabState) -> dict[str, Adapted]:
    return {title: adapted(one) for title, one in lab.questions(state, SOURCES).items()}


def off_the_wave(task: ExplicitTask) -> np.ndarray:
    x = np.array(task.support_x)
    amplitude, phase = task.parameters
    return np.array(task.support_y) - amplitude * np.sin(x + phase)


def points(state: LabState) -> list[tuple[float, float]]:
    return list(zip(state.task.support_x, state.task.support_y, strict=True))


def of(label: str, series: tuple[Series, ...]) -> Series:
    return next(one for one in series if one.label == label)


# The task.


def test_the_lab_begins_with_the_standard_task_fully_adapted() -> None:
    assert START.task == draw_preset("standard", 0, 0, SineTasks())
    assert (START.updates, START.step) == (32, 32)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_sets_task_and_updates(preset: PresetName) -> None:
    state = lab.choose(START, preset)
    assert state.task == draw_preset(preset, 0, 0, SineTasks())
    assert state.updates == state.step == PRESETS[preset].steps


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_next_task_is_of_the_same_preset(preset: PresetName) -> None:
    state = lab.another(lab.choose(START, preset))
    assert state.task == draw_preset(preset, 1, 0, SineTasks())


def test_the_next_task_of_drawn_points_has_other_points_of_the_same_wave() -> None:
    state = lab.with_points(START, 7)
    following = lab.another(state)
    assert following.task.parameters == (4.0, 1.0)
    assert len(following.task.support_x) == 7
    assert not set(following.task.support_x) & set(state.task.support_x)


@given(amplitude=st.floats(-20, 20), phase=st.floats(-10, 10))
@pytest.mark.parametrize("preset", list(PRESETS))
def test_drawn_points_keep_their_distance_when_the_wave_changes(
    preset: PresetName, amplitude: float, phase: float
) -> None:
    before = lab.choose(START, preset)
    after = lab.with_parameter(lab.with_parameter(before, 0, amplitude), 1, phase)
    assert after.task.parameters == (amplitude, phase)
    assert after.task.support_x == before.task.support_x
    assert off_the_wave(after.task) == pytest.approx(off_the_wave(before.task), abs=1e-9)


def test_points_placed_by_hand_stay_when_the_wave_changes() -> None:
    placed = lab.add(START)
    assert lab.with_parameter(placed, 0, 1.0).task.support_y == placed.task.support_y


def test_points_are_drawn_from_the_chosen_interval() -> None:
    state = lab.with_points(START, 100)
    bounds = []
    for _ in lab.INTERVALS:
        bounds.append((min(state.task.support_x), max(state.task.support_x)))
        state = lab.with_interval(state, state.interval + 1)
    whole, right, left = bounds
    assert whole[0] < -4 < 4 < whole[1]
    assert 0 <= right[0] < right[1] <= 5
    assert -5 <= left[0] < left[1] <= 0
    assert state.interval == 0


def test_noise_moves_points_and_no_noise_puts_them_back() -> None:
    calm = lab.with_points(START, 20)
    noisy = lab.with_noise(calm, 0.3)
    assert noisy.task.support_x == calm.task.support_x
    assert 0.1 < np.abs(off_the_wave(noisy.task)).mean() < 0.5
    assert lab.with_noise(noisy, 0.0).task == calm.task


def test_other_points_of_the_noisy_preset_are_noisy() -> None:
    state = lab.with_points(lab.choose(START, "noisy"), 50)
    assert state.noise == 0.5
    assert np.abs(off_the_wave(state.task)).mean() > 0.2


def test_a_worst_task_of_the_battery_opens_as_it_was() -> None:
    worst = surveyed().sources[0].worst[0]
    state = lab.open_task(START, worst.task, 4)
    answers = asked(state)
    assert answers["FOMAML"].losses[-1] == worst.loss
    assert state.preset is None


@pytest.mark.parametrize(
    "change",
    [
        lambda: lab.with_points(START, 0),
        lambda: lab.with_points(START, 101),
        lambda: lab.with_noise(START, math.nan),
        lambda: lab.with_parameter(START, 0, math.inf),
        lambda: lab.with_updates(START, 1_001),
        lambda: lab.with_rate(START, 0.0),
        lambda: lab.delete(lab.with_points(START, 1)),
        lambda: lab.add(lab.with_points(START, 100)),
    ],
)
def test_an_impossible_change_is_a_message_with_the_reason(change: Callable[[], LabState]) -> None:
    with pytest.raises(ConfigError):
        change()


# Points under the cursor.

MOVES = st.lists(st.tuples(st.integers(-60, 60), st.integers(-60, 60)), max_size=8)


@given(moves=MOVES, held=st.booleans(), low=st.floats(-9, 9), size=st.floats(0, 9))
def test_the_cursor_stays_on_the_chart(
    moves: list[tuple[int, int]], held: bool, low: float, size: float
) -> None:
    state = lab.begin(SineTasks(x=(low, low + size)))
    state = lab.take(state) if held else state
    for columns, rows in moves:
        state = lab.move(state, columns, rows)
        assert state.family.x[0] <= state.x <= state.family.x[1]
        assert abs(state.y) <= state.height


@given(MOVES)
def test_a_point_is_added_where_the_cursor_is(moves: list[tuple[int, int]]) -> None:
    state = START
    for columns, rows in moves:
        state = lab.move(state, columns, rows)
    added = lab.add(state)
    assert points(added) == [*points(state), (state.x, state.y)]
    assert lab.delete(added).task == lab.with_parameter(state, 0, 4.0).task


def test_a_carried_point_goes_with_the_cursor_until_it_is_let_go() -> None:
    near = lab.place(START, START.task.support_x[3], START.task.support_y[3] + 0.01)
    carried = lab.move(lab.take(near), 2, 0)
    assert carried.held == 3
    assert points(carried)[3] == (carried.x, carried.y)
    assert carried.task.support_x[3] == pytest.approx(
        min(5.0, START.task.support_x[3] + 2 * 10 / lab.COLUMNS)
    )
    let_go = lab.move(lab.take(carried), -5, 0)
    assert points(let_go) == points(carried)


def test_the_point_nearest_to_the_cursor_is_deleted() -> None:
    state = lab.place(START, START.task.support_x[5], START.task.support_y[5])
    left = points(lab.delete(state))
    assert left == points(START)[:5] + points(START)[6:]


# The mouse.

NEAR = (0.2, 0.2)


def test_pressing_a_point_carries_it_until_the_button_goes_up() -> None:
    x, y = points(START)[4]
    pressed = lab.press(START, x + 0.1, y - 0.1, NEAR)
    assert pressed.held == 4
    dragged = lab.release(lab.place(pressed, 1.5, 2.5))
    assert points(dragged) == [*points(START)[:4], (1.5, 2.5), *points(START)[5:]]
    assert lab.place(dragged, 0.0, 0.0).task == dragged.task


def test_pressing_where_there_is_no_point_puts_one_there_and_carries_it() -> None:
    pressed = lab.press(START, 0.25, -5.5, NEAR)
    assert points(pressed) == [*points(START), (0.25, -5.5)]
    assert pressed.held == 10


def test_the_right_button_deletes_the_point_under_it_alone() -> None:
    x, y = points(START)[2]
    assert points(lab.wipe(START, x, y, NEAR)) == points(START)[:2] + points(START)[3:]
    assert lab.wipe(START, 0.25, -5.5, NEAR) == START


# Steps.


@given(st.lists(st.integers(-40, 40), max_size=10))
def test_stepping_back_and_forth_is_a_look_at_what_is_known(steps: list[int]) -> None:
    state, answers, charts = START, asked(START), LabCharts()
    shown = charts.waves(state, answers)
    for by in steps:
        state = lab.step(state, by)
        assert 0 <= state.step <= 32
        series = charts.waves(state, answers).series
        for title, answer in answers.items():
            assert of(title, series).y == answer.predictions[state.step]
    back = lab.step(lab.step(state, -100), 100)
    assert charts.waves(back, answers) == shown


def test_more_gradient_steps_keep_the_last_step_selected() -> None:
    assert lab.with_updates(START, 50).step == 50
    earlier = lab.step(START, -10)
    assert lab.with_updates(earlier, 50).step == 22
    assert lab.with_updates(earlier, 5).step == 5


def test_all_sources_are_asked_the_same() -> None:
    asking = lab.questions(lab.with_rate(START, 0.1), SOURCES)
    assert list(asking) == list(TITLES)
    assert {(one.task, one.updates, one.lr) for one in asking.values()} == {(START.task, 32, 0.1)}


# What is drawn.


def test_each_theta_has_a_picture_of_before_and_now() -> None:
    answers, state = asked(START), lab.step(START, -20)
    plots = LabCharts().each(state, answers)
    assert [plot.title for plot in plots] == list(TITLES)
    for plot, answer in zip(plots, answers.values(), strict=True):
        assert of("before", plot.series).y == answer.predictions[0]
        assert of("after", plot.series).y == answer.predictions[12]


def test_a_theta_that_has_not_answered_keeps_its_place() -> None:
    known = asked(START)
    missing: dict[str, Adapted | None] = {**known, "FOMAML": None}
    for make in (LabCharts().waves, LabCharts().losses):
        whole, partial = make(START, known), make(START, missing)
        assert not of("FOMAML", partial.series).x
        assert of("Reptile", partial.series) == of("Reptile", whole.series)


def test_the_picture_has_the_wave_all_predictions_and_the_points() -> None:
    plot = LabCharts().waves(START, asked(START))
    assert [one.label for one in plot.series] == ["true", *reversed(TITLES), "support", ""]
    true = of("true", plot.series)
    expected = [4 * math.sin(x + 1) for x in true.x]
    assert true.y == pytest.approx(expected)
    assert of("support", plot.series).x == START.task.support_x
    assert len({one.marker for one in plot.series}) == len(plot.series)
    assert plot.title == "step 32 of 32 · cursor at 0.00, 0.00"


def test_the_axes_stay_put_for_usual_waves_and_grow_for_tall_ones() -> None:
    charts = LabCharts()
    usual = charts.waves(START, {}).y
    assert charts.waves(lab.with_parameter(START, 0, 1.0), {}).y == usual
    tall = charts.waves(lab.with_parameter(START, 0, 10.0), {}).y
    assert tall.upper >= 10
    assert charts.waves(START, {}).y == usual


def test_the_axis_of_errors_stays_put_while_they_shrink_a_little() -> None:
    charts, answers = LabCharts(), asked(START)
    shrunk: dict[str, Adapted | None] = {
        title: msgspec.structs.replace(
            answer,
            query_y=tuple(
                0.3 * (math.nan if after is None else after) + 0.7 * true
                for after, true in zip(answer.predictions[-1], answer.query_y, strict=True)
            ),
        )
        for title, answer in answers.items()
    }

    def axis(shown: Mapping[str, Adapted | None]) -> object:
        strip = charts.waves(START, shown).strip
        return strip and strip.y

    assert axis(shrunk) != axis(answers) == axis(shrunk)


def test_the_losses_are_those_of_the_answers_and_the_step_is_marked() -> None:
    answers = asked(START)
    plot = LabCharts().losses(lab.step(START, -30), answers)
    for title, answer in answers.items():
        assert of(title, plot.series).y == pytest.approx(
            [math.log10(loss) for loss in answer.losses if loss is not None]
        )
    here = of("", plot.series)
    assert set(here.x) == {2}
    assert here.y == pytest.approx([of(title, plot.series).y[2] for title in TITLES])


def test_a_diverged_loss_is_a_gap_and_a_word() -> None:
    state = lab.with_rate(START, 1e30)
    answers = asked(state)
    waves, losses = (make(state, answers) for make in (LabCharts().waves, LabCharts().losses))
    assert math.isnan(of("FOMAML", losses.series).y[-1])
    assert len(of("FOMAML", waves.series).y) == 50


def test_without_an_answer_the_task_is_shown_and_the_losses_say_so() -> None:
    assert of("true", LabCharts().waves(START, {}).series).x
    assert LabCharts().losses(START, {}).empty == "no answer yet"
