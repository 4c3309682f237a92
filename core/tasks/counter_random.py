"""Random numbers as a pure function of (seed, stream, iteration).

Randomness is by counter (Philox, Salmon et al. 2011): each iteration owns a fixed block of the
stream, so any iteration is reached directly and no generator state is ever stored.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.tasks.streams import Stream

_WORDS_PER_COUNT = 4
"""Random doubles that one count of the 4x64-bit Philox yields."""


def uniforms(seed: int, stream: Stream, first: int, n: int, width: int) -> NDArray[np.float64]:
    """Draw uniform numbers of [0, 1) for ``n`` iterations from ``first`` on: ``(n, width)``."""
    return next(uniform_blocks(seed, stream, first, width, [n]))


def uniform_blocks(
    seed: int, stream: Stream, first: int, width: int, sizes: Iterable[int]
) -> Iterator[NDArray[np.float64]]:
    """Draw as ``uniforms`` does, in consecutive blocks of ``sizes`` iterations."""
    counts = -(-width // _WORDS_PER_COUNT)
    philox = np.random.Philox(key=np.array([seed, stream], np.uint64), counter=first * counts)
    generator = np.random.Generator(philox)
    for size in sizes:
        yield generator.random((size, counts * _WORDS_PER_COUNT))[:, :width]


def scaled(draws: NDArray[np.float64], interval: tuple[float, float]) -> NDArray[np.float64]:
    """Stretch uniform ``draws`` of [0, 1), of any shape, to ``interval``."""
    low, high = interval
    return low + (high - low) * draws


def normals(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return normal numbers ``(..., n)`` of ``(..., 2 n)`` uniform ones (Box and Muller 1958)."""
    radius, angle = np.split(draws, 2, axis=-1)
    normal: NDArray[np.float64] = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
    return normal


def truncated_normals(seed: int, stream: Stream, n: int) -> NDArray[np.float64]:
    """Draw ``n`` normal numbers of at most two standard deviations; larger ones are drawn again."""
    found, draw = np.full(n, np.inf), 0
    while (beyond := np.abs(found) > 2).any():
        found[beyond] = normals(uniforms(seed, stream, draw, 1, 2 * n)[0])[beyond]
        draw += 1
    return found
