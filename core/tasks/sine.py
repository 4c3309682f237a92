"""Sine waves. No NumPy is imported for their settings, as ``--help`` reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.settings import setting
from core.tasks.family import Interval, TaskFamily

if TYPE_CHECKING:
    from core.tasks.base import Floats

_USUAL = (1.0, 1.0)
"""The range of frequencies of a family whose tasks have no such parameter."""


@dataclass(frozen=True, kw_only=True)
class SineTasks(TaskFamily):
    """y = amplitude * sin(frequency * x + phase), all uniform; the frequency usually is 1."""

    name: ClassVar[str] = "sine"
    table: ClassVar[str] = "waves"
    plural: ClassVar[str] = "sine waves"

    amplitude: Interval = setting((0.1, 5.0), help="Smallest and largest amplitude")
    phase: Interval = setting((0.0, 2 * math.pi), help="Smallest and largest phase, in radians")
    frequency: Interval = setting(
        _USUAL, help="Smallest and largest frequency, in radians", added=True
    )
    x: Interval = setting((-5.0, 5.0), help="Interval of x")

    @property
    def parameters(self) -> tuple[str, ...]:
        usual = ("amplitude", "phase")
        return usual if self.frequency == _USUAL else (*usual, "frequency")

    @property
    def steps(self) -> tuple[float, ...]:
        return (0.5, 0.25, *super().steps[2:])

    @property
    def reference(self) -> tuple[float, ...]:
        """The fixed wave of the reference implementation's evaluations."""
        return (4.0, 1.0, *super().reference[2:])

    @property
    def height(self) -> float:
        return max(map(abs, self.amplitude))

    def size(self, *parameters: float) -> float:
        return abs(parameters[0])

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        import numpy as np

        amplitude, phase, *frequency = parameters
        waves: Floats = amplitude * np.sin((frequency[0] * x if frequency else x) + phase)
        return waves

    def write(self, y: Floats, x: Floats, *parameters: Floats) -> None:
        import numpy as np

        amplitude, phase, *frequency = parameters
        if frequency:
            x = np.multiply(x, frequency[0], out=y)
        np.add(x, phase, out=y)
        np.sin(y, out=y)
        y *= amplitude

    def label(self, *parameters: float) -> str:
        """Return the formula as text, such as ``4.00·sin(x + 1.00)``."""
        amplitude, phase, *frequency = parameters
        factor = "".join(f"{one:.2f}" for one in frequency)
        return f"{amplitude:.2f}·sin({factor}x + {phase:.2f})"
