"""Settings of the sine wave family. No NumPy is imported: ``--help`` reads them."""

import math
from dataclasses import dataclass

from core import validation
from core.settings import setting


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
