"""Batches of random data, as every task family draws them."""

from dataclasses import dataclass

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
