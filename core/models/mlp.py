"""The multilayer perceptron: sizes, initialisation, parameter layout."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.models.base import Network
from core.models.settings import NetworkConfig
from core.tasks.base import Floats
from core.tasks.counter_random import truncated_normals, uniforms
from core.tasks.streams import Stream


@dataclass(frozen=True)
class MLP(Network):
    """Layers of ``sizes`` units with ``activation`` between them.

    Parameters lie layer by layer, each layer's weight ``(n_out, n_in)`` before its bias
    ``(n_out,)``: the order of ``torch.nn.Sequential.parameters()``.
    Initial weights are normal with standard deviation ``deviation``, as PyTorch's without one.
    """

    sizes: tuple[int, ...] = (1, 64, 64, 1)
    activation: str = "tanh"
    deviation: float | None = None

    @classmethod
    def of(cls, config: NetworkConfig, inputs: int = 1, outputs: int = 1) -> MLP:
        """Create the network that ``config`` describes."""
        deviation = config.init_deviation if config.init == "normal" else None
        return cls((inputs, *config.hidden, outputs), config.activation, deviation)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by the names that ``torch.nn.Sequential(Linear, Tanh, Linear, ...)`` gives."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (n_in, n_out) in enumerate(pairwise(self.sizes)):
            shapes[f"{2 * layer}.weight"] = (n_out, n_in)
            shapes[f"{2 * layer}.bias"] = (n_out,)
        return shapes

    @property
    def first_bias(self) -> slice:
        n_in, n_out = self.sizes[:2]
        return slice(n_in * n_out, (n_in + 1) * n_out)

    @property
    def head_size(self) -> int:
        n_in, n_out = self.sizes[-2:]
        return (n_in + 1) * n_out

    def initial(self, seed: int, dtype: str = "float32") -> Floats:
        """Draw parameters ``(n_parameters,)``.

        As PyTorch does, each layer U(-1/sqrt(n_in), 1/sqrt(n_in)); or as Finn et al. (2017) do,
        weights normal up to two standard deviations, and biases 0.
        """
        if self.deviation is not None:
            normal = truncated_normals(seed, Stream.INITIALISATION, self.n_parameters)
            drawn: Floats = (self.deviation * normal).astype(dtype)
            for name, tensor in self.named(drawn).items():
                if name.endswith("bias"):
                    tensor[...] = 0
            return drawn
        bounds = np.concatenate(
            [np.full((n_in + 1) * n_out, n_in**-0.5) for n_in, n_out in pairwise(self.sizes)]
        )
        draws = uniforms(seed, Stream.INITIALISATION, 0, 1, self.n_parameters)[0]
        theta: Floats = ((2 * draws - 1) * bounds).astype(dtype)
        return theta
