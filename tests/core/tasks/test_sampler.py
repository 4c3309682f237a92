"""Noise and fixed tasks of training data."""

from __future__ import annotations

import numpy as np
import pytest

from core.tasks.sampler import TaskSampler
from core.tasks.sine import SineTasks

FLAT = SineTasks(amplitude=(0.0, 0.0))
"""Tasks that are 0 everywhere: y is noise alone."""


@pytest.mark.parametrize("query", ["grid", "random"])
def test_support_and_query_sets_have_normal_noise(query: str) -> None:
    sampler = TaskSampler(FLAT, 0, "float64", noise=0.3)
    data = sampler.few_shot(0, 100, 5, 4, 6, query)  # type: ignore[arg-type]
    values = np.concatenate([data.y.ravel(), data.query_y.ravel()])
    # 5,000 numbers: standard errors of 1 % and of 0.004.
    assert values.std() == pytest.approx(0.3, rel=0.04)
    assert abs(values.mean()) < 0.017
    assert len(np.unique(values)) == len(values)


def test_noise_leaves_tasks_and_points_alone() -> None:
    plain, noisy = (
        TaskSampler(SineTasks(), 0, noise=noise).few_shot(0, 1, 1, 4, 6) for noise in (0.0, 0.3)
    )
    assert plain.x.tobytes() == noisy.x.tobytes()
    assert 0 < np.abs(plain.query_y - noisy.query_y).max() < 1.5


def test_a_point_of_a_minibatch_has_the_same_noise_in_all_epochs() -> None:
    data = TaskSampler(FLAT, 0, noise=0.3).minibatches(3, 300, 2, 6, 3, 2)
    x, y = (one.reshape(600, 2, 6) for one in (data.x, data.y))
    order = x.argsort(-1)
    first, second = np.moveaxis(np.take_along_axis(y, order, -1), 1, 0)
    assert first.tolist() == second.tolist()
    assert first.std() == pytest.approx(0.3, rel=0.06)


@pytest.mark.parametrize("kind", ["few-shot", "minibatches"])
def test_fixed_tasks_are_drawn_once_and_met_equally_often(kind: str) -> None:
    sampler = TaskSampler(SineTasks(), 0, fixed_tasks=4)
    if kind == "few-shot":
        met = sampler.few_shot(0, 200, 3, 2, 5).query_y.reshape(600, 5)
    else:
        data = sampler.minibatches(0, 600, 1, 5, 5, 1)
        met = np.take_along_axis(data.y, data.x.argsort(-2), -2).reshape(600, 5)
    tasks, counts = np.unique(met, axis=0, return_counts=True)
    assert len(tasks) == 4
    assert counts.min() > 100  # 150 expected, with a standard deviation of 11
    later = TaskSampler(SineTasks(), 0, fixed_tasks=4).few_shot(10**6, 100, 1, 2, 5).query_y
    if kind == "few-shot":
        assert np.unique(later.reshape(100, 5), axis=0).tolist() == tasks.tolist()
