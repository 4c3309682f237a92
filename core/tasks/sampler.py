"""The sampler of the tasks and points of sine waves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.tasks.base import Batches, Floats
from core.tasks.counter_random import scaled, uniform_blocks, uniforms
from core.tasks.sine import SineTasks
from core.tasks.streams import Stream

QUERY_POINTS = 50
"""Points of the query grid of an evaluation."""

_BLOCK = 256
"""Iterations whose minibatches are drawn at once."""


def query_grid(tasks: SineTasks, points: int = QUERY_POINTS, dtype: str = "float64") -> Floats:
    """Return ``points`` equally spaced values of x, both ends included."""
    return np.linspace(*tasks.x, points).astype(dtype)


@dataclass(frozen=True)
class SineSampler:
    """Draws the training data of a run: the same for every engine and every chunk length."""

    tasks: SineTasks
    seed: int
    dtype: str = "float32"
    stream: Stream = Stream.TRAINING

    def few_shot(self, first: int, n: int, n_tasks: int, shots: int, query_points: int) -> Batches:
        """Draw a support set of ``shots`` uniform points, and the query grid, for each task."""
        draws = uniforms(self.seed, self.stream, first, n, n_tasks * (2 + shots))
        draws = draws.reshape(n, n_tasks, 2 + shots)
        amplitude, phase = self._waves(draws)
        x = scaled(draws[..., 2:], self.tasks.x).astype(self.dtype)
        grid = query_grid(self.tasks, query_points, self.dtype)
        y = _sines(amplitude, phase, x)
        return Batches(x[:, :, None], y[:, :, None], grid, _sines(amplitude, phase, grid))

    def minibatches(
        self, first: int, n: int, n_tasks: int, points: int, batch_size: int, epochs: int
    ) -> Batches:
        """Draw the grid of each task, shuffled for each epoch and cut into minibatches."""
        width = 2 + epochs * points
        grid = query_grid(self.tasks, points, self.dtype)
        # Page faults on new memory would cost as much as the drawing itself. The allocator keeps
        # one array for both, and small ones next to it, between calls.
        x, y = np.empty((2, n, n_tasks, epochs * points), self.dtype)
        order = np.empty((min(n, _BLOCK), n_tasks, epochs, points), np.int64)
        parts = [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]
        sizes = [part.stop - part.start for part in parts]
        blocks = uniform_blocks(self.seed, self.stream, first, n_tasks * width, sizes)
        for part, size, block in zip(parts, sizes, blocks, strict=True):
            draws = block.reshape(-1, n_tasks, width)
            _shuffle(draws[..., 2:].reshape(-1, n_tasks, epochs, points), order[:size])
            x[part] = grid[order[:size]].reshape(-1, n_tasks, epochs * points)
            _sines(*self._waves(draws), x[part], y[part])
        shape = (n, n_tasks, epochs * points // batch_size, batch_size)
        return Batches(
            x.reshape(shape),
            y.reshape(shape),
            np.empty(0, self.dtype),
            np.empty((n, n_tasks, 0), self.dtype),
        )

    def _waves(self, draws: NDArray[np.float64]) -> tuple[Floats, Floats]:
        amplitude = scaled(draws[..., 0:1], self.tasks.amplitude)
        phase = scaled(draws[..., 1:2], self.tasks.phase)
        return amplitude.astype(self.dtype), phase.astype(self.dtype)


def _shuffle(draws: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    """Write to ``order`` the orders that sort uniform ``draws`` of [0, 1) along the last axis.

    Such numbers sort like their bits. The lowest bits are replaced by the place, so that integers
    are sorted, in half the time of an argsort; no two are equal, so every machine finds the same
    order.
    """
    count = draws.shape[-1]
    places = (1 << (count - 1).bit_length()) - 1
    np.bitwise_and(draws.view(np.int64), ~places, out=order)
    order |= np.arange(count)
    order.sort()
    order &= places


def _sines(amplitude: Floats, phase: Floats, x: Floats, y: Floats | None = None) -> Floats:
    """Compute ``amplitude * sin(x + phase)``, in ``y`` or one new array."""
    y = np.add(x, phase, out=y)
    np.sin(y, out=y)
    y *= amplitude
    return y
