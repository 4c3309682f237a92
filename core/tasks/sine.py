"""Sine waves. No NumPy is imported for their settings, as ``--help`` reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.settings import setting
from core.tasks.family import Interval, TaskFamily

if TYPE_CHECKING:
    from core.tasks.base import Floats

if TYPE_CHECKING:
    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class SineTasks(TaskFamily):
    """y = amplitude * sin(x + phase), with uniform amplitude and phase."""

    name: ClassVar[str] = "sine"
    table: ClassVar[str] = "waves"
    plural: ClassVar[str] = "sine waves"
    parameters: ClassVar[tuple[str, ...]] = ("amplitude", "phase")

    amplitude: Interval = setting((0.1, 5.0), help="Smallest and largest amplitude")
    phase: Interval = setting((0.0, 2 * math.pi), help="Smallest and largest phase, in radians")
    x: Interval = setting((-5.0, 5.0), help="Interval of x")

    @property
    def steps(self) -> tuple[float, ...]:
        return 0.5, 0.25

    @property
    def reference(self) -> tuple[float, ...]:
        """The fixed wave of the reference implementation's evaluations."""
        return 4.0, 1.0

    @property
    def height(self) -> float:
        return max(map(abs, self.amplitude))

    def size(self, *parameters: float) -> float:
        return abs(parameters[0])

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        import numpy as np

        amplitude, phase = parameters
        waves: Floats = amplitude * np.sin(x + phase)
        return waves

    def write(self, y: Floats, x: Floats, *parameters: Floats) -> None:
        import numpy as np

        amplitude, phase = parameters
        np.add(x, phase, out=y)
        np.sin(y, out=y)
        y *= amplitude

    def label(self, *parameters: float) -> str:
        """Return the formula as text, such as ``4.00·sin(x + 1.00)``."""
        amplitude, phase = parameters
        return f"{amplitude:.2f}·sin(x + {phase:.2f})"
