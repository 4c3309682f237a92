"""A loss curve of bounded size, whatever the number of iterations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.events import Curve

CAPACITY = 1024


class CurveBuilder:
    """Averages the losses of all iterations into points; when full, it merges neighbors."""

    def __init__(self) -> None:
        self._means: NDArray[np.float64] = np.empty(0)
        self._pending: NDArray[np.float64] = np.empty(0)
        self._per_point = 1

    def extend(self, losses: NDArray[np.float64]) -> None:
        """Add the losses ``(n,)`` of the next n iterations."""
        self._pending = np.concatenate([self._pending, losses])
        while len(self._pending) >= self._per_point:
            room = CAPACITY - len(self._means)
            points = min(room, len(self._pending) // self._per_point)
            used = points * self._per_point
            means = self._pending[:used].reshape(points, self._per_point).mean(1)
            self._means = np.concatenate([self._means, means])
            self._pending = self._pending[used:]
            if len(self._means) == CAPACITY:
                self._means = self._means.reshape(-1, 2).mean(1)
                self._per_point *= 2

    def build(self) -> Curve:
        """Return the curve so far."""
        ends = np.arange(1, len(self._means) + 1) * self._per_point
        return Curve(tuple(ends.tolist()), tuple(self._means.tolist()))
