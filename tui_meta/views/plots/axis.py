"""Axes of charts: limits that stay put, and round ticks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Scale = Literal["linear", "log"]
Tick = tuple[float, str]

_HUGE = 1e300  # leaves room to subtract two of them without overflow
_TINY = 1e-250  # below it, powers of ten lose their digits
_MARKS = (0.0, math.log10(2), math.log10(5))  # 1, 2 and 5 within a decade


@dataclass(frozen=True)
class Axis:
    """An axis from `lower` to `upper`, with ticks as (position, label) pairs.

    On a "log" scale, positions are exponents of ten.

    Raises:
        ValueError: the limits are not finite, or not in order.
    """

    lower: float
    upper: float
    ticks: tuple[Tick, ...] = ()
    label: str = ""
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        if not 0 < self.upper - self.lower < math.inf:
            raise ValueError(f"an axis cannot run from {self.lower} to {self.upper}")

    def value(self, position: float) -> float:
        """Return the value at a position, in the units of the data."""
        return 10.0 ** min(position, 300.0) if self.scale == "log" else position


@dataclass(frozen=True)
class Limits:
    """Rounded limits of an axis that change only when they must.

    On a "log" scale `lower` and `upper` are exponents of ten, as is everything plotted
    against such an axis (see `log10s`).
    """

    lower: float
    upper: float
    scale: Scale = "linear"

    def follow(self, values: Iterable[float], fill: float = 0.4) -> "Limits":
        """Limits for new `values` (in data units), which are these ones wherever possible.

        They change when a value leaves them, or when rounded limits around the values would
        span less than the share `fill` of them. Values that cannot be shown do not count.
        """
        shown = [_clamp(value) for value in on_scale(values, self.scale) if math.isfinite(value)]
        if not shown:
            return self
        low, high = min(shown), max(shown)
        around = _log_limits if self.scale == "log" else _linear_limits
        lower, upper = around(low, high)
        inside = self.lower <= low and high <= self.upper
        if inside and upper - lower >= fill * (self.upper - self.lower):
            return self
        return Limits(lower, upper, self.scale)

    def axis(self, label: str = "") -> Axis:
        """The axis with these limits and a few round ticks."""
        ticks = log_ticks if self.scale == "log" else linear_ticks
        return Axis(self.lower, self.upper, ticks(self.lower, self.upper), label, self.scale)


def limits_around(values: Sequence[float]) -> Limits:
    """From the smallest of `values` to the largest, with room around a single one."""
    shown = [_clamp(value) for value in values if math.isfinite(value)]
    low, high = min(shown, default=-1.0), max(shown, default=1.0)
    return Limits(low, high) if low < high else Limits(-1, 1).follow((low - 1, high + 1))


def log10s(values: Iterable[float]) -> tuple[float, ...]:
    """Decimal logarithms; NaN, which is a gap, for what has none (zero, negative, not finite)."""
    return tuple(
        math.log10(value) if 0 < value < math.inf else math.nan for value in map(float, values)
    )


def linear_ticks(lower: float, upper: float, parts: int = 4) -> tuple[Tick, ...]:
    """Ticks at multiples of 1, 2 or 5 times a power of ten, at most about `parts` intervals."""
    rough = (upper - lower) / parts
    if not _TINY < rough < math.inf:
        return ()
    step = round_step(rough)
    first, last = math.ceil(lower / step - 1e-9), math.floor(upper / step + 1e-9)
    positions = [index * step for index in range(first, last + 1)]
    return tuple(zip(positions, _linear_labels(positions, step), strict=True))


def log_ticks(lower: float, upper: float) -> tuple[Tick, ...]:
    """Ticks for exponents from `lower` to `upper`: decades, or 1-2-5 where decades are few."""
    decades = range(math.ceil(lower - 1e-9), math.floor(upper + 1e-9) + 1)
    if len(decades) >= 3:
        stride = math.ceil(len(decades) / 6)
        return tuple((float(decade), _power_label(decade, 0)) for decade in decades[::stride])
    marks = (
        (decade + offset, _power_label(decade, index))
        for decade in range(math.floor(lower), math.floor(upper) + 1)
        for index, offset in enumerate(_MARKS)
    )
    return tuple(mark for mark in marks if lower - 1e-9 <= mark[0] <= upper + 1e-9)


def on_scale(values: Iterable[float], scale: Scale) -> tuple[float, ...]:
    """Return the positions of ``values`` on a scale."""
    return log10s(values) if scale == "log" else tuple(map(float, values))


def _clamp(value: float) -> float:
    return max(-_HUGE, min(_HUGE, value))


def round_step(step: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below `step`."""
    decade = 10.0 ** math.floor(math.log10(step))
    return next(factor * decade for factor in (1, 2, 5, 10, 20) if factor * decade >= step)


def _linear_limits(low: float, high: float) -> tuple[float, float]:
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or high - low < _TINY:  # as good as constant: make room
        room = size / 2 if size > 1e-200 else 0.5
        low, high = low - room, high + room
    step = round_step((high - low) / 4)
    lower, upper = math.floor(low / step) * step, math.ceil(high / step) * step
    return min(lower, low), max(upper, high)  # the product may round across the value


def _log_limits(low: float, high: float) -> tuple[float, float]:
    lower = max(mark for offset in _MARKS if (mark := math.floor(low) + offset) <= low)
    upper = min(mark for offset in (*_MARKS, 1.0) if (mark := math.floor(high) + offset) >= high)
    if upper - lower < 0.5:  # less than a factor of three: a whole decade reads better
        lower = float(math.floor(low))
        upper = float(max(math.ceil(high), math.floor(low) + 1))
    return lower, upper


def _linear_labels(positions: Sequence[float], step: float) -> list[str]:
    largest = max((abs(position) for position in positions), default=0.0)
    if largest >= 1e9 or step < 1e-4:
        texts = (f"{position:.3g}" for position in positions)
        return [text.replace("e+", "e").replace("e-0", "e-").replace("e0", "e") for text in texts]
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if largest >= 10 * size and step >= size / 10:
            return [f"{position / size:g}{unit}" if position else "0" for position in positions]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{position:.{decimals}f}" if position else "0" for position in positions]


def _power_label(decade: int, index: int) -> str:
    """The label of 1, 2 or 5 (by `index`) times ten to the power `decade`."""
    digit = "125"[index]
    if -3 <= decade <= 3:
        return f"{float(f'{digit}e{decade}'):g}"
    return f"{digit}e{decade}"
