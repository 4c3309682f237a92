"""The outer gradient of an iteration by autograd and by central differences, with PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from core.algorithms.base import Derivative, MetaBatch, Model
from core.config import RunConfig
from core.engines.base import TrainState, network_of, sampler_of
from core.engines.torch.engine import torch_model
from core.tasks.base import Floats

_STEPS = (1e-5, 1e-7)
"""Of central differences, the better of which counts: the longer may cross the kink of a ReLU."""
_DIRECTIONS = 4
"""Random directions of central differences, besides that of the gradient."""


class OtherGradients:
    """The gradient of the first iteration, computed in other ways than by its engine."""

    def __init__(self, config: RunConfig, start: TrainState) -> None:
        self._algorithm = config.algorithm
        self._model = torch_model(network_of(config))
        self._theta = torch.from_numpy(np.array(start.theta))
        data = config.algorithm.batches(sampler_of(config), start.iteration, 1)
        known = None if data.task_parameters is None else data.task_parameters[0]
        x, y, query_x, query_y = map(torch.from_numpy, data.iteration(0))
        given = None if known is None else torch.from_numpy(known)
        self._batch = MetaBatch(x, y, query_x, query_y, given)

    @property
    def factors(self) -> tuple[int, ...]:
        """What the derivative of the training loss, a mean, may be multiplied with."""
        tasks = len(self._batch.x)
        by_reduction = {"sum": (tasks,), "mean": (1,)}
        return by_reduction.get(getattr(self._algorithm, "reduction", ""), (1, tasks))

    def derivative(self, order: Derivative) -> Floats:
        """Return the derivative of the training loss of this order, by autograd."""
        theta = self._theta.clone().requires_grad_()
        model = _Autograd(self._model, constant=order == "first")
        with torch.enable_grad():
            loss, _ = self._algorithm.outer_gradient(model, theta, self._batch)
        if not loss.requires_grad:
            return np.zeros_like(self._theta.numpy())
        (gradient,) = torch.autograd.grad(loss, theta, materialize_grads=True)
        return gradient.numpy()

    def displacement(self) -> Floats:
        """Return theta - phi, the mean over tasks, with the gradients of autograd."""
        algorithm, batch, n = self._algorithm, self._batch, self._model.n_parameters
        model = _Autograd(self._model, constant=True)
        *_, phi = algorithm.adapt(
            *(model, self._theta, batch.x, batch.y, algorithm.steps, algorithm.inner_lr),
            batch.task_parameters,
        )
        moved = torch.zeros_like(self._theta)
        moved[:n] = self._theta[:n] - phi.detach().mean(0)
        return moved.numpy()

    def slopes(self, gradient: Floats, order: Derivative) -> float:
        """Return how far ``gradient`` is from central differences of the training loss."""
        length = float(np.linalg.norm(gradient)) or 1.0
        random = np.random.default_rng(0).normal(size=(_DIRECTIONS, len(gradient)))
        directions = [gradient / length, *(one / np.linalg.norm(one) for one in random)]
        held = _Held(self._model) if order == "first" else None
        if held:
            self._loss(held, np.zeros_like(gradient))
        model = held or self._model
        found = []
        for direction in directions:
            slopes = [self._slope(model, direction, step) for step in _STEPS]
            along = float(gradient @ direction)
            found.append(
                min(
                    abs(along - factor * slope) / length
                    for factor in self.factors
                    for slope in slopes
                )
            )
        return float(np.max(found))  # not a number, if one is not

    def _slope(self, model: Model, direction: Floats, step: float) -> float:
        ahead, behind = (self._loss(model, way * direction) for way in (step, -step))
        return (ahead - behind) / (2 * step)

    def _loss(self, model: Model, step: Floats) -> float:
        """Return the training loss at theta + ``step``."""
        if isinstance(model, _Held):
            model.restart()
        at = self._theta + torch.from_numpy(step)
        with torch.no_grad():
            return float(self._algorithm.outer_gradient(model, at, self._batch)[0])


class _Wrapped:
    """A model with the places of parameters of another one."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.n_parameters, self.head = model.n_parameters, model.head
        self.first_bias = model.first_bias

    def predict(self, params: Tensor, x: Tensor) -> Tensor:
        return self._model.predict(params, x)

    def hessian_vector(self, params: Tensor, x: Tensor, y: Tensor, vector: Tensor) -> Tensor:
        return self._model.hessian_vector(params, x, y, vector)


class _Autograd(_Wrapped):
    """A model whose gradients are those of autograd; if ``constant``, they have no derivative."""

    def __init__(self, model: Model, *, constant: bool) -> None:
        super().__init__(model)
        self._constant = constant

    def loss_and_gradient(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            at = params if params.requires_grad else params.detach().requires_grad_()
            losses = (self._model.predict(at, x) - y).square().mean((1, 2))
            (gradient,) = torch.autograd.grad(
                losses.sum(), at, create_graph=not self._constant, retain_graph=True
            )
        return losses, gradient


class _Held(_Wrapped):
    """A model that returns the gradients of its first use again at other parameters."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._gradients: list[Tensor] = []
        self._next = 0

    def restart(self) -> None:
        """Begin with the first gradient again."""
        self._next = 0

    def loss_and_gradient(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        losses, gradient = self._model.loss_and_gradient(params, x, y)
        if self._next == len(self._gradients):
            self._gradients.append(gradient)
        self._next += 1
        return losses, self._gradients[self._next - 1]
