"""A plain PyTorch port of the source: modules, autograd and optimizers, task by task."""

# PyTorch's `backward` has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from benchmarks.peers.draws import Draws, SourceDraws
from benchmarks.protocol import FOMAML, REPTILE, UNITS


class Plain:
    """A line-by-line port."""

    chunk = 1

    def __init__(self, draws: Draws | None = None, model: nn.Module | None = None) -> None:
        torch.set_num_threads(1)
        self._draws = draws or SourceDraws()
        self.model = model or network()
        self._parameters = list(self.model.parameters())
        self._inner = torch.optim.SGD(self._parameters, lr=FOMAML.inner_lr)
        self._outer = torch.optim.SGD(self._parameters, lr=FOMAML.outer_lr)

    def run(self, algorithm: str, iterations: int) -> None:
        iteration = self.fomaml if algorithm == "fomaml" else self.reptile
        for _ in range(iterations):
            iteration()

    def fomaml(self) -> None:
        """Sum the query gradients at each task's adapted weights; apply the sum to the old ones."""
        before = self._copy()
        sums = [torch.zeros_like(weight) for weight in before]
        for _ in range(FOMAML.tasks):
            (x, y), (query_x, query_y) = self._draws.few_shot()
            self._step(x, y)
            self._inner.zero_grad()
            mse_loss(self.model(query_x), query_y).backward()
            for total, weight in zip(sums, self._parameters, strict=True):
                assert weight.grad is not None
                total += weight.grad
            self._restore(before)
        for weight, total in zip(self._parameters, sums, strict=True):
            weight.grad = total
        self._outer.step()

    def reptile(self) -> None:
        """Train on a task's minibatches, then move part of the way to the result."""
        before = self._copy()
        for x, y in self._draws.minibatches():
            self._step(x, y)
        with torch.no_grad():
            for weight, old in zip(self._parameters, before, strict=True):
                weight.copy_(old + REPTILE.outer_lr * (weight - old))

    def _step(self, x: Tensor, y: Tensor) -> None:
        self._inner.zero_grad()
        mse_loss(self.model(x), y).backward()
        self._inner.step()

    def _copy(self) -> list[Tensor]:
        return [weight.detach().clone() for weight in self._parameters]

    def _restore(self, weights: list[Tensor]) -> None:
        with torch.no_grad():
            for weight, old in zip(self._parameters, weights, strict=True):
                weight.copy_(old)


def network() -> nn.Sequential:
    """Create the source's network."""
    return nn.Sequential(
        nn.Linear(1, UNITS), nn.Tanh(), nn.Linear(UNITS, UNITS), nn.Tanh(), nn.Linear(UNITS, 1)
    )
