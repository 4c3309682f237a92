"""Sine waves, and the settings of their family.

NumPy is imported where a wave is evaluated: help and clients read the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core import validation
from core.settings import setting

if TYPE_CHECKING:
    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class SineTasks:
    """The distribution of tasks: uniform amplitude and phase, points from an interval of x."""

    amplitude: tuple[float, float] = setting((0.1, 5.0), help="Smallest and largest amplitude")
    phase: tuple[float, float] = setting(
        (0.0, 2 * math.pi), help="Smallest and largest phase, in radians"
    )
    x: tuple[float, float] = setting((-5.0, 5.0), help="Interval of x")

    def __post_init__(self) -> None:
        validation.interval("waves.amplitude", self.amplitude)
        validation.interval("waves.phase", self.phase)
        validation.interval("waves.x", self.x)


@dataclass(frozen=True)
class SineWave:
    """y = amplitude * sin(x + phase)."""

    amplitude: float
    phase: float

    def __call__(self, x: Floats) -> Floats:
        """Evaluate at ``x``, of any shape, in the precision of ``x`` (float64 for integers)."""
        import numpy as np

        kind = x.dtype.type if x.dtype.kind == "f" else np.float64
        return kind(self.amplitude) * np.sin(x + kind(self.phase))

    @property
    def label(self) -> str:
        """The formula as text, such as ``4.00·sin(x + 1.00)``."""
        return f"{self.amplitude:.2f}·sin(x + {self.phase:.2f})"
