"""Metrics do not depend on chunk lengths or on interruptions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import AnyEvent, Validation
from core.training.metrics import LOG_INTERVAL, SMOOTHED_MEANS, Metrics
from tests.support.run_folders import progress, validated


def test_every_hundred_iterations_their_mean_loss_is_due() -> None:
    losses = np.random.default_rng(0).random(250)
    due = Metrics().add_losses(0, losses)
    assert [iteration for iteration, _ in due] == [100, 200]
    assert [mean for _, mean in due] == pytest.approx([losses[:100].mean(), losses[100:200].mean()])


@given(lengths=st.lists(st.integers(0, 300), max_size=8))
def test_the_chunk_length_does_not_change_the_means(lengths: list[int]) -> None:
    losses = np.random.default_rng(0).random(sum(lengths))
    whole, parts = Metrics(), Metrics()
    expected = whole.add_losses(0, losses)
    found, start = [], 0
    for length in lengths:
        found += parts.add_losses(start, losses[start : start + length])
        start += length
    assert found == expected
    assert parts.smoothed == whole.smoothed
    assert parts.recent_losses == whole.recent_losses


def test_nothing_is_smoothed_before_the_first_iteration() -> None:
    assert Metrics().smoothed is None


def test_the_first_iterations_are_smoothed_over_themselves() -> None:
    metrics = Metrics()
    metrics.add_losses(0, np.array([1.0, 3.0]))
    assert metrics.smoothed == 2.0


def test_the_smoothed_loss_is_that_of_the_last_thousand_iterations() -> None:
    metrics = Metrics()
    losses = np.random.default_rng(0).random(25 * LOG_INTERVAL)
    metrics.add_losses(0, losses)
    assert metrics.smoothed == pytest.approx(losses[-SMOOTHED_MEANS * LOG_INTERVAL :].mean())


def test_the_best_validation_has_the_lowest_mean() -> None:
    metrics = Metrics()
    means = {10: 3.0, 20: 1.0, 30: 2.0}
    best = [metrics.add_validation(validated(at, mean)) for at, mean in means.items()]
    assert best == [True, True, False]
    assert metrics.best == Validation(20, 1.0, 0.9, 1.1)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_validation_that_is_not_finite_is_never_the_best(bad: float) -> None:
    metrics = Metrics()
    assert not metrics.add_validation(validated(10, bad))
    assert metrics.best is None
    assert metrics.add_validation(validated(20, 2.0))


@given(
    n=st.integers(0, 2_500),
    then=st.integers(0, 300),
    means=st.lists(st.floats(0, 10), max_size=5),
)
def test_metrics_of_a_resumed_run_equal_those_of_an_uninterrupted_one(
    n: int, then: int, means: list[float]
) -> None:
    losses = np.random.default_rng(0).random(n + then)
    once, first = Metrics(), Metrics()
    history: list[AnyEvent] = [progress(*due) for due in first.add_losses(0, losses[:n])]
    once.add_losses(0, losses[:n])
    for mean in means:
        history.append(validated(n, mean))
        once.add_validation(validated(n, mean))
    resumed = Metrics(first.recent_losses)
    resumed.restore(history, n)
    assert resumed.add_losses(n, losses[n:]) == once.add_losses(n, losses[n:])
    assert resumed.smoothed == once.smoothed
    assert resumed.best == once.best


def test_events_after_the_checkpoint_are_not_restored() -> None:
    metrics = Metrics()
    metrics.restore([progress(100, 1.0), progress(200, 9.0), validated(150, 0.1)], 100)
    assert metrics.smoothed == 1.0
    assert metrics.best is None


def test_the_curve_of_a_resumed_run_ends_at_its_iteration() -> None:
    metrics = Metrics([2.0] * 30)
    metrics.restore([progress(100, 1.0), progress(200, 3.0)], 230)
    curve = metrics.curve.build()
    assert curve.iterations[-1] == 230
    assert curve.losses == (*[1.0] * 100, *[3.0] * 100, *[2.0] * 30)


def test_huge_losses_have_a_mean() -> None:
    assert Metrics().add_losses(0, np.full(100, 1e308)) == [(100, pytest.approx(1e308))]
