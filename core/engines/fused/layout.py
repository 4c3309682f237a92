"""Layout of the one buffer that the fused kernel works in; plain Python without numba.

A *block* holds all parameters of a network, or a gradient of them. In it, layer by layer:

    bias    (width,)
    weight  (width, width of the layer below)

Widths are padded to whole registers with zeros. The first layer's weight is transposed, a padded
row for each input, and the last one's ``(1, width)`` is one padded row.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import IntEnum, auto
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


class Place(IntEnum):
    """Head of `Layout.plan`: starts in the buffer, and sizes, counted in numbers."""

    N_LAYERS = 0
    """Hidden layers and the output."""
    N_INPUTS = auto()
    """Inputs of the network: numbers of a point."""
    BLOCK_SIZE = auto()
    """Numbers in a block."""
    THETA = auto()
    """Block of the meta-parameters; with learned inner rates, theirs follow, here and in ``OUTER``
    and the moments."""
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
    TURNED = auto()
    """Block: theta's weights between hidden layers, transposed once for the first inner steps of
    all tasks; 0 without. This and what follows: of second-order algorithms alone."""
    VECTOR = auto()
    """Block of what goes back through the inner steps, from the query gradient on."""
    PATH = auto()
    """Blocks of the adapted parameters after each inner step; in them the last layer alone, where
    steps change no other."""
    GRADIENTS = auto()
    """Blocks of the gradients of the inner steps, negative, for learned rates."""
    DIRECTION = auto()
    """Block: ``VECTOR`` times the rates, where they are learned."""
    KEPT = auto()
    """What is kept of each inner step, ``KEPT_SIZE`` numbers: errors and their derivatives
    ``(2, support points)``, then the layers' columns ``KEPT``."""
    KEPT_SIZE = auto()
    """A number, not a start."""
    POINTS = auto()
    """Points of several tasks that are computed together. What follows is for ReLU units of one
    input in the first layer, with the width of the second layer."""
    RANGES = auto()
    """The units' thresholds, sorted, which divide the inputs into ranges."""
    ORDER = auto()
    """The units in this order."""
    SUMS = auto()
    """Sums over the points of each range, ``(units + 1, 2, width)``."""
    SIDE = auto()
    """Sums over the ranges on one side of a threshold, ``(2, width)``."""
    PRODUCTS = auto()
    """Gradients by the second layer's transposed weight, ``(units, width)``."""


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
    KEPT = auto()
    """Start of what is kept of the layer in an inner step, ``(5, support points, width)``."""


@dataclass(frozen=True)
class Through:
    """What a second-order algorithm keeps for its way back through the inner steps."""

    steps: int
    support: int
    """Support points of a task."""
    learned_rates: bool = False
    together: int = 0
    """Points that are computed together, where steps change the last layer alone; 0 elsewhere."""


@dataclass(frozen=True)
class Layout:
    """``plan`` is ``(len(Place) + n_layers * len(Column),)``, int64."""

    plan: NDArray[np.int64]
    size: int
    """Numbers in the whole buffer."""

    @classmethod
    @functools.lru_cache(maxsize=64)
    def of(
        cls,
        inputs: int,
        hidden: tuple[int, ...],
        points: int,
        lanes: int,
        through: Through | None = None,
    ) -> Layout:
        """Plan the buffer for hidden layers of ``hidden`` units and at most ``points`` points.

        A point has ``inputs`` numbers, and a SIMD register ``lanes``. Calls with the same arguments
        share the result.
        """
        units = [*hidden, 1]
        widths = [_padded(n, lanes) for n in units]
        matrices = [width * below for below, width in pairwise(widths[:-1])]
        layers = np.zeros((len(units), len(Column)), np.int64)
        layers[:, Column.UNITS] = units
        layers[:, Column.WIDTH] = widths
        block_size = 0
        for layer, size in zip(layers, [inputs * widths[0], *matrices, widths[-2]], strict=True):
            layer[Column.BIAS] = block_size
            layer[Column.WEIGHT] = block_size + layer[Column.WIDTH]
            block_size += layer[Column.WIDTH] + size

        parts = 2 if through and through.learned_rates else 1
        sizes = {
            Place.THETA: parts * block_size,
            Place.PHI: block_size,
            Place.TRANSPOSE: max(matrices, default=0),
            Place.OUTER: parts * block_size,
            Place.MOMENT_1: parts * block_size,
            Place.MOMENT_2: parts * block_size,
            Place.DELTA: points * max(widths),
            Place.ERRORS: points,
            Place.ZEROS: max(widths),
        }
        head = np.zeros(len(Place), np.int64)
        # Where steps change the last layer alone, its outputs come in whole registers of points.
        overhang = lanes if through and through.together else 0
        if through:
            head[Place.KEPT_SIZE] = _keep(layers, through, lanes) + overhang
            sizes |= _sizes_through(through, int(head[Place.KEPT_SIZE]), block_size)
            sizes[Place.POINTS] = through.together * inputs
            sizes[Place.ERRORS] += overhang
            if through.together and inputs == 1 and len(widths) > 2:
                sizes |= _sizes_of_ranges(*widths[:2])
        end = 0
        for place, size in sizes.items():
            head[place] = end
            end += _padded(size, lanes)
        for layer in layers[:-1]:
            layer[Column.OUTPUT] = end
            end += points * layer[Column.WIDTH]
        end += overhang * widths[-2]
        head[Place.N_LAYERS], head[Place.N_INPUTS] = len(units), inputs
        head[Place.BLOCK_SIZE] = block_size
        return cls(np.concatenate([head, layers.ravel()]), end)

    def buffer(self, dtype: str) -> NDArray[np.float32] | NDArray[np.float64]:
        """Return zeros ``(size,)`` aligned to 64 bytes: registers across cache lines cost twice."""
        item = np.dtype(dtype).itemsize
        slack = np.zeros(self.size + 64 // item, dtype)
        start = -slack.ctypes.data % 64 // item
        return slack[start : start + self.size]


def _padded(size: int, lanes: int) -> int:
    """Return ``size``, padded to whole registers."""
    return -(-size // lanes) * lanes


def _keep(layers: NDArray[np.int64], through: Through, lanes: int) -> int:
    """Plan what is kept of an inner step; return its size."""
    size = _padded(2 * through.support, lanes)
    for layer in layers[:-1] if not through.together else ():
        layer[Column.KEPT] = size
        size += 5 * through.support * layer[Column.WIDTH]
    return size


def _sizes_through(through: Through, kept: int, block_size: int) -> dict[Place, int]:
    """Return the sizes of what second-order algorithms use, ``kept`` numbers of each step."""
    learned = block_size if through.learned_rates else 0
    return {
        **({} if through.together else {Place.TURNED: block_size}),
        Place.VECTOR: block_size,
        Place.PATH: through.steps * block_size,
        Place.GRADIENTS: through.steps * learned,
        Place.DIRECTION: learned,
        Place.KEPT: through.steps * kept,
    }


def _sizes_of_ranges(units: int, width: int) -> dict[Place, int]:
    """Return the sizes of what the ranges of inputs need, for a second layer of ``width``."""
    return {
        Place.RANGES: units,
        Place.ORDER: units,
        Place.SUMS: 2 * (units + 1) * width,
        Place.SIDE: 2 * width,
        Place.PRODUCTS: units * width,
    }
