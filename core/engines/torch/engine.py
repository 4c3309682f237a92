"""The reference engine: PyTorch on any device, batched over tasks, gradients written out."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.algorithms import optimizers as outer
from core.algorithms.base import Algorithm, MetaBatch, Model
from core.config import RunConfig
from core.engines.base import (
    Adaptation,
    Advance,
    FewShotSets,
    TrainState,
    network_of,
    sampler_of,
    untrained,
)
from core.errors import Advice, EngineError, place_of
from core.models.base import Network
from core.models.mlp import MLP
from core.models.module import ModuleModel, ModuleNetwork
from core.tasks.base import Floats

TASKS_AT_ONCE = 64
"""Tasks adapted together: their parameters still fit a core's cache, which is twice as fast."""


class TorchEngine:
    """Meta-iterations of one configuration on one device, one thread of the processor."""

    name = "torch"

    def __init__(self, config: RunConfig, note: str = "") -> None:
        self.note = note
        self.device = choose_device(config.device)
        self._config = config
        self._model = torch_model(network_of(config))
        self._sampler = sampler_of(config)
        # One thread per run: matrices this small gain nothing from more, and runs would compete.
        torch.set_num_threads(1)

    def initial_state(self) -> TrainState:
        return untrained(self._config)

    @torch.inference_mode()
    def advance(self, state: TrainState, n: int) -> Advance:
        config = self._config
        batches = config.algorithm.batches(self._sampler, state.iteration, n)
        x, y, query_x, query_y = map(self._tensor, batches.arrays)
        if query_x.dim() == 2:  # the same in all iterations
            query_x = query_x.expand(n, -1, -1)
        given = self._known(batches.task_parameters)
        theta = self._tensor(state.theta)
        moments = {name: self._tensor(vector) for name, vector in state.moments.items()}
        rates = outer.learning_rates(
            config.algorithm, state.iteration, n, config.iterations
        ).tolist()
        losses = []
        for index in range(n):
            iteration = state.iteration + index
            batch = MetaBatch(
                *(x[index], y[index], query_x[index], query_y[index]),
                None if given is None else given[index],
            )
            loss, gradient = config.algorithm.outer_gradient(self._model, theta, batch)
            if loss.shape or gradient.shape != theta.shape:
                raise _wrong_shapes(config.algorithm, loss, gradient, theta)
            theta, moments = outer.step(
                config.algorithm, theta, gradient, moments, rates[index], iteration
            )
            losses.append(loss)
        after = TrainState(
            state.iteration + n,
            theta.cpu().numpy(),
            {name: vector.cpu().numpy() for name, vector in moments.items()},
        )
        return Advance(after, torch.stack(losses).double().cpu().numpy() if n else np.empty(0))

    @torch.inference_mode()
    def adapt(
        self,
        theta: Floats,
        sets: FewShotSets,
        steps: Sequence[int],
        lr: float,
        *,
        every_step: bool = False,
    ) -> Adaptation:
        parts = [
            self._adapt_together(theta, sets.part(start, TASKS_AT_ONCE), steps, lr, every_step)
            for start in range(0, len(sets.support_x), TASKS_AT_ONCE)
        ]
        return Adaptation.joined(parts)

    def _adapt_together(
        self, theta: Floats, sets: FewShotSets, steps: Sequence[int], lr: float, every_step: bool
    ) -> Adaptation:
        support_x, support_y = self._tensor(sets.support_x), self._tensor(sets.support_y)
        query_x, query_y = self._tensor(sets.query_x), self._tensor(sets.query_y)
        data = support_x[:, None], support_y[:, None]
        algorithm, meta = self._config.algorithm, self._tensor(theta)
        reported = set(steps)
        predictions: list[Tensor] = []
        losses: list[Tensor] = []
        given = self._known(sets.task_parameters)
        path = algorithm.adapt(self._model, meta, *data, steps[-1], lr, given)
        for step, phi in enumerate(path):
            if step not in reported:
                continue
            predicted = self._model.predict(phi, query_x)
            losses.append((predicted - query_y).square().mean((1, 2)))
            if len(predictions) > 1 and not every_step:
                predictions.pop()
            predictions.append(predicted)
        return Adaptation(
            torch.stack(losses, 1).double().cpu().numpy(),
            torch.stack(predictions, 1).cpu().numpy(),
        )

    def _known(self, task_parameters: Floats | None) -> Tensor | None:
        return None if task_parameters is None else self._tensor(task_parameters)

    def _tensor(self, array: Floats) -> Tensor:
        contiguous = np.array(array, self._config.precision, order="C")
        return torch.from_numpy(contiguous).to(self.device)


def torch_model(network: Network) -> Model:
    """Return values and derivatives of ``network``, for one thread."""
    if isinstance(network, ModuleNetwork):
        return ModuleModel(network)
    assert isinstance(network, MLP)
    return TorchMLP(network)


class TorchMLP:
    """Forward pass, gradient and Hessian-vector product of an ``MLP``, for many vectors at once.

    Both derivatives are written out instead of left to autograd: the same products at a third of
    the cost.
    """

    def __init__(self, network: MLP) -> None:
        self.n_parameters = network.n_parameters
        self.head = slice(network.n_parameters - network.head_size, None)
        self.first_bias = network.first_bias
        self._shapes = list(network.shapes.values())
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        self._tanh = network.activation == "tanh"

    def predict(self, params: Tensor, x: Tensor) -> Tensor:
        """Return values ``(n_tasks, n_points, outputs)`` for ``params``, one vector a task."""
        return self._forward(self._layers(params), x)[-1]

    def loss_and_gradient(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Implement ``core.algorithms.base.Model``."""
        layers = self._layers(params)
        values = self._forward(layers, x)
        error = values[-1] - y
        delta = error * (2 / (y.shape[-2] * y.shape[-1]))
        gradients: list[Tensor] = []
        for index in range(len(layers) - 1, -1, -1):
            weight, _ = layers[index]
            inputs = values[index]
            gradients = [(delta.mT @ inputs).flatten(1), delta.sum(1), *gradients]
            if index:
                delta = self._slope(delta @ weight, inputs)
        return error.square().mean((1, 2)), torch.cat(gradients, 1)

    def hessian_vector(self, params: Tensor, x: Tensor, y: Tensor, vector: Tensor) -> Tensor:
        """Implement ``core.algorithms.base.Model``: the gradient's derivative along ``vector``.

        Forward over reverse (Pearlmutter 1994): ``_dot`` names derivatives along it.
        """
        layers, moves = self._layers(params), self._layers(vector)
        values = self._forward(layers, x)
        values_dot = self._forward_dot(layers, moves, values)
        scale = 2 / (y.shape[-2] * y.shape[-1])
        delta, delta_dot = (values[-1] - y) * scale, values_dot[-1] * scale
        products: list[Tensor] = []
        for index in range(len(layers) - 1, -1, -1):
            (weight, _), (weight_dot, _) = layers[index], moves[index]
            inputs, inputs_dot = values[index], values_dot[index]
            by_weight = delta_dot.mT @ inputs + delta.mT @ inputs_dot
            products = [by_weight.flatten(1), delta_dot.sum(1), *products]
            if index:
                back, back_dot = delta @ weight, delta_dot @ weight + delta @ weight_dot
                delta, delta_dot = self._slope(back, inputs), self._slope(back_dot, inputs)
                if self._tanh:
                    delta_dot = delta_dot - back * (2 * inputs * inputs_dot)
        return torch.cat(products, 1)

    def _forward_dot(
        self,
        layers: list[tuple[Tensor, Tensor]],
        moves: list[tuple[Tensor, Tensor]],
        values: list[Tensor],
    ) -> list[Tensor]:
        """Return the derivatives of ``_forward``'s ``values`` where parameters follow ``moves``."""
        dots = [torch.zeros_like(values[0])]
        for index, ((weight, _), (weight_dot, bias_dot)) in enumerate(
            zip(layers, moves, strict=True)
        ):
            dot = torch.baddbmm(bias_dot.unsqueeze(1), values[index], weight_dot.mT)
            dot = torch.baddbmm(dot, dots[-1], weight.mT)
            last = index == len(layers) - 1
            dots.append(dot if last else self._slope(dot, values[index + 1]))
        return dots

    def _forward(self, layers: list[tuple[Tensor, Tensor]], x: Tensor) -> list[Tensor]:
        """Return the input and every layer's output, each ``(n_tasks, n_points, n_units)``."""
        n_tasks = layers[0][0].shape[0]
        values = [x.expand(n_tasks, -1, -1)]
        for index, (weight, bias) in enumerate(layers):
            value = torch.baddbmm(bias.unsqueeze(1), values[-1], weight.mT)
            last = index == len(layers) - 1
            values.append(value if last else value.tanh() if self._tanh else value.relu())
        return values

    def _slope(self, delta: Tensor, output: Tensor) -> Tensor:
        """Return ``delta`` times the derivative of the activation, computed from its ``output``."""
        if self._tanh:
            return delta * (1 - output * output)
        return delta * (output > 0)

    def _layers(self, params: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return each layer's weight ``(n_tasks, n_out, n_in)`` and bias ``(n_tasks, n_out)``."""
        pieces = torch.split(params, self._sizes, 1)
        tensors = [
            piece.view(-1, *shape) for piece, shape in zip(pieces, self._shapes, strict=True)
        ]
        return list(zip(tensors[::2], tensors[1::2], strict=True))


def _wrong_shapes(
    algorithm: Algorithm, loss: Tensor, gradient: Tensor, theta: Tensor
) -> EngineError:
    place = place_of(type(algorithm).outer_gradient)
    found, wanted = (
        f"{tuple(a.shape)} and {tuple(b.shape)}"
        for a, b in ((loss, gradient), (theta.new_zeros(()), theta))
    )
    problem = f"outer_gradient must return a loss and a gradient of shapes {wanted}, not {found}"
    return EngineError(place, problem)


def choose_device(asked: str) -> str:
    """Return ``asked``, or the processor for "auto"; raises ``EngineError`` for a missing device.

    Auto means the processor: for networks of this size each step is shorter than starting a
    kernel on an accelerator.
    """
    available = {
        "auto": True,
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available[asked]:
        raise EngineError(f"device {asked}", "not found by PyTorch", Advice.USE_CPU)
    return "cpu" if asked == "auto" else asked
