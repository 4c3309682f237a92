"""Settings of the networks. No NumPy is imported: ``--help`` reads them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from core import validation
from core.settings import setting

Activation = Literal["tanh", "relu"]

LARGEST_LAYER = 16_384
LARGEST_DEPTH = 64
LARGEST_NETWORK = 2**29
"""Parameters: 2 GiB in float32."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The network that is meta-trained: one input, hidden layers, one output."""

    hidden: tuple[int, ...] = setting((64, 64), help="Hidden layer sizes")
    activation: Activation = setting("tanh", help="Activation function between layers")

    def __post_init__(self) -> None:
        validation.count("network.hidden (layers)", len(self.hidden), high=LARGEST_DEPTH)
        for units in self.hidden:
            validation.count("network.hidden", units, high=LARGEST_LAYER)
        validation.count("network.hidden (parameters)", self.parameters, high=LARGEST_NETWORK)
        validation.one_of("network.activation", self.activation, get_args(Activation))

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        sizes = (1, *self.hidden, 1)
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
