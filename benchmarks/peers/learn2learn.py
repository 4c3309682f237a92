"""learn2learn's ``MAML(first_order=True)``: its clone-and-adapt update, written for this benchmark.

A reimplementation after its documentation, ``clone_module`` and ``maml_update``, because its last
release no longer builds on this Python. ``clone`` copies the module with parameters that are nodes
of the graph, ``adapt`` replaces them by p - lr * grad, and ``backward`` of the query loss reaches
the meta-parameters through both.
"""

# PyTorch's `backward` has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from benchmarks.peers.draws import Draws, SourceDraws
from benchmarks.peers.plain import network
from benchmarks.protocol import FOMAML


class Learn2Learn:
    """The usual loop around ``maml.clone()`` and ``learner.adapt(loss)``."""

    chunk = 1

    def __init__(self, draws: Draws | None = None, model: nn.Module | None = None) -> None:
        torch.set_num_threads(1)
        self._draws = draws or SourceDraws()
        self.model = model or network()
        self._outer = torch.optim.SGD(self.model.parameters(), lr=FOMAML.outer_lr)

    def run(self, algorithm: str, iterations: int) -> None:
        for _ in range(iterations):
            self._outer.zero_grad()
            for _ in range(FOMAML.tasks):
                (x, y), (query_x, query_y) = self._draws.few_shot()
                learner = clone(self.model)
                adapt(learner, mse_loss(learner(x), y), FOMAML.inner_lr)
                mse_loss(learner(query_x), query_y).backward()
            self._outer.step()


def clone(module: nn.Module) -> nn.Module:
    """Copy ``module``; the copy's parameters are clones in the graph of the original's."""
    copy = module.__new__(type(module))
    copy.__dict__ = module.__dict__.copy()
    copy._parameters = {
        name: parameter if parameter is None else cast(nn.Parameter, parameter.clone())
        for name, parameter in module._parameters.items()
    }
    copy._modules = {
        name: child if child is None else clone(child) for name, child in module._modules.items()
    }
    return copy


def adapt(learner: nn.Module, loss: Tensor, lr: float) -> None:
    """Take one first-order step: the gradient is a constant of the graph."""
    gradients = iter(torch.autograd.grad(loss, list(learner.parameters())))
    for module in learner.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                stepped = parameter - lr * next(gradients)
                module._parameters[name] = cast(nn.Parameter, stepped)
