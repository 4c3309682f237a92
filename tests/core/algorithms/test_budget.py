"""What an iteration uses is counted here, while it runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.algorithms.base import Algorithm, Budget, MetaBatch
from core.algorithms.fomaml import Fomaml
from core.algorithms.registry import ALGORITHMS
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.engines.base import untrained
from core.engines.torch.engine import TorchMLP
from core.events import Spent, spent
from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from core.tasks.sampler import TaskSampler
from core.tasks.sine import SineTasks
from tests.support.strategies import fomamls, reptiles

SMALL = NetworkConfig(hidden=(4,))
NETWORK = MLP.of(SMALL)


class CountingModel:
    """A network that counts the gradients of single tasks' losses."""

    def __init__(self) -> None:
        self.gradients = 0
        self._model = TorchMLP(NETWORK)
        self.n_parameters, self.head = self._model.n_parameters, self._model.head
        self.first_bias = self._model.first_bias

    def loss_and_gradient(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        losses, gradients = self._model.loss_and_gradient(params, x, y)
        self.gradients += len(gradients)
        return losses, gradients

    def hessian_vector(self, params: Tensor, x: Tensor, y: Tensor, vector: Tensor) -> Tensor:
        """A product costs as much as two gradients."""
        self.gradients += 2 * len(params)
        return self._model.hessian_vector(params, x, y, vector)


def counted(algorithm: Algorithm) -> Budget:
    """What the first iteration uses: points are counted once, however often they are used."""
    data = algorithm.batches(TaskSampler(SineTasks(), 3, "float64"), 0, 1)
    x, y, query_x, query_y = map(torch.from_numpy, (data.x, data.y, data.query_x, data.query_y))
    model = CountingModel()
    config = RunConfig(algorithm=algorithm, network=SMALL, precision="float64")
    theta = torch.from_numpy(np.array(untrained(config).theta))
    known = None if data.task_parameters is None else torch.from_numpy(data.task_parameters[0])
    algorithm.outer_gradient(model, theta, MetaBatch(x[0], y[0], query_x, query_y[0], known))
    support = sum(len(np.unique(of_task)) for of_task in data.x[0])
    return Budget(len(data.x[0]), support + query_y[0].numel(), model.gradients)


@given(algorithm=fomamls())
def test_the_budget_of_fomaml_is_what_an_iteration_uses(algorithm: Fomaml) -> None:
    assert counted(algorithm) == algorithm.budget


@given(algorithm=reptiles())
def test_the_budget_of_reptile_is_what_an_iteration_uses(algorithm: Reptile) -> None:
    assert counted(algorithm) == algorithm.budget


@pytest.mark.parametrize("algorithm", [kind() for kind in ALGORITHMS.values()])  # type: ignore[call-arg]
def test_the_budget_of_every_algorithm_is_what_an_iteration_uses(algorithm: Algorithm) -> None:
    assert counted(algorithm) == algorithm.budget


def test_the_usual_budgets() -> None:
    assert Fomaml().budget == Budget(tasks=3, points=3 * (10 + 50), gradients=3 * 2)
    assert Reptile().budget == Budget(tasks=1, points=50, gradients=5)
    assert Reptile(inner_epochs=3, tasks=2).budget == Budget(tasks=2, points=100, gradients=30)


@given(iterations=st.integers(0, 10**9), seconds=st.floats(0, 1e6))
def test_a_run_has_spent_the_budget_of_each_iteration(iterations: int, seconds: float) -> None:
    expected = Spent(3 * iterations, 180 * iterations, 6 * iterations, seconds)
    assert spent(Fomaml().budget, iterations, seconds) == expected
