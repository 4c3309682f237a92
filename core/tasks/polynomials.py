"""Lines, quadratics and cubics of Yao et al. (2019, HSML), and polynomials of a random order.

No NumPy is imported, as ``--help`` reads the settings.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from core import validation
from core.settings import setting
from core.tasks.family import Interval, TaskFamily

if TYPE_CHECKING:
    from core.tasks.base import Floats

LARGEST_ORDER = 9


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
        powers = ("", "·x", *(f"·x{power}" for power in "²³⁴⁵⁶⁷⁸⁹"))[len(parameters) - 1 :: -1]
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


@dataclass(frozen=True, kw_only=True)
class PolynomialTasks(Polynomials):
    """Polynomials whose order is random too; the coefficient of x^i is of an interval over 2^i."""

    name: ClassVar[str] = "polynomial"
    plural: ClassVar[str] = "polynomials"

    order: tuple[int, int] = setting((0, 2), help="Smallest and largest order")
    coefficient: Interval = setting(
        (-1.0, 1.0), help="Interval of coefficients, divided by 2^i for that of x^i"
    )
    x: Interval = setting((-2.0, 2.0), help="Interval of x")

    def __post_init__(self) -> None:
        low, high = self.order
        validation.count("polynomial.order", low, low=0, high=LARGEST_ORDER)
        validation.count("polynomial.order", high, low=low, high=LARGEST_ORDER)
        super().__post_init__()
        validation.interval("polynomial.coefficient", self.coefficient)

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(f"c{power}" for power in self._powers)

    @property
    def draws(self) -> int:
        return 1 + len(self._powers)

    @property
    def ranges(self) -> tuple[Interval, ...]:
        low, high = self.coefficient
        return tuple((low / 2**power, high / 2**power) for power in self._powers)

    @property
    def _powers(self) -> range:
        return range(self.order[1], -1, -1)

    def values(self, draws: Floats) -> Floats:
        """Scale the coefficients, and leave out those above the order."""
        import numpy as np

        values = super().values(draws[..., 1:])
        low, high = self.order
        order = low + np.floor(draws[..., :1] * (high - low + 1))
        return np.where(np.array(self._powers) > order, 0.0, values)

    def label(self, *parameters: float) -> str:
        """Return the formula as text, without the powers above the order of the task."""
        first = next((place for place, one in enumerate(parameters) if one), len(parameters) - 1)
        return super().label(*parameters[first:])

    def beyond(self) -> TaskFamily:
        largest = max(map(abs, self.coefficient))
        return dataclasses.replace(self, coefficient=(largest, 2 * largest))
