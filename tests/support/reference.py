"""Reference implementation: plain modules, ``torch.autograd`` and ``torch.optim``.

Tasks and parameter tensors are processed one at a time; of ``core``, only settings are used.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.algorithms.anil import Anil
from core.algorithms.base import Algorithm
from core.algorithms.cavia import Cavia
from core.algorithms.fomaml import Fomaml
from core.algorithms.joint import JointTraining
from core.algorithms.maml import Maml
from core.algorithms.metasgd import MetaSgd
from core.algorithms.oracle import Oracle
from core.algorithms.random import RandomInitialisation
from core.algorithms.reptile import Reptile
from core.models.settings import NetworkConfig

RELATIVE = {"float64": 1e-9, "float32": 2e-3}
"""Error of an update over its largest element. In float64 some thousand operations leave 1e-13, and
the promise is 1e-9; in float32 cancelling sums over points leave up to some 1e-4."""

Array = NDArray[np.floating]


def sequential(network: NetworkConfig, theta: Array, inputs: int = 1) -> nn.Sequential:
    """Build the network as a user of PyTorch would, with a copy of ``theta``."""
    sizes = (inputs, *network.hidden, 1)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.Tanh() if network.activation == "tanh" else nn.ReLU()]
    net = nn.Sequential(*layers[:-1]).to(torch.float64)
    nn.utils.vector_to_parameters(torch.tensor(theta, dtype=torch.float64), net.parameters())
    return net


def flat(net: nn.Module) -> Array:
    """Return all parameters of ``net`` in one vector."""
    return nn.utils.parameters_to_vector(net.parameters()).detach().numpy()


def loss_of(net: nn.Module, x: Array, y: Array) -> Tensor:
    """Return the mean squared error."""
    targets = torch.tensor(y, dtype=torch.float64).reshape(-1, 1)
    inputs = torch.tensor(x, dtype=torch.float64).reshape(len(targets), -1)
    return nn.functional.mse_loss(net(inputs), targets)


def sgd_step(net: nn.Module, x: Array, y: Array, lr: float) -> float:
    """Take one step of ``torch.optim.SGD``; return the loss before it."""
    return step(torch.optim.SGD(net.parameters(), lr=lr), net, x, y)


def inner_optimizer(algorithm: Reptile, net: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer of one task's inner loop."""
    if algorithm.inner_optimizer == "adam":
        betas = algorithm.inner_betas
        return torch.optim.Adam(net.parameters(), lr=algorithm.inner_lr, betas=betas)
    return torch.optim.SGD(net.parameters(), lr=algorithm.inner_lr)


def step(optimizer: torch.optim.Optimizer, net: nn.Module, x: Array, y: Array) -> float:
    """Take one step of ``optimizer``; return the loss before it."""
    optimizer.zero_grad()
    loss = loss_of(net, x, y)
    loss.backward()
    optimizer.step()
    return loss.item()


def outer_gradient(
    algorithm: Algorithm,
    net: nn.Module,
    x: Array,
    y: Array,
    query_x: Array,
    query_y: Array,
    beside: Array | None = None,
    known: Array | None = None,
) -> tuple[float, Array]:
    """Return training loss and outer gradient at ``net``; shapes as in ``MetaBatch``.

    ``beside`` is what is learned beside the network, such as the inner rates of Meta-SGD, and
    ``known`` are the parameters of the tasks.
    """
    query_x = np.broadcast_to(query_x, (len(query_y), *query_x.shape[-2:]))
    if isinstance(algorithm, Fomaml):
        return _fomaml(algorithm, net, x[:, 0], y[:, 0], query_x, query_y)
    if isinstance(algorithm, Maml):
        rates = _rates(algorithm, net, beside)
        return _maml(algorithm, net, rates, (x[:, 0], y[:, 0]), (query_x, query_y))
    if isinstance(algorithm, Cavia):
        assert beside is not None
        return _cavia(algorithm, net, beside, (x[:, 0], y[:, 0]), (query_x, query_y))
    if isinstance(algorithm, Oracle):
        assert beside is not None
        assert known is not None
        return _oracle(net, beside, (x[:, 0], y[:, 0]), known)
    if isinstance(algorithm, JointTraining):
        losses = [loss_of(net, *task) for task in zip(x[:, 0], y[:, 0], strict=True)]
        loss = torch.stack(losses).mean()
        if isinstance(algorithm, RandomInitialisation):
            return loss.item(), np.zeros_like(flat(net))
        return loss.item(), _joined(torch.autograd.grad(loss, list(net.parameters())))
    assert isinstance(algorithm, Reptile)
    return _reptile(algorithm, net, x, y)


def _fomaml(
    algorithm: Fomaml, net: nn.Module, x: Array, y: Array, query_x: Array, query_y: Array
) -> tuple[float, Array]:
    losses, gradients = [], []
    for task in range(algorithm.tasks):
        adapted = copy.deepcopy(net)
        for _ in range(algorithm.inner_steps):
            sgd_step(adapted, x[task], y[task], algorithm.inner_lr)
        loss = loss_of(adapted, query_x[task], query_y[task])
        parts = torch.autograd.grad(loss, list(adapted.parameters()))
        gradients.append(torch.cat([part.reshape(-1) for part in parts]).numpy())
        losses.append(loss.item())
    total = np.sum(gradients, axis=0)
    return float(np.mean(losses)), total if algorithm.reduction == "sum" else total / len(losses)


def _rates(algorithm: Maml, net: nn.Module, alpha: Array | None) -> list[Tensor]:
    """Return an inner rate for each element of each parameter tensor."""
    parameters = list(net.parameters())
    if isinstance(algorithm, MetaSgd):
        assert alpha is not None
        pieces = torch.split(torch.tensor(alpha), [one.numel() for one in parameters])
        shaped = [piece.reshape(one.shape) for piece, one in zip(pieces, parameters, strict=True)]
        return [one.clone().requires_grad_() for one in shaped]
    rates = [torch.full_like(one, algorithm.inner_lr) for one in parameters]
    if isinstance(algorithm, Anil):
        rates[:-2] = [torch.zeros_like(one) for one in rates[:-2]]
    return rates


def _maml(
    algorithm: Maml,
    net: nn.Module,
    rates: list[Tensor],
    support: tuple[Array, Array],
    query: tuple[Array, Array],
) -> tuple[float, Array]:
    theta = {name: one.detach().requires_grad_() for name, one in net.named_parameters()}
    losses = []
    for x, y, query_x, query_y in zip(*support, *query, strict=True):
        phi = theta
        for _ in range(algorithm.inner_steps):
            loss = _loss_at(net, phi, x, y)
            second = algorithm.order == "second"
            gradients = torch.autograd.grad(loss, list(phi.values()), create_graph=second)
            moved = zip(phi.items(), rates, gradients, strict=True)
            phi = {name: one - rate * gradient for (name, one), rate, gradient in moved}
        losses.append(_loss_at(net, phi, query_x, query_y))
    total = torch.stack(losses).sum()
    learned = [*theta.values(), *(rates if isinstance(algorithm, MetaSgd) else ())]
    gradient = _joined(torch.autograd.grad(total, learned))
    mean = total.item() / len(losses)
    return mean, gradient if algorithm.reduction == "sum" else gradient / len(losses)


def _loss_at(net: nn.Module, phi: dict[str, Tensor], x: Array, y: Array) -> Tensor:
    targets = torch.tensor(y, dtype=torch.float64).reshape(-1, 1)
    inputs = torch.tensor(x, dtype=torch.float64).reshape(len(targets), -1)
    return nn.functional.mse_loss(torch.func.functional_call(net, phi, inputs), targets)


class WithInputs(nn.Module):
    """``net`` with further inputs beside x, which have the weights ``beside``."""

    def __init__(self, net: nn.Module, beside: Array) -> None:
        super().__init__()
        self.net = net
        first = next(net.children())
        assert isinstance(first, nn.Linear)
        self.weights = nn.Parameter(torch.tensor(beside).reshape(first.out_features, -1))

    def forward(self, x: Tensor, others: Tensor) -> Tensor:
        first, *later = self.net.children()
        inputs = torch.cat([x, others.expand(len(x), -1)], 1)
        weights = torch.cat([first.weight, self.weights], 1)
        return nn.Sequential(*later)(nn.functional.linear(inputs, weights, first.bias))

    def loss(self, x: Array, y: Array, others: Tensor) -> Tensor:
        inputs, targets = (torch.tensor(one, dtype=torch.float64).reshape(-1, 1) for one in (x, y))
        return nn.functional.mse_loss(self(inputs, others), targets)

    def outer(self, losses: Sequence[Tensor], reduction: str) -> tuple[float, Array]:
        """Return the mean of the losses, and the derivative of their ``reduction``."""
        mean = torch.stack(losses).mean()
        parameters = [*self.net.parameters(), self.weights]
        gradient = _joined(torch.autograd.grad(mean, parameters))
        return mean.item(), gradient * (len(losses) if reduction == "sum" else 1)


def _cavia(
    algorithm: Cavia,
    net: nn.Module,
    beside: Array,
    support: tuple[Array, Array],
    query: tuple[Array, Array],
) -> tuple[float, Array]:
    """Algorithm 1 of Zintgraf et al. (2019), with real context inputs."""
    whole, losses = WithInputs(net, beside), []
    for x, y, query_x, query_y in zip(*support, *query, strict=True):
        context = torch.zeros(algorithm.context_inputs, dtype=torch.float64, requires_grad=True)
        for _ in range(algorithm.inner_steps):
            loss = whole.loss(x, y, context)
            (gradient,) = torch.autograd.grad(loss, context, create_graph=True)
            context = context - algorithm.inner_lr * gradient
        losses.append(whole.loss(query_x, query_y, context))
    return whole.outer(losses, algorithm.reduction)


def _oracle(
    net: nn.Module, beside: Array, support: tuple[Array, Array], known: Array
) -> tuple[float, Array]:
    whole = WithInputs(net, beside)
    tasks = zip(*support, torch.tensor(known, dtype=torch.float64), strict=True)
    return whole.outer([whole.loss(*task) for task in tasks], "mean")


def _joined(parts: Sequence[Tensor]) -> Array:
    return torch.cat([part.reshape(-1) for part in parts]).detach().numpy()


def _reptile(algorithm: Reptile, net: nn.Module, x: Array, y: Array) -> tuple[float, Array]:
    losses, ends = [], []
    for task in range(algorithm.tasks):
        adapted = copy.deepcopy(net)
        optimizer = inner_optimizer(algorithm, adapted)
        for minibatch in range(x.shape[1]):
            losses.append(step(optimizer, adapted, x[task, minibatch], y[task, minibatch]))
        ends.append(flat(adapted))
    return float(np.mean(losses)), flat(net) - np.mean(ends, axis=0)


def outer_steps(
    algorithm: Algorithm, theta: Array, gradients: Sequence[Array], rates: Sequence[float]
) -> Array:
    """Return ``theta`` after an outer step with each gradient, by ``torch.optim``."""
    parameter = nn.Parameter(torch.tensor(theta, dtype=torch.float64))
    optimizer: torch.optim.Optimizer
    if algorithm.outer_optimizer == "adam":
        optimizer = torch.optim.Adam([parameter], betas=algorithm.adam_betas)
    elif algorithm.outer_optimizer == "momentum":
        optimizer = torch.optim.SGD([parameter], momentum=algorithm.momentum)
    else:
        optimizer = torch.optim.SGD([parameter])
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    return parameter.detach().numpy()


def distance(found: Array, expected: Array) -> float:
    """Return the largest difference over the largest expected element."""
    scale = float(np.abs(expected).max())
    return float(np.abs(found - expected).max()) / (scale or 1.0)
