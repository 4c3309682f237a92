"""Interfaces of all task families: batches of random data, and the sampler that draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Batches:
    """Random data of n meta-iterations, ready for an engine.

    ``x`` and ``y`` are ``(n, n_tasks, n_minibatches, n_points)``; ``query_x`` is ``(n_query,)`` and
    ``query_y`` ``(n, n_tasks, n_query)``, both empty for an algorithm without a query set.
    """

    x: Floats
    y: Floats
    query_x: Floats
    query_y: Floats


class Sampler(Protocol):
    """Draws the training data of a run: the same for every engine and every chunk length."""

    def few_shot(self, first: int, n: int, n_tasks: int, shots: int, query_points: int) -> Batches:
        """Draw support sets of ``shots`` random points, and the query grid, for ``n`` iterations.

        The first iteration is ``first``, counted from 0.
        """

    def minibatches(
        self, first: int, n: int, n_tasks: int, points: int, batch_size: int, epochs: int
    ) -> Batches:
        """Draw each task's grid of ``points``, shuffled per epoch and cut into minibatches."""
