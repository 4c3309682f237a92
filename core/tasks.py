"""Sine waves, their distribution, and random data as a pure function of (seed, stream, iteration).

Randomness is by counter (Philox, Salmon et al. 2011): each iteration owns a fixed block of the
stream, so any iteration is reached at once and no generator state is ever stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from core.config import SineTasks

Floats = NDArray[np.floating]

QUERY_POINTS = 50
"""Points of the query grid of an evaluation."""

_WORDS_PER_COUNT = 4
"""Random doubles that one count of the 4x64-bit Philox yields."""

_BLOCK = 256
"""Iterations of minibatches that are drawn at once."""


class Stream(IntEnum):
    """Independent streams of one seed; a number, once given, is never used for another purpose."""

    INITIALISATION = 0
    TRAINING = 1
    VALIDATION = 2
    RANDOM_PROBE = 3
    STANDARD_PROBE = 4
    HALF_RANGE_PROBE = 5
    MANY_TASKS = 6
    MANY_TASKS_HALF_RANGE = 7
    BEYOND_RANGE = 8
    NOISY = 9
    ONE_POINT = 10
    CONTRADICTORY = 11
    LAB = 12


def uniforms(seed: int, stream: Stream, first: int, n: int, width: int) -> NDArray[np.float64]:
    """Uniform numbers of [0, 1) for iterations ``first`` to ``first + n - 1``: ``(n, width)``."""
    return next(uniform_blocks(seed, stream, first, width, [n]))


def uniform_blocks(
    seed: int, stream: Stream, first: int, width: int, sizes: Iterable[int]
) -> Iterator[NDArray[np.float64]]:
    """The same for as many iterations as each of ``sizes`` says, one block after the other."""
    counts = -(-width // _WORDS_PER_COUNT)
    philox = np.random.Philox(key=np.array([seed, stream], np.uint64), counter=first * counts)
    generator = np.random.Generator(philox)
    for size in sizes:
        yield generator.random((size, counts * _WORDS_PER_COUNT))[:, :width]


@dataclass(frozen=True)
class SineWave:
    """y = amplitude * sin(x + phase)."""

    amplitude: float
    phase: float

    def __call__(self, x: Floats) -> Floats:
        """The wave at ``x``, of any shape, in the precision of ``x`` (float64 if that has none)."""
        kind = x.dtype.type if x.dtype.kind == "f" else np.float64
        return kind(self.amplitude) * np.sin(x + kind(self.phase))

    def __str__(self) -> str:
        return f"SineWave(amplitude = {self.amplitude}, phase shift = {self.phase})"


def query_grid(tasks: SineTasks, points: int = QUERY_POINTS, dtype: str = "float64") -> Floats:
    """``points`` equally spaced values of x, both ends included."""
    return np.linspace(*tasks.x, points).astype(dtype)


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


@dataclass(frozen=True)
class TaskSource:
    """Draws the training data of a run: the same for every engine and every chunk length."""

    tasks: SineTasks
    seed: int
    dtype: str = "float32"
    stream: Stream = Stream.TRAINING

    def few_shot(self, first: int, n: int, n_tasks: int, shots: int, query_points: int) -> Batches:
        """A support set of ``shots`` uniform points and the query grid for each task."""
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
        """The grid of each task, shuffled for each epoch and cut into minibatches."""
        width = 2 + epochs * points
        grid = query_grid(self.tasks, points, self.dtype)
        # Page faults on fresh memory would cost as much as all the drawing. One array for both, and
        # small ones beside it, are memory that the allocator keeps between calls.
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
    """Write random orders of the last axis, those that sort uniform ``draws`` of [0, 1).

    Such numbers are ordered as their bits are. The lowest bits give way to the place, so that whole
    numbers are sorted, in half the time of an argsort; no two are equal, so every machine finds the
    same order.
    """
    count = draws.shape[-1]
    places = (1 << (count - 1).bit_length()) - 1
    np.bitwise_and(draws.view(np.int64), ~places, out=order)
    order |= np.arange(count)
    order.sort()
    order &= places


def _sines(amplitude: Floats, phase: Floats, x: Floats, y: Floats | None = None) -> Floats:
    """``amplitude * sin(x + phase)``, in ``y`` or one new array."""
    y = np.add(x, phase, out=y)
    np.sin(y, out=y)
    y *= amplitude
    return y


def scaled(draws: NDArray[np.float64], interval: tuple[float, float]) -> NDArray[np.float64]:
    """Uniform ``draws`` of [0, 1), of any shape, stretched to ``interval``."""
    low, high = interval
    return low + (high - low) * draws
