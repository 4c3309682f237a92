"""Settings of the networks. No NumPy is imported: ``--help`` reads them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from core import validation
from core.settings import setting

Activation = Literal["tanh", "relu"]
Initialisation = Literal["torch", "normal"]

LARGEST_LAYER = 16_384
LARGEST_DEPTH = 64
LARGEST_NETWORK = 2**29
"""Parameters: 2 GiB in float32."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The network that is meta-trained: its hidden layers, and its initial parameters."""

    hidden: tuple[int, ...] = setting((64, 64), help="Hidden layer sizes")
    activation: Activation = setting("tanh", help="Activation function between layers")
    init: Initialisation = setting(
        "torch",
        help="Initial parameters: uniform as in PyTorch, or truncated normal weights and biases 0",
        added=True,
    )
    init_deviation: float = setting(
        0.01, help="Standard deviation of normal initial weights", added=True
    )

    def __post_init__(self) -> None:
        validation.count("network.hidden (layers)", len(self.hidden), high=LARGEST_DEPTH)
        for units in self.hidden:
            validation.count("network.hidden", units, high=LARGEST_LAYER)
        validation.count("network.hidden (parameters)", self.parameters(), high=LARGEST_NETWORK)
        validation.one_of("network.activation", self.activation, get_args(Activation))
        validation.one_of("network.init", self.init, get_args(Initialisation))
        validation.positive("network.init_deviation", self.init_deviation)

    def parameters(self, inputs: int = 1, outputs: int = 1) -> int:
        """Return the number of weights and biases."""
        sizes = (inputs, *self.hidden, outputs)
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
