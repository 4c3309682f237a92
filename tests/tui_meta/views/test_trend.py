"""Whether a run is learning is said where the curve shows it, and not where it is noise."""

import math
import random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.events import Curve
from tui_meta.views.trend import LEAST_CERTAIN, LEAST_CHANGE, LEAST_POINTS, Trend, trend


def curve(losses: list[float]) -> Curve:
    return Curve(tuple(range(1, len(losses) + 1)), tuple(losses))


@pytest.mark.parametrize(
    ("last", "said"), [(0.5, "falling"), (1.0, "level"), (1.5, "rising"), (1.01, "level")]
)
def test_a_change_larger_than_the_noise_is_reported(last: float, said: str) -> None:
    rng = random.Random(0)
    before = [1 + rng.gauss(0, 0.02) for _ in range(900)]
    after = [last + rng.gauss(0, 0.02) for _ in range(100)]
    assert trend(curve(before + after)) == said


@given(st.lists(st.floats(0.01, 100), min_size=LEAST_POINTS, max_size=300))
def test_the_trend_agrees_with_an_independent_test_of_the_means(losses: list[float]) -> None:
    seen: Trend | None = None
    for points in (len(losses) // 4, len(losses) // 10):
        before, after = np.array(losses[-2 * points : -points]), np.array(losses[-points:])
        noise = 2 * math.hypot(*(part.std(ddof=1) / math.sqrt(points) for part in (before, after)))
        change = after.mean() - before.mean()
        bounds = max(noise, LEAST_CHANGE * before.mean()), LEAST_CERTAIN * before.mean()
        assume(min(abs(abs(change) - bounds[0]), abs(noise - bounds[1])) > 1e-9)
        if abs(change) > bounds[0]:
            seen = "rising" if change > 0 else "falling"
        elif points == len(losses) // 4 and noise < bounds[1]:
            seen = "level"
    assert trend(curve(losses)) == seen


def test_a_plain_fall_through_much_noise_is_not_level() -> None:
    rng = random.Random(0)
    losses = [4 - 2.5 * at / 1000 + rng.gauss(0, 1.5) for at in range(1000)]
    assert trend(curve(losses)) == "falling"


def test_nothing_is_said_while_the_noise_could_hide_a_trend() -> None:
    rng = random.Random(1)
    losses = [4 + rng.gauss(0, 2) for _ in range(4000)]
    assert [trend(curve(losses[:points])) for points in (60, 120, 240)] == [None] * 3
    assert trend(curve(losses)) == "level"


def test_a_curve_that_is_short_or_not_finite_has_no_trend() -> None:
    assert trend(curve([1.0] * (LEAST_POINTS - 1))) is None
    assert trend(curve([1.0] * 100 + [math.inf] * 5)) is None
    assert trend(curve([1.0] * 100 + [math.nan])) is None


@pytest.mark.parametrize("size", [1e154, 1e200, 1.7e308])
def test_nothing_is_said_of_losses_whose_squares_are_no_numbers(size: float) -> None:
    assert trend(curve([1.0, size] * LEAST_POINTS)) is None
