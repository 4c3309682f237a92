"""Layout of the one buffer that the fused kernel works in; plain Python without numba.

A *block* holds all parameters of a network, or a gradient of them. In it, layer by layer:

    bias    (width,)
    weight  (width, width of the layer below)

Widths are padded to whole registers with zeros. The first layer's weight ``(width, 1)`` and the
last one's ``(1, width)`` are each one padded row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


class Place(IntEnum):
    """Head of `Layout.plan`: starts in the buffer, and sizes, counted in numbers."""

    N_LAYERS = 0
    """Hidden layers and the output."""
    BLOCK_SIZE = auto()
    """Numbers in a block."""
    THETA = auto()
    """Block of the meta-parameters."""
    PHI = auto()
    """Block of the adapted parameters."""
    OUTER = auto()
    """Block of the sum over tasks: under SGD the next theta without the last task's part, else
    the outer gradient."""
    MOMENT_1 = auto()
    """Block, as ``MOMENT_2``."""
    MOMENT_2 = auto()
    DELTA = auto()
    """Loss gradients by the outputs of a layer, ``(points, widest)``."""
    ERRORS = auto()
    """Predictions, then prediction minus truth ``(points,)``."""
    TRANSPOSE = auto()
    """A hidden layer's transposed weight ``(width below, width)``, close to phi in memory."""
    ZEROS = auto()
    """A row of zeros ``(widest,)``."""


class Column(IntEnum):
    """Columns of the rows of `Layout.plan` after its head, one row per layer."""

    UNITS = 0
    """Without padding."""
    WIDTH = auto()
    """With padding."""
    BIAS = auto()
    """Start within a block, as ``WEIGHT``."""
    WEIGHT = auto()
    OUTPUT = auto()
    """Start of the layer's outputs ``(points, width)`` in the buffer, for hidden layers."""


@dataclass(frozen=True)
class Layout:
    """``plan`` is ``(len(Place) + n_layers * len(Column),)``, int64."""

    plan: NDArray[np.int64]
    size: int
    """Numbers in the whole buffer."""

    @classmethod
    def of(cls, hidden: Sequence[int], points: int, lanes: int) -> Layout:
        """Plan the buffer for hidden layers of ``hidden`` units and at most ``points`` points.

        A SIMD register holds ``lanes`` numbers.
        """

        def padded(size: int) -> int:
            return -(-size // lanes) * lanes

        end = 0

        def take(size: int) -> int:
            nonlocal end
            start, end = end, end + padded(size)
            return start

        units = [*hidden, 1]
        widths = [padded(n) for n in units]
        matrices = [width * below for below, width in pairwise(widths[:-1])]
        layers = np.zeros((len(units), len(Column)), np.int64)
        layers[:, Column.UNITS] = units
        layers[:, Column.WIDTH] = widths
        for layer, size in zip(layers, [widths[0], *matrices, widths[-2]], strict=True):
            layer[Column.BIAS] = take(layer[Column.WIDTH])
            layer[Column.WEIGHT] = take(size)
        block_size = end

        end = 0
        head = np.zeros(len(Place), np.int64)
        head[Place.N_LAYERS] = len(units)
        head[Place.BLOCK_SIZE] = block_size
        for place, size in {
            Place.THETA: block_size,
            Place.PHI: block_size,
            Place.TRANSPOSE: max(matrices, default=0),
            Place.OUTER: block_size,
            Place.MOMENT_1: block_size,
            Place.MOMENT_2: block_size,
            Place.DELTA: points * max(widths),
            Place.ERRORS: points,
            Place.ZEROS: max(widths),
        }.items():
            head[place] = take(size)
        for layer in layers[:-1]:
            layer[Column.OUTPUT] = take(points * layer[Column.WIDTH])
        return cls(np.concatenate([head, layers.ravel()]), end)

    def buffer(self, dtype: str) -> NDArray[np.float32] | NDArray[np.float64]:
        """Return zeros ``(size,)`` aligned to 64 bytes: registers across cache lines cost twice."""
        item = np.dtype(dtype).itemsize
        slack = np.zeros(self.size + 64 // item, dtype)
        start = -slack.ctypes.data % 64 // item
        return slack[start : start + self.size]
