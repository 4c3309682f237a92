"""The outer gradient of a run, computed again by autograd and by central differences.

What an algorithm says that its outer gradient is, and what it proves to be, are both reported: a
term that was left out shows as the first order in place of the second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.algorithms.base import Algorithm, Derivative, MetaBatch, Model
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import TrainState, network_of, sampler_of
from core.engines.torch.engine import torch_model
from core.errors import EngineError, LabError, in_words
from core.tasks.base import Floats

EQUAL = 1e-9
"""Of the largest element. Rounding leaves some 1e-13."""
EQUAL_SLOPE = 1e-6
"""Of the gradient's length. The third derivative, and rounding, leave some 1e-9."""

_STEPS = (1e-5, 1e-7)
"""Of central differences, the better of which counts: the longer may cross the kink of a ReLU."""
_DIRECTIONS = 4
"""Random directions of central differences, besides that of the gradient."""


@dataclass(frozen=True)
class GradientCheck:
    """How far the outer gradient that ``engine`` computes is from other computations of it.

    ``autograd`` has its largest difference from each known derivative, over the largest element.
    ``slopes`` is the largest difference from central differences, over its length; None where it is
    not the derivative of anything.
    """

    algorithm: Algorithm
    engine: str
    size: int
    autograd: Mapping[Derivative, float]
    slopes: float | None

    @property
    def proved(self) -> tuple[Derivative, ...]:
        """What the gradient equals: nothing, or several where these are the same."""
        return tuple(name for name, far in self.autograd.items() if far <= EQUAL)

    @property
    def expected(self) -> Derivative:
        """What the algorithm says that it is; the nearest, if it does not say."""
        nearest = min(self.autograd.items(), key=lambda item: _rank(item[1]))
        return self.algorithm.derivative or nearest[0]

    @property
    def slopes_agree(self) -> bool:
        """True unless central differences show another gradient."""
        return self.slopes is None or self.slopes <= EQUAL_SLOPE

    @property
    def agrees(self) -> bool:
        """True if the gradient is what it should be."""
        return self.expected in self.proved and self.slopes_agree


def check_gradient(
    config: RunConfig, on_prepare: Callable[[str], None] = lambda _: None
) -> GradientCheck:
    """Compute the outer gradient of the first iteration in float64, in every way.

    The training loss is differentiated by autograd through all that the algorithm does, with the
    gradients of its inner steps (second order), and with these held constant (first order).
    ``on_prepare`` is called with a description before each slow preparation. Raises ``LabError``.

    >>> from core import Fomaml, Maml, RunConfig, check_gradient
    >>> check_gradient(RunConfig(algorithm=Maml())).proved
    ('second',)
    >>> check_gradient(RunConfig(algorithm=Fomaml())).proved
    ('first',)
    """
    try:
        return _check(config, on_prepare)
    except LabError:
        raise
    except Exception as error:
        raise EngineError(config.algorithm.title, in_words(error)) from error


def _check(config: RunConfig, on_prepare: Callable[[str], None]) -> GradientCheck:
    algorithm = dataclasses.replace(
        config.algorithm, outer_optimizer="sgd", schedule="constant", outer_lr=1.0
    )
    config = dataclasses.replace(config, algorithm=algorithm, precision="float64")
    engine = make_engine(config, on_prepare)
    start = engine.initial_state()
    # With this optimizer and rate, the step is the gradient.
    gradient = start.theta - engine.advance(start, 1).state.theta
    again = _Again(config, start)
    references: dict[Derivative, Floats] = {
        "second": again.derivative("second"),
        "first": again.derivative("first"),
        "displacement": again.displacement(),
        "zero": np.zeros_like(gradient),
    }
    scale = float(np.abs(gradient).max()) or 1.0
    autograd: dict[Derivative, float] = {}
    for name, reference in references.items():
        scaled = [factor * reference for factor in again.factors]
        autograd[name] = min(float(np.abs(gradient - one).max()) / scale for one in scaled)
    found = GradientCheck(config.algorithm, engine.name, len(gradient), autograd, None)
    if found.expected not in ("second", "first"):
        return found
    return dataclasses.replace(found, slopes=again.slopes(gradient, found.expected))


class _Again:
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
        return max(found, key=_rank)

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


def _rank(far: float) -> float:
    """Return a distance that can be compared: one that is not a number is the largest."""
    return far if np.isfinite(far) else np.inf
