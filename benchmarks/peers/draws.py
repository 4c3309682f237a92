"""Random tasks drawn as in the source: one at a time, with the framework's own generator."""

# PyTorch's `split` has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]
"""x and y, each ``(n_points, 1)``."""


class Draws(Protocol):
    """The random data of a peer."""

    def few_shot(self) -> tuple[Batch, Batch]:
        """Draw the support set and the query set of a new task."""

    def minibatches(self) -> Sequence[Batch]:
        """Draw the minibatches of a new task."""


class SourceDraws:
    """As in the source: a random wave, uniform support points, a shuffled grid."""

    def __init__(self) -> None:
        self._grid = torch.linspace(-5, 5, 50).unsqueeze(1)

    def few_shot(self) -> tuple[Batch, Batch]:
        wave = _random_wave()
        x = torch.rand(10, 1) * 10 - 5
        return (x, wave(x)), (self._grid, wave(self._grid))

    def minibatches(self) -> Sequence[Batch]:
        y = _random_wave()(self._grid)
        return [(self._grid[part], y[part]) for part in torch.randperm(50).split(10)]


def _random_wave() -> Callable[[Tensor], Tensor]:
    amplitude, phase = random.uniform(0.1, 5), random.uniform(0, 2 * math.pi)
    return lambda x: amplitude * torch.sin(x + phase)
