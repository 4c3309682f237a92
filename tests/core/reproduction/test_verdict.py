"""The verdict follows from two intervals, from adaptations that diverged, and from doubts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.reproduction.measure import summarize
from core.reproduction.verdict import Interval, verdict

PUBLISHED = Interval(0.6, 0.74)


@pytest.mark.parametrize(
    ("ours", "more", "expected"),
    [
        (Interval(0.65, 0.68), {}, "agrees"),
        (Interval(0.1, 5.0), {}, "agrees"),
        (Interval(0.74, 0.8), {}, "agrees"),
        (Interval(0.5, 0.6), {}, "agrees"),
        (Interval(0.5, 0.59), {}, "better"),
        (Interval(0.75, 0.8), {}, "worse"),
        (Interval(0.5, 0.59), {"is_clear": False}, "protocol unclear"),
        (Interval(0.75, 0.8), {"is_clear": False}, "protocol unclear"),
        (Interval(0.65, 0.68), {"is_clear": False}, "agrees"),
        (Interval(0.65, 0.68), {"diverged": 1}, "diverged"),
    ],
)
def test_a_verdict_is_a_function_of_intervals(
    ours: Interval, more: dict[str, Any], expected: str
) -> None:
    assert verdict(PUBLISHED, ours, **{"diverged": 0, "is_clear": True, **more}) == expected


def test_intervals_over_tasks_and_over_seeds_are_those_of_an_independent_computation() -> None:
    losses = np.array([[1.0, 2.0, 3.0, 6.0], [2.0, 2.0, 5.0, 7.0], [3.0, 4.0, 4.0, 9.0]])
    ours = summarize(losses, np.full_like(losses, 10.0))
    assert (ours.loss, ours.median, ours.diverged, ours.adaptations) == (4.0, 3.5, 0, 12)
    assert ours.over_tasks is not None
    assert ours.over_seeds is not None
    tasks = 1.96 * np.std([2.0, 8 / 3, 4.0, 22 / 3], ddof=1) / 2
    assert ours.over_tasks.high - 4.0 == pytest.approx(tasks)
    seeds = 4.302653 * np.std([3.0, 4.0, 5.0], ddof=1) / 3**0.5
    assert 4.0 - ours.over_seeds.low == pytest.approx(seeds)
    assert ours.interval == max((ours.over_tasks, ours.over_seeds), key=lambda one: one.high)


def test_adaptations_that_diverged_are_counted_and_in_no_mean() -> None:
    losses = np.array([[1.0, np.inf, 3.0], [2.0, np.nan, 1e9]])
    ours = summarize(losses, np.full_like(losses, 10.0))
    assert (ours.loss, ours.diverged) == (2.0, 3)
    assert ours.over_tasks is not None
    assert ours.over_tasks.high - 2.0 == pytest.approx(1.96 * np.std([1.5, 3.0], ddof=1) / 2**0.5)
    assert ours.median is None


def test_a_single_network_has_no_interval_over_seeds() -> None:
    ours = summarize(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]]))
    assert ours.over_seeds is None
    assert ours.interval == ours.over_tasks


def test_nothing_is_left_where_all_diverged() -> None:
    ours = summarize(np.full((2, 3), np.inf), np.ones((2, 3)))
    assert (ours.loss, ours.interval, ours.diverged) == (None, None, 6)
