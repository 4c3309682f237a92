"""Lines, quadratics and cubics, with the ranges of Yao et al. (2019, HSML).

No NumPy is imported, as ``--help`` reads the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core.settings import setting
from core.tasks.family import Interval, TaskFamily

if TYPE_CHECKING:
    from core.tasks.base import Floats


@dataclass(frozen=True, kw_only=True)
class Polynomials(TaskFamily):
    """Polynomials in x; ``parameters`` are the coefficients, that of the highest power first."""

    def y(self, x: Floats, *parameters: Floats) -> Floats:
        total, *others = parameters
        for coefficient in others:
            total = total * x + coefficient
        return total

    def label(self, *parameters: float) -> str:
        """Return the formula as text, such as ``0.10·x² - 1.50·x + 2.00``."""
        powers = ("", "·x", "·x²", "·x³")[len(parameters) - 1 :: -1]
        terms = (f"{one:.2f}{power}" for one, power in zip(parameters, powers, strict=True))
        return " + ".join(terms).replace("+ -", "- ")


@dataclass(frozen=True, kw_only=True)
class LineTasks(Polynomials):
    """y = slope * x + intercept."""

    name: ClassVar[str] = "line"
    plural: ClassVar[str] = "lines"
    parameters: ClassVar[tuple[str, ...]] = ("slope", "intercept")

    slope: Interval = setting((-3.0, 3.0), help="Smallest and largest slope")
    intercept: Interval = setting((-3.0, 3.0), help="Smallest and largest value at 0")
    x: Interval = setting((-5.0, 5.0), help="Interval of x")


@dataclass(frozen=True, kw_only=True)
class QuadraticTasks(Polynomials):
    """y = a * x² + b * x + c."""

    name: ClassVar[str] = "quadratic"
    plural: ClassVar[str] = "quadratic functions"
    parameters: ClassVar[tuple[str, ...]] = ("a", "b", "c")

    a: Interval = setting((-0.2, 0.2), help="Smallest and largest coefficient of x²")
    b: Interval = setting((-2.0, 2.0), help="Smallest and largest coefficient of x")
    c: Interval = setting((-3.0, 3.0), help="Smallest and largest value at 0")
    x: Interval = setting((-5.0, 5.0), help="Interval of x")


@dataclass(frozen=True, kw_only=True)
class CubicTasks(Polynomials):
    """y = a * x³ + b * x² + c * x + d."""

    name: ClassVar[str] = "cubic"
    plural: ClassVar[str] = "cubic functions"
    parameters: ClassVar[tuple[str, ...]] = ("a", "b", "c", "d")

    a: Interval = setting((-0.1, 0.1), help="Smallest and largest coefficient of x³")
    b: Interval = setting((-0.2, 0.2), help="Smallest and largest coefficient of x²")
    c: Interval = setting((-2.0, 2.0), help="Smallest and largest coefficient of x")
    d: Interval = setting((-3.0, 3.0), help="Smallest and largest value at 0")
    x: Interval = setting((-5.0, 5.0), help="Interval of x")
