"""Losses, durations and bars in few cells."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_meta.views import numbers


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_loss_takes_at_most_seven_cells(value: float) -> None:
    assert len(numbers.loss(value)) <= 7 - (value >= 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0.0, "0.000"), (0.00312, "0.0031"), (0.0312, "0.0312"), (0.531, "0.531"),
        (4.125, "4.12"), (12.34, "12.3"), (123.4, "123"), (1.2e31, "1e31"), (math.inf, "inf"),
        (1e-7, "1.0e-7"), (0.99999, "1.00"), (99.99, "100"),
    ],
)  # fmt: skip
def test_losses_have_three_digits(value: float | None, text: str) -> None:
    assert numbers.loss(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (63.9, "1:03"), (3_723, "1:02:03"), (90 * 3_600, "3 days 18 h"), (math.inf, "-")],
)
def test_durations_show_minutes_hours_or_days(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 200))
def test_a_bar_fills_its_cells_and_is_full_only_when_done(part: int, of: int, width: int) -> None:
    done, rest = numbers.bar(part, of, width)
    assert len(done + rest) == width
    if width and part < of:
        assert done != "━" * width
