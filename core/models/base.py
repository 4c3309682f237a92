"""The interface of networks: named parameters in one flat vector."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from core.tasks.base import Floats


class Network:
    """A network as engines and checkpoints know it: its parameters, and their initial values.

    All parameters live in one flat vector, in the order of ``shapes``, each in row-major order.
    """

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the parameters by name."""
        raise NotImplementedError

    @property
    def first_bias(self) -> slice:
        """The place of the first layer's bias in the vector; empty where it is not known."""
        return slice(0, 0)

    @property
    def head_size(self) -> int:
        """The number of parameters of the last layer, which are the last ones."""
        raise NotImplementedError

    def initial(self, seed: int, dtype: str = "float32") -> Floats:
        """Draw parameters ``(n_parameters,)``, a pure function of ``seed``."""
        raise NotImplementedError

    @property
    def n_parameters(self) -> int:
        """Length of the flat parameter vector."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def named(self, theta: Floats) -> dict[str, Floats]:
        """Split ``theta`` into named tensors, each a view in its own shape."""
        tensors = {}
        start = 0
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            tensors[name] = theta[start : start + size].reshape(shape)
            start += size
        return tensors

    def flat(self, tensors: Mapping[str, Floats]) -> Floats:
        """Join named ``tensors`` to a flat vector ``(n_parameters,)``; the inverse of ``named``."""
        return np.concatenate([tensors[name].reshape(-1) for name in self.shapes])
