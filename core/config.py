"""What a run is: every setting, its default and its check. The only home of defaults.

Command line, TOML, ``--help`` and ``run.json`` all derive from the dataclasses here and from
those in ``core.algorithms``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import msgspec

from core import checks
from core.algorithms.base import Algorithm
from core.decoding import decode

Activation = Literal["tanh", "relu"]
EngineName = Literal["auto", "fused", "torch"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "float64"]

LARGEST_LAYER = 16_384
LARGEST_DEPTH = 64
LARGEST_NETWORK = 2**29
"""Parameters: 2 GiB of them in float32."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The network that is meta-trained: one input, hidden layers, one output."""

    hidden: tuple[int, ...] = (64, 64)
    """Units of each hidden layer."""
    activation: Activation = "tanh"
    """What stands between the layers."""

    def __post_init__(self) -> None:
        checks.count("network.hidden (layers)", len(self.hidden), high=LARGEST_DEPTH)
        for units in self.hidden:
            checks.count("network.hidden", units, high=LARGEST_LAYER)
        sizes = (1, *self.hidden, 1)
        parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        checks.count("network.hidden (parameters)", parameters, high=LARGEST_NETWORK)
        checks.one_of("network.activation", self.activation, ("tanh", "relu"))


@dataclass(frozen=True, kw_only=True)
class SineTasks:
    """The distribution of tasks: uniform amplitude and phase, points from an interval of x."""

    amplitude: tuple[float, float] = (0.1, 5.0)
    """Smallest and largest amplitude."""
    phase: tuple[float, float] = (0.0, 2 * math.pi)
    """Smallest and largest phase, in radians."""
    x: tuple[float, float] = (-5.0, 5.0)
    """Interval of x."""

    def __post_init__(self) -> None:
        checks.interval("waves.amplitude", self.amplitude)
        checks.interval("waves.phase", self.phase)
        checks.interval("waves.x", self.x)


@dataclass(frozen=True, kw_only=True)
class Saving:
    """When a run saves itself. It changes nothing that is learned."""

    autosave_seconds: float = 5.0
    """Seconds between two autosaves; 0 for none by time."""
    autosave_iterations: int = 0
    """Iterations between two autosaves; 0 for none by iterations."""
    keep: int = 3
    """Newest autosaves that are kept, beside the best, the last and those saved by hand."""

    def __post_init__(self) -> None:
        checks.within("autosave_seconds", self.autosave_seconds, 0, 1e9)
        checks.count("autosave_iterations", self.autosave_iterations, low=0)
        checks.count("keep", self.keep, high=10_000)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """All that decides what a run learns; with an engine's arithmetic, its bits follow."""

    algorithm: Algorithm
    network: NetworkConfig = field(default_factory=NetworkConfig)
    waves: SineTasks = field(default_factory=SineTasks)
    seed: int = 0
    """Decides the initial parameters and all random tasks."""
    iterations: int = 50_000
    """Meta-iterations; also the period of the step size schedule."""
    eval_interval: int = 1_000
    """Iterations between two evaluations on a random task."""
    engine: EngineName = "auto"
    """What runs the iterations: auto takes the fastest that can."""
    device: DeviceName = "auto"
    """Where they run."""
    precision: Precision = "float32"
    """Floating-point type of parameters and data."""

    def __post_init__(self) -> None:
        checks.count("seed", self.seed, low=0, high=2**63 - 1)
        checks.count("iterations", self.iterations)
        checks.count("eval_interval", self.eval_interval)
        checks.one_of("engine", self.engine, ("auto", "fused", "torch"))
        checks.one_of("device", self.device, ("auto", "cpu", "cuda", "mps"))
        checks.one_of("precision", self.precision, ("float32", "float64"))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON or TOML; ``from_dict`` reads them back."""
        plain = msgspec.to_builtins(self)
        plain["algorithm"] = {"name": self.algorithm.name, **plain["algorithm"]}
        return dict(plain)

    @classmethod
    def from_dict(cls, plain: object) -> RunConfig:
        """Validate plain values, as of a ``run.json``.

        Raises ``ConfigError`` and ``UnknownSettingError``.
        """
        return decode(cls, plain, "")
