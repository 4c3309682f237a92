"""What the plain data of a chart promises: it takes any numbers, and its limits stay put."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tasks.sine import SineTasks
from tests.support.waves import sine_wave
from tui_meta.views.plots.axis import Axis, Limits
from tui_meta.views.plots.lines import Vertex, decimate, straighten
from tui_meta.views.plots.plot import Plot, Series, curve
from tui_meta.views.plots.wave import Prediction, task_series, wave_limits, wave_plot

any_floats = st.lists(st.floats(), max_size=40)


def test_series_refuse_x_and_y_of_different_lengths() -> None:
    with pytest.raises(ValueError, match="loss: 2 x values but 1 y values"):
        Series("loss", [1, 2], [1])


def test_series_keep_their_values_when_the_list_they_came_from_changes() -> None:
    values = [1.0, 2.0]
    series = Series("loss", values, values)
    values[0] = 5.0
    assert series.y == (1.0, 2.0)


@given(any_floats)
def test_series_of_equal_values_are_equal_gaps_included(values: list[float]) -> None:
    copies = [float(str(value)) for value in values]
    assert Series("loss", values, values) == Series("loss", copies, copies)


def test_the_legend_names_the_series_that_have_a_label() -> None:
    named, unnamed = Series("loss", [], []), Series("", [], [])
    assert Plot("", (named, unnamed), Axis(0, 1), Axis(0, 1)).legend == (named,)


@given(any_floats, st.integers(0, 10))
def test_decimation_leaves_at_most_two_points_a_column(values: list[float], columns: int) -> None:
    x, y = decimate(range(len(values)), values, columns)
    assert len(x) == len(y) <= 2 * max(columns, 1)


def test_decimation_is_the_mean_of_buckets_without_what_is_not_finite() -> None:
    x, y = decimate([0, 1, 2, 3], [1, 3, math.nan, 5], 1)
    assert (x, y) == ((0.5, 2.5), (2, 5))


def test_decimation_of_nothing_finite_is_a_gap() -> None:
    _, y = decimate([0, 1, 2, 3], [1, 3, math.nan, math.inf], 1)
    assert y[0] == 2
    assert math.isnan(y[1])


def test_decimation_survives_sums_that_overflow() -> None:
    assert decimate([0, 1, 2, 3], [1.5e308] * 4, 1)[1] == pytest.approx((1.5e308, 1.5e308))


def test_a_growing_curve_keeps_the_points_it_had() -> None:
    short, long = list(range(100)), list(range(120))
    assert decimate(long, long, 20)[1][:25] == decimate(short, short, 20)[1]


lines = st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2), st.booleans()), max_size=40)


@given(lines, st.floats(0.001, 0.5))
def test_a_straightened_line_passes_every_point_it_left_out(
    points: list[Vertex], tolerance: float
) -> None:
    kept = straighten(points, tolerance)
    left = iter(kept)
    start = end = next(left, (0.0, 0.0, False))
    for x, y, joined in points:
        if (x, y, joined) == end:
            start, end = end, next(left, end)
            continue
        assert joined
        assert end[2]
        assert start[0] < x < end[0]
        at = start[1] + (end[1] - start[1]) * (x - start[0]) / (end[0] - start[0])
        assert abs(at - y) <= tolerance + 1e-9
    assert next(left, None) is None


def test_a_straight_line_needs_its_ends_alone() -> None:
    points = [(x / 8, x / 4, x > 0) for x in range(9)]
    assert straighten(points, 0.01) == [points[0], points[-1]]


def test_a_growing_line_keeps_the_points_it_needed_but_for_the_last() -> None:
    points = [(x / 50, math.sin(x / 5), x > 0) for x in range(50)]
    short = straighten(points[:30], 0.02)
    assert len(short) < 20
    assert straighten(points, 0.02)[: len(short) - 1] == short[:-1]


def test_series_of_one_chart_differ_in_marker_and_in_colour() -> None:
    curves = [curve(str(index), [], [], index) for index in range(4)]
    x = Limits(-1, 1)
    task, nothing = task_series(sine_wave(1, 0), [], [], x), Prediction([], [], [], [])
    wave = wave_plot("", task, x, x.axis(), nothing).series
    for series in (curves, wave):
        assert len({one.marker for one in series}) == 4
    assert len({one.color for one in curves}) == 4


def test_a_wave_panel_has_the_colour_of_its_run_and_none_for_the_task() -> None:
    x, run = Limits(-1, 1), curve("", [], [], 1)
    true, before, after, support = wave_plot(
        "", task_series(sine_wave(1, 0), [], [], x), x, x.axis(), Prediction([], [], [], []), 1
    ).series
    assert (before.color, before.dim) == (run.color, True)
    assert (after.color, after.dim) == (run.color, False)
    assert true.color == support.color == "default"


def test_the_y_axis_of_waves_is_that_of_the_family_unless_a_prediction_is_outside() -> None:
    waves = SineTasks(amplitude=(0.1, 2.0))
    usual = wave_limits(waves)
    assert usual.upper == -usual.lower == pytest.approx(2.2)
    assert wave_limits(waves, [0.01, math.nan]) == wave_limits(waves, [2.1]) == usual
    assert wave_limits(waves, [3.0]) == Limits(-5, 5)
    assert wave_limits(waves, [-40.0]) == Limits(-50, 50)
