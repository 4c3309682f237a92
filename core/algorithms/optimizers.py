"""The outer step: applies an outer gradient to the meta-parameters.

Plain SGD, momentum (Polyak 1964) and Adam (Kingma and Ba 2015, algorithm 1), under a step size
schedule. As in ``core.algorithms``, only methods of tensors are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.algorithms.base import Algorithm

if TYPE_CHECKING:
    from torch import Tensor

ADAM_EPSILON = 1e-8

MOMENTS = {"sgd": (), "momentum": ("velocity",), "adam": ("mean", "variance")}
"""Names of the vectors that each outer optimiser keeps between iterations."""


def learning_rates(algorithm: Algorithm, first: int, n: int, horizon: int) -> NDArray[np.float64]:
    """Return the outer learning rates ``(n,)`` from iteration ``first`` on, of ``horizon`` in all.

    A run that continues past its horizon starts the schedule again (a warm restart, Loshchilov
    and Hutter 2017), so that the rate stays a function of the iteration alone.
    """
    progress = np.arange(first, first + n) % horizon / horizon
    if algorithm.schedule == "linear":
        factors = 1 - progress
    elif algorithm.schedule == "cosine":
        factors = (1 + np.cos(np.pi * progress)) / 2
    else:
        factors = np.ones(n)
    return algorithm.outer_lr * factors


def step(
    algorithm: Algorithm,
    theta: Tensor,
    gradient: Tensor,
    moments: dict[str, Tensor],
    lr: float,
    iteration: int,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return meta-parameters and moments after one outer step; nothing is changed in place."""
    if algorithm.outer_optimizer == "momentum":
        velocity = moments["velocity"] * algorithm.momentum + gradient
        return theta.sub(velocity, alpha=lr), {"velocity": velocity}
    if algorithm.outer_optimizer == "adam":
        return adam_step(theta, gradient, moments, algorithm.adam_betas, lr, iteration)
    return theta.sub(gradient, alpha=lr), {}


def adam_step(
    parameters: Tensor,
    gradient: Tensor,
    moments: dict[str, Tensor],
    betas: tuple[float, float],
    lr: float,
    iteration: int,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return parameters and moments after a step of Adam, the first of which is number 0."""
    beta1, beta2 = betas
    mean = moments["mean"] * beta1 + gradient * (1 - beta1)
    variance = moments["variance"] * beta2 + gradient * gradient * (1 - beta2)
    unbiased_mean = mean / (1 - beta1 ** (iteration + 1))
    unbiased_variance = variance / (1 - beta2 ** (iteration + 1))
    direction = unbiased_mean / (unbiased_variance.sqrt() + ADAM_EPSILON)
    return parameters.sub(direction, alpha=lr), {"mean": mean, "variance": variance}
