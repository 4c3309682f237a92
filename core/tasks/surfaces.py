"""Functions of two inputs, of Yao et al. (2020, ARML). Their settings import no NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.settings import setting
from core.tasks.family import Interval, TaskFamily

if TYPE_CHECKING:
    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class SurfaceTasks(TaskFamily):
    """y = a * x1² + b * x2²."""

    name: ClassVar[str] = "surface"
    plural: ClassVar[str] = "quadratic surfaces"
    parameters: ClassVar[tuple[str, ...]] = ("a", "b")
    inputs: ClassVar[int] = 2

    a: Interval = setting((-1.0, 1.0), help="Smallest and largest coefficient of x1²")
    b: Interval = setting((-1.0, 1.0), help="Smallest and largest coefficient of x2²")
    x: Interval = setting((0.0, 5.0), help="Interval of x1 and of x2")

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        a, b = parameters
        surfaces: Floats = a * x[..., :1] ** 2 + b * x[..., 1:] ** 2
        return surfaces

    def label(self, *parameters: float) -> str:
        """Return the formula as text, such as ``0.50·x1² - 1.00·x2²``."""
        a, b = parameters
        return f"{a:.2f}·x1² + {b:.2f}·x2²".replace("+ -", "- ")


@dataclass(frozen=True, kw_only=True)
class RippleTasks(TaskFamily):
    """y = sin(-a * (x1² + x2²)) + b."""

    name: ClassVar[str] = "ripple"
    plural: ClassVar[str] = "ripples"
    parameters: ClassVar[tuple[str, ...]] = ("a", "b")
    inputs: ClassVar[int] = 2

    a: Interval = setting((-0.2, 0.2), help="Smallest and largest factor of x1² + x2²")
    b: Interval = setting((-3.0, 3.0), help="Smallest and largest value at 0")
    x: Interval = setting((0.0, 5.0), help="Interval of x1 and of x2")

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        import numpy as np

        a, b = parameters
        ripples: Floats = np.sin(-a * (x[..., :1] ** 2 + x[..., 1:] ** 2)) + b
        return ripples

    def label(self, *parameters: float) -> str:
        """Return the formula as text, such as ``sin(-0.10·(x1² + x2²)) + 2.00``."""
        a, b = parameters
        return f"sin({0 - a:.2f}·(x1² + x2²)) + {b:.2f}".replace("+ -", "- ")
