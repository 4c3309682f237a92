"""Harmonic functions of Lacoste et al. (2018). Their settings import no NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core import validation
from core.settings import setting
from core.tasks.family import Interval, TaskFamily

if TYPE_CHECKING:
    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class HarmonicTasks(TaskFamily):
    """y = a1 * sin(w * x + b1) + a2 * sin(2 * w * x + b2), with normal amplitudes a1 and a2."""

    name: ClassVar[str] = "harmonic"
    plural: ClassVar[str] = "harmonic functions"
    parameters: ClassVar[tuple[str, ...]] = ("frequency", "a1", "a2", "b1", "b2")

    frequency: Interval = setting((5.0, 7.0), help="Smallest and largest frequency, in radians")
    deviation: float = setting(1.0, help="Standard deviation of both amplitudes")
    phase: Interval = setting((0.0, 2 * math.pi), help="Smallest and largest phase, in radians")
    x: Interval = setting((-1.0, 1.0), help="Interval of x")

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.positive("harmonic.deviation", self.deviation)
        validation.interval("harmonic.phase", self.phase)

    @property
    def ranges(self) -> tuple[Interval, ...]:
        amplitude = (-2 * self.deviation, 2 * self.deviation)
        return self.frequency, amplitude, amplitude, self.phase, self.phase

    def values(self, draws: Floats) -> Floats:
        """Scale frequency and phases; the amplitudes are a pair of Box and Muller (1958)."""
        import numpy as np

        values = super().values(draws)
        radius = self.deviation * np.sqrt(-2 * np.log1p(-draws[..., 1]))
        values[..., 1] = radius * np.cos(2 * np.pi * draws[..., 2])
        values[..., 2] = radius * np.sin(2 * np.pi * draws[..., 2])
        return values

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        import numpy as np

        frequency, a1, a2, b1, b2 = parameters
        first = frequency * x
        waves: Floats = a1 * np.sin(first + b1) + a2 * np.sin(2 * first + b2)
        return waves

    def label(self, *parameters: float) -> str:
        """Return the formula as text."""
        frequency, a1, a2, b1, b2 = parameters
        second = f"{a2:.2f}·sin({2 * frequency:.2f}x + {b2:.2f})"
        return f"{a1:.2f}·sin({frequency:.2f}x + {b1:.2f}) + {second}".replace("+ -", "- ")
