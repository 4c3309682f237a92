"""The sampler of training data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.tasks.base import Batches, Floats
from core.tasks.counter_random import normals, scaled, uniform_blocks, uniforms
from core.tasks.family import QueryPoints, TaskFamily
from core.tasks.functions import points_of, query_grid, values_at, write_values
from core.tasks.streams import Stream

_BLOCK = 256
"""Iterations whose minibatches are drawn at once."""


@dataclass(frozen=True)
class TaskSampler:
    """Draws the training data of a run: the same for every engine and every chunk length.

    Each y has normal noise of standard deviation ``noise``. With ``fixed_tasks``, so many tasks are
    drawn once, and each training task is one of them.
    """

    family: TaskFamily
    seed: int
    dtype: str = "float32"
    stream: Stream = Stream.TRAINING
    noise: float = 0.0
    fixed_tasks: int = 0

    def few_shot(
        self,
        first: int,
        n: int,
        n_tasks: int,
        shots: int,
        query_points: int,
        query: QueryPoints = "grid",
    ) -> Batches:
        """Draw a support set of ``shots`` uniform points, and the query set, for each task."""
        family = self.family
        points = shots + (query_points if query == "random" else 0)
        task, place = family.draws, points * family.inputs
        width = task + place + self._noise_draws(shots + query_points)
        draws = uniforms(self.seed, self.stream, first, n, n_tasks * width)
        draws = draws.reshape(n, n_tasks, width)
        parameters = self._parameters(draws)
        x = scaled(draws[..., task : task + place], family.x).astype(self.dtype)
        x = points_of(family, parameters, x.reshape(n, n_tasks, points, family.inputs))
        y = values_at(family, parameters, x)
        query_x, query_y = x[:, :, shots:], y[:, :, shots:]
        if query == "grid":
            grid = query_grid(family, query_points, self.dtype)
            query_x = points_of(family, parameters, grid)
            query_y = values_at(family, parameters, query_x)
        if self.noise:
            noise = self._noise(draws[..., task + place :])
            y[:, :, :shots] += noise[:, :, :shots]
            query_y += noise[:, :, shots:]
        support = x[:, :, None, :shots], y[:, :, None, :shots]
        return Batches(*support, query_x, query_y, parameters)

    def minibatches(
        self, first: int, n: int, n_tasks: int, points: int, batch_size: int, epochs: int
    ) -> Batches:
        """Draw the query set of each task, shuffled for each epoch and cut into minibatches."""
        family, seen = self.family, epochs * points
        width = family.draws + seen + self._noise_draws(points)
        grid = query_grid(family, points, self.dtype)
        # Page faults on new memory would cost as much as the drawing itself. The allocator keeps
        # one array for both, and small ones next to it, between calls.
        features = np.empty((family.inputs + family.outputs) * n * n_tasks * seen, self.dtype)
        x, y = np.split(features, [family.inputs * n * n_tasks * seen])
        x = x.reshape(n, n_tasks, seen, family.inputs)
        y = y.reshape(n, n_tasks, seen, family.outputs)
        order = np.empty((min(n, _BLOCK), n_tasks, epochs, points), np.int64)
        parts = [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]
        sizes = [part.stop - part.start for part in parts]
        blocks = uniform_blocks(self.seed, self.stream, first, n_tasks * width, sizes)
        for part, size, block in zip(parts, sizes, blocks, strict=True):
            draws = block.reshape(-1, n_tasks, width)
            shuffled = draws[..., family.draws : family.draws + seen]
            _shuffle(shuffled.reshape(-1, n_tasks, epochs, points), order[:size])
            parameters = self._parameters(draws)
            points_seen = grid[order[:size]].reshape(-1, n_tasks, seen, family.inputs)
            x[part] = points_of(family, parameters, points_seen)
            write_values(family, parameters, x[part], y[part])
            if self.noise:
                noise = self._noise(draws[..., family.draws + seen :])
                places = order[:size].reshape(-1, n_tasks, seen, 1)
                y[part] += np.take_along_axis(noise, places, axis=2)
        shape = (n, n_tasks, seen // batch_size, batch_size)
        return Batches(
            x.reshape(*shape, family.inputs),
            y.reshape(*shape, family.outputs),
            np.empty((0, family.inputs), self.dtype),
            np.empty((n, n_tasks, 0, family.outputs), self.dtype),
        )

    def _parameters(self, draws: NDArray[np.float64]) -> Floats:
        draws = draws[..., : self.family.draws]
        if self.fixed_tasks and self.family.draws:
            draws = self._fixed[(draws[..., 0] * self.fixed_tasks).astype(np.int64)]
        return self.family.values(draws).astype(self.dtype)

    @cached_property
    def _fixed(self) -> NDArray[np.float64]:
        """The random numbers of each of the fixed tasks."""
        stream, n = Stream.FIXED_TASKS, self.fixed_tasks
        return uniforms(self.seed, stream, 0, n, self.family.draws)

    def _noise_draws(self, points: int) -> int:
        """Return how many random numbers the noise of so many points takes."""
        return 2 * points * self.family.outputs if self.noise else 0

    def _noise(self, draws: NDArray[np.float64]) -> Floats:
        """Return the noise of these ``draws``, ``(n, n_tasks, points, outputs)``."""
        noise: Floats = (self.noise * normals(draws)).astype(self.dtype)
        return noise.reshape(*draws.shape[:2], -1, self.family.outputs)


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
