"""Sine waves, their distribution, and random data as a pure function of (seed, stream, iteration).

Randomness is by counter (Philox, Salmon et al. 2011): each iteration owns a fixed block of the
stream, so any iteration is reached at once and no generator state is ever stored.
"""

from __future__ import annotations

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
    counts = -(-width // _WORDS_PER_COUNT)
    philox = np.random.Philox(key=np.array([seed, stream], np.uint64), counter=first * counts)
    draws = np.random.Generator(philox).random((n, counts * _WORDS_PER_COUNT))
    return draws[:, :width]


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
        y = _sines(amplitude, x, phase)
        return Batches(x[:, :, None], y[:, :, None], grid, _sines(amplitude, grid, phase))

    def minibatches(
        self, first: int, n: int, n_tasks: int, points: int, batch_size: int, epochs: int
    ) -> Batches:
        """The grid of each task, shuffled for each epoch and cut into minibatches."""
        width = 2 + epochs * points
        draws = uniforms(self.seed, self.stream, first, n, n_tasks * width)
        draws = draws.reshape(n, n_tasks, width)
        amplitude, phase = self._waves(draws)
        grid = query_grid(self.tasks, points, self.dtype)
        order = draws[..., 2:].reshape(n, n_tasks, epochs, points).argsort()
        x = grid.take(order).reshape(n, n_tasks, epochs * points)
        shape = (n, n_tasks, epochs * points // batch_size, batch_size)
        return Batches(
            x.reshape(shape),
            _sines(amplitude, x, phase).reshape(shape),
            np.empty(0, self.dtype),
            np.empty((n, n_tasks, 0), self.dtype),
        )

    def _waves(self, draws: NDArray[np.float64]) -> tuple[Floats, Floats]:
        amplitude = scaled(draws[..., 0:1], self.tasks.amplitude)
        phase = scaled(draws[..., 1:2], self.tasks.phase)
        return amplitude.astype(self.dtype), phase.astype(self.dtype)


def _sines(amplitude: Floats, x: Floats, phase: Floats) -> Floats:
    """``amplitude * sin(x + phase)``, in place: fresh memory would cost more than the sines."""
    y = x + phase
    np.sin(y, out=y)
    y *= amplitude
    return y


def scaled(draws: NDArray[np.float64], interval: tuple[float, float]) -> NDArray[np.float64]:
    """Uniform ``draws`` of [0, 1), of any shape, stretched to ``interval``."""
    low, high = interval
    return low + (high - low) * draws
