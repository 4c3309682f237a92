"""The library ``higher``, used as in its examples, with first-order gradients only."""

from __future__ import annotations

import higher  # type: ignore[import-not-found,unused-ignore]
import torch
from torch.nn.functional import mse_loss

from benchmarks.peers.draws import SourceDraws
from benchmarks.peers.plain import network
from benchmarks.protocol import FOMAML


class Higher:
    """``innerloop_ctx`` around each task."""

    chunk = 1

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._draws = SourceDraws()
        self._model = network()
        self._inner = torch.optim.SGD(self._model.parameters(), lr=FOMAML.inner_lr)
        self._outer = torch.optim.SGD(self._model.parameters(), lr=FOMAML.outer_lr)

    def run(self, algorithm: str, iterations: int) -> None:
        for _ in range(iterations):
            self._outer.zero_grad()
            for _ in range(FOMAML.tasks):
                self._task()
            self._outer.step()

    def _task(self) -> None:
        (x, y), (query_x, query_y) = self._draws.few_shot()
        context = higher.innerloop_ctx(
            self._model, self._inner, copy_initial_weights=False, track_higher_grads=False
        )
        with context as (learner, optimizer):
            optimizer.step(mse_loss(learner(x), y))
            loss = mse_loss(learner(query_x), query_y)
            gradients = torch.autograd.grad(loss, list(learner.parameters()))
        for weight, gradient in zip(self._model.parameters(), gradients, strict=True):
            weight.grad = gradient if weight.grad is None else weight.grad + gradient
