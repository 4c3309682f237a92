"""The outer optimisers and schedules against those of ``torch.optim``."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms import optimizers as outer
from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from tests.support import reference
from tests.support.strategies import algorithms


@given(algorithm=algorithms(), seed=st.integers(0, 2**32 - 1), n=st.integers(1, 12))
def test_steps_equal_those_of_torch_optim(algorithm: Algorithm, seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    theta, gradients = random.normal(size=7), random.normal(size=(n, 7))
    rates = (algorithm.outer_lr * random.random(n)).tolist()
    found = torch.tensor(theta)
    moments = {
        name: torch.zeros(7, dtype=torch.float64)
        for name in outer.MOMENTS[algorithm.outer_optimizer]
    }
    for iteration, gradient in enumerate(gradients):
        found, moments = outer.step(
            algorithm, found, torch.tensor(gradient), moments, rates[iteration], iteration
        )
    expected = reference.outer_steps(algorithm, theta, list(gradients), rates)
    assert reference.distance(found.numpy(), expected) <= 1e-12


@given(algorithm=algorithms())
def test_a_step_changes_nothing_in_place(algorithm: Algorithm) -> None:
    names = outer.MOMENTS[algorithm.outer_optimizer]
    theta, gradient = torch.ones(3), torch.full((3,), 2.0)
    moments = {name: torch.full((3,), 0.5) for name in names}
    after, _ = outer.step(algorithm, theta, gradient, moments, 0.1, 0)
    assert after.tolist() != [1.0] * 3
    assert theta.tolist() == [1.0] * 3
    assert gradient.tolist() == [2.0] * 3
    assert all(vector.tolist() == [0.5] * 3 for vector in moments.values())


@given(algorithm=algorithms())
def test_a_step_returns_the_moments_for_the_next_one(algorithm: Algorithm) -> None:
    names = outer.MOMENTS[algorithm.outer_optimizer]
    moments = {name: torch.zeros(3) for name in names}
    _, after = outer.step(algorithm, torch.ones(3), torch.ones(3), moments, 0.1, 0)
    assert tuple(after) == names


def scheduler(name: str, optimizer: torch.optim.Optimizer, horizon: int) -> object:
    kinds = torch.optim.lr_scheduler
    if name == "linear":
        return kinds.LinearLR(optimizer, 1.0, 0.0, total_iters=horizon)
    if name == "cosine":
        return kinds.CosineAnnealingLR(optimizer, T_max=horizon)
    return kinds.ConstantLR(optimizer, 1.0, horizon)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("horizon", [1, 2, 7, 40])
def test_schedules_equal_those_of_torch_optim(name: str, horizon: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    theirs = scheduler(name, optimizer, horizon)
    algorithm = Fomaml(outer_lr=0.3, schedule=name)  # type: ignore[arg-type]
    expected = []
    for _ in range(horizon):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()  # type: ignore[attr-defined]
    # Theirs multiplies from rate to rate, ours is closed: some rounding for each iteration.
    found = outer.learning_rates(algorithm, 0, horizon, horizon)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-14)


@given(algorithm=algorithms(), horizon=st.integers(1, 100), iteration=st.integers(0, 10**6))
def test_a_schedule_starts_again_when_a_run_continues(
    algorithm: Algorithm, horizon: int, iteration: int
) -> None:
    once = outer.learning_rates(algorithm, iteration, 3, horizon)
    again = outer.learning_rates(algorithm, iteration + horizon, 3, horizon)
    assert once.tolist() == again.tolist()
    assert once.min() >= 0
    assert once.max() <= algorithm.outer_lr


@given(
    algorithm=algorithms(),
    horizon=st.integers(1, 10**6),
    first=st.integers(0, 10**6),
    n=st.integers(1, 40),
)
def test_a_rate_has_the_same_bits_alone_and_within_any_chunk(
    algorithm: Algorithm, horizon: int, first: int, n: int
) -> None:
    chunk = outer.learning_rates(algorithm, first, n, horizon).tolist()
    alone = [outer.learning_rates(algorithm, first + i, 1, horizon).item() for i in range(n)]
    assert chunk == alone
