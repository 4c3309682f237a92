"""What the plain data of a chart promises: it takes any numbers, and its limits stay put."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tasks.sine import SineTasks
from tui_meta.views.plots.axis import Axis, Limits, Scale, linear_ticks, log10s, log_ticks
from tui_meta.views.plots.lines import Vertex, dashed, decimate, straighten
from tui_meta.views.plots.plot import Plot, Series, curve
from tui_meta.views.plots.wave import task_series, wave_limits, wave_plot

any_floats = st.lists(st.floats(), max_size=40)
scales: st.SearchStrategy[Scale] = st.sampled_from(["linear", "log"])
ANY = {"linear": Limits(-1, 1), "log": Limits(-2, 1, "log")}


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


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(1, 1), (2, 1), (math.nan, 1), (0, math.inf), (-math.inf, 0), (-1.7e308, 1.7e308)],
)
def test_an_axis_refuses_limits_it_cannot_run_between(lower: float, upper: float) -> None:
    with pytest.raises(ValueError, match="an axis cannot run"):
        Axis(lower, upper)


def test_the_legend_names_the_series_that_have_a_label() -> None:
    named, unnamed = Series("loss", [], []), Series("", [], [])
    assert Plot("", (named, unnamed), Axis(0, 1), Axis(0, 1)).legend == (named,)


@given(any_floats, scales)
def test_limits_hold_every_value_that_can_be_shown(values: list[float], scale: Scale) -> None:
    limits = ANY[scale].follow(values)
    shown = log10s(values) if scale == "log" else values
    assert all(
        limits.lower <= value <= limits.upper
        for value in shown
        if math.isfinite(value) and abs(value) <= 1e300
    )


@given(any_floats, scales)
def test_limits_do_not_change_when_the_values_do_not(values: list[float], scale: Scale) -> None:
    limits = ANY[scale].follow(values)
    assert limits.follow(values) is limits


@given(any_floats, scales)
def test_every_limits_make_an_axis_with_ticks_inside(values: list[float], scale: Scale) -> None:
    axis = ANY[scale].follow(values).axis("loss")
    span = axis.upper - axis.lower
    assert all(axis.lower - 1e-6 * span <= at <= axis.upper + 1e-6 * span for at, _ in axis.ticks)


def test_limits_stay_while_values_move_within_them() -> None:
    limits = Limits(0, 1).follow([-3.9, 3.8])
    assert (limits.lower, limits.upper) == (-4, 4)
    assert limits.follow([-2.1, 3.1]) is limits


def test_limits_grow_when_a_value_leaves_them() -> None:
    assert Limits(-4, 4).follow([-3.9, 4.1]) == Limits(-4, 6)


def test_limits_shrink_when_the_values_fill_too_little_of_them() -> None:
    assert Limits(-100, 100).follow([-3.9, 3.8]) == Limits(-4, 4)


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf]])
def test_limits_stay_when_there_is_nothing_to_show(values: list[float]) -> None:
    limits = Limits(-2, 1, "log")
    assert limits.follow(values) is limits


def test_logarithmic_limits_are_round_numbers_in_exponents() -> None:
    limits = Limits(0, 1, "log").follow([0.03, 7.0, 0.0, -1.0])
    assert limits.lower == pytest.approx(math.log10(0.02))
    assert limits.upper == pytest.approx(1)


@given(any_floats)
def test_logarithms_of_what_has_none_are_gaps(values: list[float]) -> None:
    for value, logarithm in zip(values, log10s(values), strict=True):
        assert math.isfinite(logarithm) == (0 < value < math.inf)


@pytest.mark.parametrize(
    ("lower", "upper", "labels"),
    [
        (-5, 5, ["-5", "0", "5"]),
        (-0.2, 0.2, ["-0.2", "-0.1", "0", "0.1", "0.2"]),
        (0, 50_000, ["0", "20k", "40k"]),
        (0, 2e7, ["0", "5M", "10M", "15M", "20M"]),
        (0, 32, ["0", "10", "20", "30"]),
        (0, 2e-9, ["0", "5e-10", "1e-9", "1.5e-9", "2e-9"]),
    ],
)
def test_linear_ticks_are_few_and_round(lower: float, upper: float, labels: list[str]) -> None:
    assert [label for _, label in linear_ticks(lower, upper)] == labels


@pytest.mark.parametrize(
    ("lower", "upper", "labels"),
    [
        (-2, 1, ["0.01", "0.1", "1", "10"]),
        (math.log10(0.02), 1, ["0.1", "1", "10"]),
        (-1, 0, ["0.1", "0.2", "0.5", "1"]),
        (-9, 9, ["1e-9", "1e-5", "0.1", "1000", "1e7"]),
    ],
)
def test_logarithmic_ticks_are_decades_or_1_2_5(
    lower: float, upper: float, labels: list[str]
) -> None:
    assert [label for _, label in log_ticks(lower, upper)] == labels


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_linear_ticks_are_few_for_any_limits(lower: float, upper: float) -> None:
    assert len(linear_ticks(lower, upper)) <= 6


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
    wave = wave_plot("", task_series(1, 0, [], [], x), x, x.axis(), ([], [], [])).series
    for series in (curves, wave):
        assert len({one.marker for one in series}) == 4
    assert len({one.color for one in curves}) == 4


def test_a_wave_panel_has_the_colour_of_its_run_and_none_for_the_task() -> None:
    x, run = Limits(-1, 1), curve("", [], [], 1)
    true, before, after, support = wave_plot(
        "", task_series(1, 0, [], [], x), x, x.axis(), ([], [], []), 1
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


def test_dashes_are_as_long_as_the_pattern_along_the_line_and_start_again_after_a_gap() -> None:
    line = [(0.0, 0.0, False), (0.3, 0.0, True), (0.6, 0.0, False), (0.6, 1.0, True)]
    drawn = dashed(line, (2, 1), (10, 4))
    assert [(round(x, 9), round(y, 9), joined) for x, y, joined in drawn] == [
        (0.0, 0.0, False),
        (0.2, 0.0, True),
        (0.6, 0.0, False),
        (0.6, 0.5, True),
        (0.6, 0.75, False),
        (0.6, 1.0, True),
    ]
