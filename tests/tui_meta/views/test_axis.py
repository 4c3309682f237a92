"""Axes: limits that stay put and are tight, ticks that are round and fit."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tui_meta.views.plots.axis import (
    Axis,
    Limits,
    Scale,
    Tick,
    choose_ticks,
    log10s,
    on_scale,
    round_step,
    same_scale,
)

any_floats = st.lists(st.floats(), max_size=40)
scales: st.SearchStrategy[Scale] = st.sampled_from(["linear", "log"])


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(1, 1), (2, 1), (math.nan, 1), (0, math.inf), (-math.inf, 0), (-1.7e308, 1.7e308)],
)
def test_an_axis_refuses_limits_it_cannot_run_between(lower: float, upper: float) -> None:
    with pytest.raises(ValueError, match="an axis cannot run"):
        Axis(lower, upper)


@given(any_floats, scales)
def test_limits_hold_every_value_that_can_be_shown(values: list[float], scale: Scale) -> None:
    limits = Limits.unknown(scale).follow(values)
    shown = log10s(values) if scale == "log" else values
    assert all(
        limits.lower <= value <= limits.upper
        for value in shown
        if math.isfinite(value) and abs(value) <= 1e300
    )


@given(any_floats, scales)
def test_limits_do_not_change_when_the_values_do_not(values: list[float], scale: Scale) -> None:
    limits = Limits.unknown(scale).follow(values)
    assert limits.follow(values) is limits


def test_limits_stay_while_values_move_within_them() -> None:
    limits = Limits.unknown().follow([-3.9, 3.8])
    assert (limits.lower, limits.upper) == (-4, 4)
    assert limits.follow([-3.1, 3.4]) is limits


def test_limits_grow_when_a_value_leaves_them() -> None:
    assert Limits(-4, 4).follow([-3.9, 4.1]) == Limits(-4, 4.5)


def test_limits_shrink_when_the_values_fill_too_little_of_them() -> None:
    assert Limits(-100, 100).follow([-3.9, 3.8]) == Limits(-4, 4)


def test_of_steady_limits_an_end_stays_that_no_value_leaves() -> None:
    assert Limits(0, 10).follow([3, 12]) == Limits(3, 12)
    assert Limits(0, 10).follow([3, 12], steady=True) == Limits(0, 12)
    assert Limits(0, 10).follow([11, 12], steady=True) == Limits(11, 12)


def test_the_first_values_set_the_limits() -> None:
    assert Limits.unknown().follow([0.1, 0.9]) == Limits(0.1, 0.9)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=20))
def test_limits_do_not_pass_the_end_of_the_data_unless_a_value_does(values: list[float]) -> None:
    limits = Limits.unknown().follow((0, *values), end=50_000, parts=4)
    assert max(values) <= limits.upper <= max(50_000, 1.5 * max(values))


def test_an_axis_ends_at_the_planned_end() -> None:
    ends = {18_700: 20_000, 42_000: 50_000, 50_000: 50_000, 50_001: 50_001}
    for newest, upper in ends.items():
        assert Limits.unknown().follow((0, newest), end=50_000, parts=4) == Limits(0, upper)


@given(any_floats, scales)
def test_values_fill_the_limits(values: list[float], scale: Scale) -> None:
    limits = Limits.unknown(scale).follow(values)
    on_it = on_scale(values, scale)
    shown = [value for value in on_it if math.isfinite(value)]
    assume(shown and max(map(abs, shown)) <= 1e300)
    assume(max(shown) - min(shown) > max(0.1, 1e-6 * max(map(abs, shown))))
    assert max(shown) - min(shown) >= 0.75 * (limits.upper - limits.lower)


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf]])
def test_limits_stay_when_there_is_nothing_to_show(values: list[float]) -> None:
    limits = Limits(-2, 1, "log")
    assert limits.follow(values) is limits


@given(any_floats)
def test_logarithms_of_what_has_none_are_gaps(values: list[float]) -> None:
    for value, logarithm in zip(values, log10s(values), strict=True):
        assert math.isfinite(logarithm) == (0 < value < math.inf)


Place = Callable[[float], int]


def place_on(axis: Axis, room: int) -> Place:
    """Return the cell of a position on an axis that is ``room`` cells long."""
    return lambda at: round((at - axis.lower) / (axis.upper - axis.lower) * room)


def ticks_in(axis: Axis, room: int, apart: int = 2) -> tuple[Tick, ...]:
    """Return the ticks of an axis that is ``room`` cells long."""
    place = place_on(axis, room)
    return choose_ticks(
        axis, lambda some: all(place(b) - place(a) >= apart for (a, _), (b, _) in pairwise(some))
    )


def labels_in(lower: float, upper: float, room: int, scale: Scale = "linear") -> list[str]:
    return [label for _, label in ticks_in(Axis(lower, upper, scale=scale), room, 8)]


@pytest.mark.parametrize(
    ("lower", "upper", "room", "labels"),
    [
        (-5, 5, 30, ["-5", "0", "5"]),
        (-5.5, 5.5, 100, ["-4", "-2", "0", "2", "4"]),
        (-0.2, 0.2, 50, ["-0.2", "-0.1", "0", "0.1", "0.2"]),
        (0, 50_000, 60, ["0", "10k", "20k", "30k", "40k", "50k"]),
        (0, 50_000, 15, ["0", "50k"]),
        (0, 2e7, 40, ["0", "5M", "10M", "15M", "20M"]),
        (0, 32, 40, ["0", "10", "20", "30"]),
        (0, 2e-9, 40, ["0", "5e-10", "1e-9", "1.5e-9", "2e-9"]),
    ],
)
def test_linear_ticks_are_as_many_as_fit_and_round(
    lower: float, upper: float, room: int, labels: list[str]
) -> None:
    assert labels_in(lower, upper, room) == labels


@pytest.mark.parametrize(
    ("lower", "upper", "room", "labels"),
    [
        (-2, 1, 40, ["0.01", "0.1", "1", "10"]),
        (math.log10(0.02), 1, 40, ["0.1", "1", "10"]),
        (-1, 0, 40, ["0.1", "0.2", "0.5", "1"]),
        (2, 4.7, 100, ["100", "200", "500", "1k", "2k", "5k", "10k", "20k", "50k"]),
        (-9, 9, 40, ["1e-5", "1", "100k"]),
        (-3.2, -2, 15, ["1e-3", "0.01"]),
        (math.log10(0.12), math.log10(0.19), 40, ["0.12", "0.14", "0.16", "0.18"]),
    ],
)
def test_logarithmic_ticks_are_1_2_5_or_decades(
    lower: float, upper: float, room: int, labels: list[str]
) -> None:
    assert labels_in(lower, upper, room, "log") == labels


def spans(low: float, high: float, least: float) -> st.SearchStrategy[tuple[float, float]]:
    """Return limits between ``low`` and ``high`` that are at least ``least`` of them apart."""
    place = st.floats(low, high)
    return (
        st.tuples(place, place)
        .map(lambda ends: (min(ends), max(ends)))
        .filter(lambda ends: ends[1] - ends[0] > least * max(1e-200, *map(abs, ends)))
    )


def is_round(value: float) -> bool:
    """Return whether a value is 1, 2 or 5 times a power of ten."""
    return value > 0 and round_step(value * (1 - 1e-6)) == pytest.approx(value, rel=1e-6)


@given(spans(-1e9, 1e9, 1e-6), st.integers(1, 200))
def test_ticks_are_inside_increasing_apart_and_at_1_2_5(
    ends: tuple[float, float], room: int
) -> None:
    axis = Axis(*ends)
    ticks = ticks_in(axis, room)
    positions = [at for at, _ in ticks]
    place = place_on(axis, room)
    assert all(axis.lower <= at <= axis.upper for at in positions)
    assert all(a < b and place(b) - place(a) >= 2 for a, b in pairwise(positions))
    assert len({label for _, label in ticks}) == len(ticks) <= 11
    steps = [b - a for a, b in pairwise(positions)]
    size = max(map(abs, ends))
    assert all(step == pytest.approx(steps[0], abs=1e-12 * size) for step in steps)
    assert len(steps) < 2 or is_round(steps[0])


@given(spans(-12, 12, 1e-3), st.integers(1, 200))
def test_logarithmic_ticks_are_inside_increasing_apart_and_at_1_2_5(
    ends: tuple[float, float], room: int
) -> None:
    axis = Axis(*ends, scale="log")
    ticks = ticks_in(axis, room)
    positions = [at for at, _ in ticks]
    place = place_on(axis, room)
    assert all(axis.lower <= at <= axis.upper for at in positions)
    assert all(a < b and place(b) - place(a) >= 2 for a, b in pairwise(positions))
    assert len({label for _, label in ticks}) == len(ticks)
    if axis.upper - axis.lower > 1.5:
        assert all(is_round(axis.value(at)) for at in positions)


@given(scales, st.integers(20, 200), st.data())
def test_an_axis_with_room_has_at_least_two_ticks(
    scale: Scale, room: int, data: st.DataObject
) -> None:
    ends = data.draw(spans(-8, 8, 0.05) if scale == "log" else spans(-1e6, 1e6, 1e-3))
    assume(ends[1] - ends[0] > 0.05)
    assert len(ticks_in(Axis(*ends, scale=scale), room)) >= 2


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), scales)
def test_any_limits_have_ticks(lower: float, upper: float, scale: Scale) -> None:
    assume(0 < upper - lower < math.inf and (scale == "linear" or max(-lower, upper) < 300))
    assert len(ticks_in(Axis(lower, upper, scale=scale), 1000)) < 1000


sizes = st.integers(1, 200)


@given(spans(-1e6, 1e6, 1e-3), spans(-1e6, 1e6, 1e-3), sizes, sizes)
def test_axes_of_the_same_scale_hold_what_they_held_and_waste_little(
    x_ends: tuple[float, float], y_ends: tuple[float, float], columns: int, rows: int
) -> None:
    given_x, given_y = Axis(*x_ends), Axis(*y_ends)
    x, y, factor = same_scale(given_x, given_y, columns, rows)
    for new, old in ((x, given_x), (y, given_y)):
        assert new.lower <= old.lower
        assert new.upper >= old.upper
    across, up = (x.upper - x.lower) / columns, (y.upper - y.lower) / rows
    assert across / up == pytest.approx(factor, rel=1e-6)
    assert is_round(factor)
    shares = [
        (old.upper - old.lower) / (new.upper - new.lower)
        for new, old in ((x, given_x), (y, given_y))
    ]
    assert max(shares) == pytest.approx(1)
    assert min(shares) >= 1 / 3 - 1e-6
