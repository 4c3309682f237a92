"""Batches of random data, as every task family draws them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Batches:
    """Random data of n meta-iterations, ready for an engine.

    ``x`` is ``(n, n_tasks, n_minibatches, n_points, inputs)`` and ``y`` has as many values of
    ``outputs``; ``query_x`` is ``(n_query, inputs)`` for all tasks, or
    ``(n, n_tasks, n_query, inputs)``, and ``query_y`` ``(n, n_tasks, n_query, outputs)``, both
    without points for an algorithm without a query set. ``task_parameters``
    ``(n, n_tasks, n_parameters)`` are known where there is one minibatch.
    """

    x: Floats
    y: Floats
    query_x: Floats
    query_y: Floats
    task_parameters: Floats | None = None

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        """All points, in the order of the fields."""
        return self.x, self.y, self.query_x, self.query_y

    def iteration(self, index: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the points of one meta-iteration, in the same order."""
        query_x = self.query_x if self.query_x.ndim == 2 else self.query_x[index]
        return self.x[index], self.y[index], query_x, self.query_y[index]
