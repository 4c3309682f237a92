"""Axes of charts: limits that stay put, and round ticks."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Scale = Literal["linear", "log"]
Tick = tuple[float, str]
Fits = Callable[[Sequence[Tick]], bool]

_HUGE = 1e300  # leaves room to subtract two of them without overflow
_TINY = 1e-250  # below it, powers of ten lose their digits
_DIGITS = (1, 2, 5)
_MOST_STEPS = 10
"""Steps of the finest ticks on a linear scale."""

TIGHT = 20
"""Limits are rounded to a step of which at most so many span the values."""

_LEAST_FILLED = 0.75
"""Share of its limits that values fill at least; of less, the limits change."""

_STEADY = 0.5
"""That share where other values come every second: all of a chart changes with its limits."""

_MOST_EMPTY = 3
"""A chart with one scale for both axes may be so many times as large as what it shows."""

_LEAST_DECADES = 0.1
"""Span of a logarithmic axis; less would show noise as if it were a trend."""


class Axis(Struct, frozen=True):
    """An axis from `lower` to `upper`; one that is not `ticked` has no scale beside it.

    On a "log" scale, positions are exponents of ten. An axis with `places` has ticks there alone.

    Raises:
        ValueError: the limits are not finite, or not in order.
    """

    lower: float
    upper: float
    label: str = ""
    scale: Scale = "linear"
    ticked: bool = True
    places: tuple[Tick, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.upper - self.lower < math.inf:
            raise ValueError(f"an axis cannot run from {self.lower} to {self.upper}")

    def value(self, position: float) -> float:
        """Return the value at a position, in the units of the data."""
        return 10.0 ** min(position, 300.0) if self.scale == "log" else position


class Limits(Struct, frozen=True):
    """Limits of an axis, tight round its values, that change only when they must.

    On a "log" scale `lower` and `upper` are exponents of ten, as is everything plotted
    against such an axis (see `log10s`). Those that are not `known` wait for the first values.
    """

    lower: float
    upper: float
    scale: Scale = "linear"
    known: bool = True

    @classmethod
    def unknown(cls, scale: Scale = "linear") -> "Limits":
        """Return the limits of an axis that has no values yet."""
        return cls(-2, 1, scale, False) if scale == "log" else cls(0, 1, scale, False)

    def follow(
        self,
        values: Iterable[float],
        end: float = math.inf,
        parts: int = TIGHT,
        *,
        steady: bool = False,
    ) -> "Limits":
        """Limits for new `values` (in data units), which are these ones wherever possible.

        They change when a value leaves them, when they pass the ``end`` of the data, or when the
        values fill too little of them; if they are to be ``steady``, that is less, and an end that
        no value leaves stays if it can. New ones are rounded to the 1-2-5 step of which at most
        ``parts`` span the values, but do not pass ``end`` (in data units) unless a value does.
        Values that cannot be shown do not count.
        """
        shown = [_clamp(value) for value in on_scale(values, self.scale) if math.isfinite(value)]
        if not shown:
            return self
        low, high = min(shown), max(shown)
        lower, upper = _rounded(low, high, parts, self.scale)
        (last,) = on_scale((end,), self.scale)
        most = math.inf
        if math.isfinite(last) and lower < max(high, last):
            most = max(high, last)
        upper = min(upper, most)
        filled = _STEADY if steady else _LEAST_FILLED
        inside = self.known and self.lower <= low and high <= self.upper <= most
        if inside and upper - lower >= filled * (self.upper - self.lower):
            return self
        first, last = min(lower, self.lower), max(upper, self.upper)
        if steady and self.known and upper - lower >= filled * (last - first):
            return Limits(first, last, self.scale)
        return Limits(lower, upper, self.scale)

    def axis(self, label: str = "") -> Axis:
        """The axis with these limits."""
        return Axis(self.lower, self.upper, label, self.scale)


def limits_around(values: Sequence[float]) -> Limits:
    """From the smallest of `values` to the largest, with room around a single one."""
    shown = [_clamp(value) for value in values if math.isfinite(value)]
    low, high = min(shown, default=-1.0), max(shown, default=1.0)
    return Limits(low, high) if low < high else Limits.unknown().follow((low - 1, high + 1))


def same_scale(x: Axis, y: Axis, width: float, height: float) -> tuple[Axis, Axis, float]:
    """Return the axes, one of them widened so that a unit is as long on both, and a factor.

    The axes are ``width`` and ``height`` long. Where this would leave most of the chart empty,
    y is drawn larger by a factor of 1, 2 or 5 times a power of ten, which is below 1 where x is.
    """
    across, up = (x.upper - x.lower) / width, (y.upper - y.lower) / height
    stretch = max(across / up, up / across)
    # The largest such factor that is not above the stretch which would fill the chart.
    factor = 1.0 if stretch <= _MOST_EMPTY else 1 / round_step(1 / stretch)
    if across >= up:
        return x, _widened(y, across / factor * height), factor
    return _widened(x, up / factor * width), y, 1 / factor


def _widened(axis: Axis, span: float) -> Axis:
    room = max(0.0, span - (axis.upper - axis.lower)) / 2
    return replace(axis, lower=axis.lower - room, upper=axis.upper + room)


def log10s(values: Iterable[float]) -> tuple[float, ...]:
    """Decimal logarithms; NaN, which is a gap, for what has none (zero, negative, not finite)."""
    return tuple(
        math.log10(value) if 0 < value < math.inf else math.nan for value in map(float, values)
    )


def on_scale(values: Iterable[float], scale: Scale) -> tuple[float, ...]:
    """Return the positions of ``values`` on a scale."""
    return log10s(values) if scale == "log" else tuple(map(float, values))


def round_step(step: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below `step`."""
    decade = 10.0 ** math.floor(math.log10(step))
    return next(factor * decade for factor in (1, 2, 5, 10, 20) if factor * decade >= step)


def choose_ticks(axis: Axis, fits: Fits) -> tuple[Tick, ...]:
    """Return the most ticks for which there is room, as pairs of position and label.

    They are at multiples of 1, 2 or 5 times a power of ten; on a "log" scale at 1, 2 and 5 times
    powers of ten, or at powers only. Where two of a kind do not fit, the outermost ones may.
    """
    choices = [one for one in _choices(axis) if one] if axis.ticked else []
    fitting = next((one for one in choices if len(one) > 1 and fits(one)), None)
    if fitting:
        return fitting
    ends = next(((one[0], one[-1]) for one in reversed(choices) if len(one) > 1), None)
    if ends and fits(ends):
        return ends
    return choices[-1][:1] if choices and fits(choices[-1][:1]) else ()


def _choices(axis: Axis) -> Iterator[tuple[Tick, ...]]:
    """Yield ticks within an axis, the finest first, down to a single one."""
    lower, upper = axis.lower, axis.upper
    if axis.places:
        yield from (axis.places[:: 2**n] for n in range(len(axis.places).bit_length()))
        return
    if axis.scale == "linear":
        yield from _linear_choices(lower, upper)
        return
    marks = [
        (decade + math.log10(digit), _power_label(digit, decade))
        for decade in range(math.floor(lower), math.floor(upper) + 1)
        for digit in _DIGITS
    ]
    marks = [(at, label) for at, label in marks if lower <= at <= upper]
    if len(marks) < 3:  # within one decade: as on a linear scale, but drawn on this one
        for ticks in _linear_choices(10.0**lower, 10.0**upper):
            on_log = ((math.log10(value), label) for value, label in ticks)
            yield tuple((min(upper, max(lower, at)), label) for at, label in on_log)
        return
    yield tuple(marks)
    stride = 1.0
    while stride < 2 * (upper - lower):
        decades = range(math.ceil(lower / stride), math.floor(upper / stride) + 1)
        places = [int(stride) * index for index in decades]
        yield tuple((float(place), _power_label(1, place)) for place in places)
        stride = round_step(1.5 * stride)


def _linear_choices(lower: float, upper: float) -> Iterator[tuple[Tick, ...]]:
    if not _TINY < (upper - lower) / _MOST_STEPS < math.inf:
        return
    step = round_step((upper - lower) / _MOST_STEPS)
    while step < 2 * (upper - lower):
        first, last = math.ceil(lower / step - 1e-9), math.floor(upper / step + 1e-9)
        places = [min(upper, max(lower, at * step)) for at in range(first, last + 1)]
        yield tuple(zip(places, _linear_labels(places, step), strict=True))
        step = round_step(1.5 * step)


def _clamp(value: float) -> float:
    return max(-_HUGE, min(_HUGE, value))


def _rounded(low: float, high: float, parts: int, scale: Scale) -> tuple[float, float]:
    """Return positions around ``low`` and ``high``, with room around what is as good as one."""
    size = max(abs(low), abs(high))
    if scale == "log":
        room = max(0.0, _LEAST_DECADES - (high - low)) / 2
    elif high - low <= 1e-9 * size or high - low < _TINY:
        room = size / 2 if size > 1e-200 else 0.5
    else:
        room = 0.0
    low, high = low - room, high + room
    step = round_step((high - low) / parts)
    lower, upper = math.floor(low / step) * step, math.ceil(high / step) * step
    return min(lower, low), max(upper, high)  # the product may round across the value


def _linear_labels(positions: Sequence[float], step: float) -> list[str]:
    largest = max((abs(position) for position in positions), default=0.0)
    if largest >= 1e9 or step < 1e-4:
        digits = min(15, max(1, math.ceil(math.log10(largest / step) + 1))) if largest else 1
        texts = (f"{position:.{digits}g}" for position in positions)
        return [text.replace("e+", "e").replace("e-0", "e-").replace("e0", "e") for text in texts]
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if largest >= 10 * size and step >= size / 10:
            return [f"{position / size:g}{unit}" if position else "0" for position in positions]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{position:.{decimals}f}" if position else "0" for position in positions]


def _power_label(digit: int, decade: int) -> str:
    """The label of ``digit`` times ten to the power ``decade``."""
    if -2 <= decade <= 2:
        return f"{float(f'{digit}e{decade}'):g}"
    for power, unit in ((6, "M"), (3, "k")):
        if power <= decade < power + 3:
            return f"{digit * 10 ** (decade - power)}{unit}"
    return f"{digit}e{decade}"
