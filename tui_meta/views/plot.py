"""Plots as plain data: series, axes and stable limits.

Nothing here depends on a terminal. Values that cannot be shown (NaN, infinity, the logarithm of
zero) become gaps, never errors: a training run that diverges must still be looked at.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

Kind = Literal["line", "points"]
Marker = Literal["solid", "dashed", "short", "dash-dot", "dotted", "•", "+", "●", "○", "◆"]
"""The first five are the dash patterns of lines; the others are one character a cell."""

SAMPLES: Mapping[Marker, str] = {
    "solid": "⠒",
    "dashed": "╍",
    "short": "┅",
    "dash-dot": "╾",
    "dotted": "⠂",
}
"""One cell of each dash pattern, as legends show it."""

Color = Literal["default", "yellow", "bright_blue", "bright_cyan", "bright_green", "bright_magenta"]
"""Names of the 16-colour palette, so that the plainest terminal shows them exactly."""

Scale = Literal["linear", "log"]
Tick = tuple[float, str]

_NAN = math.nan
_HUGE = 1e300  # leaves room to subtract two of them without overflow
_TINY = 1e-250  # below it, powers of ten lose their digits
_MARKS = (0.0, math.log10(2), math.log10(5))  # 1, 2 and 5 within a decade


@dataclass(frozen=True)
class Series:
    """One curve or one set of points.

    `x` and `y` have the same length, `(n_points,)`, and are kept as tuples; what is not
    finite is a gap. Series of one plot should differ in `marker`, not in `color` alone.

    Raises:
        ValueError: `x` and `y` differ in length.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    kind: Kind = "line"
    color: Color = "default"
    marker: Marker = "solid"
    dim: bool = False
    listed: bool = True
    """Named in the legend, and read by the cursor."""

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ValueError(f"{self.label}: {len(self.x)} x values but {len(self.y)} y values")
        object.__setattr__(self, "x", _with_gaps(self.x))
        object.__setattr__(self, "y", _with_gaps(self.y))


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
class Mark:
    """Something that happened at `x`, as one letter."""

    x: float
    letter: str
    color: Color = "default"


@dataclass(frozen=True)
class Plot:
    """A chart: its title, its series in drawing order, its two axes.

    Points are drawn over lines, whatever their order. `empty` is the text where no
    series has anything to draw. `marks` are drawn at the x axis, and a line at `cursor`. The legend
    names the series in the order of `names`, where that is another than that of drawing.
    """

    title: str
    series: tuple[Series, ...]
    x: Axis
    y: Axis
    empty: str = "no data yet"
    marks: tuple[Mark, ...] = ()
    cursor: float | None = None
    values: tuple[str, ...] = ()
    """Texts behind the names of the legend, if any."""
    names: tuple[str, ...] = ()
    caption: str = ""
    """A sentence above the curves, where there is room for it."""

    @property
    def legend(self) -> tuple[Series, ...]:
        """The series that the legend names: those that are listed and have a label."""
        order = {label: place for place, label in enumerate(self.names)}
        named = (series for series in self.series if series.label and series.listed)
        return tuple(sorted(named, key=lambda series: order.get(series.label, -1)))


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


def empty_plot(title: str, said: str) -> Plot:
    """Return a plot without data that shows why."""
    axis = Axis(0.0, 1.0)
    return Plot(title, (), axis, axis, empty=said)


def log10s(values: Iterable[float]) -> tuple[float, ...]:
    """Decimal logarithms; NaN, which is a gap, for what has none (zero, negative, not finite)."""
    return tuple(
        math.log10(value) if 0 < value < math.inf else _NAN for value in map(float, values)
    )


def gaps(values: Iterable[float | None]) -> tuple[float, ...]:
    """The values of an answer, NaN for what is None there: it was not finite."""
    return tuple(_NAN if value is None else value for value in values)


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


def decimate(
    x: Sequence[float], y: Sequence[float], columns: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A curve `(n_points,)` in at most two points a column, each the mean of a bucket.

    Buckets hold a power of two of points, counted from the first, so that a growing curve
    keeps the points it had. Means leave out what is not finite; a bucket of nothing else is
    a gap.
    """
    size = 1
    while math.ceil(len(x) / size) > 2 * max(columns, 1):
        size *= 2
    if size == 1:
        return tuple(x), tuple(y)
    starts = range(0, len(x), size)
    return (
        tuple(_mean(x[start : start + size]) for start in starts),
        tuple(_mean(y[start : start + size]) for start in starts),
    )


Vertex = tuple[float, float, bool]
"""A point of a line, as (x, y, joined to the one before)."""


def straighten(points: Iterable[Vertex], tolerance: float) -> list[Vertex]:
    """The points that a line needs: the others lie within ``tolerance`` above or below it.

    Points are left out only where x increases. They are chosen from the first on, so that a growing
    line keeps those it had, but for the last.
    """
    kept: list[Vertex] = []
    waiting: Vertex | None = None
    flattest, steepest = -math.inf, math.inf
    for point in points:
        x, y, joined = point
        if waiting is not None:
            # From the last point kept, a straight line to this one passes all of those between.
            across, up = x - kept[-1][0], y - kept[-1][1]
            passes = flattest * across <= up <= steepest * across
            if not (joined and x > waiting[0] and passes):
                kept.append(waiting)
                waiting, flattest, steepest = None, -math.inf, math.inf
        if not (joined and kept and x > kept[-1][0]):
            kept.append(point)
            continue
        across, up = x - kept[-1][0], y - kept[-1][1]
        flattest = max(flattest, (up - tolerance) / across)
        steepest = min(steepest, (up + tolerance) / across)
        waiting = point
    return [*kept, waiting] if waiting else kept


def dashed(
    points: Iterable[Vertex], pattern: Sequence[float], size: tuple[float, float]
) -> list[Vertex]:
    """Cut a line into dashes: the lengths in ``pattern`` are drawn and left out by turns.

    Lengths are measured along the line, from its first point and from each gap on, in dots, of
    which ``size`` are in the width and the height of the axes.
    """
    kept: list[Vertex] = []
    turns: Iterator[float] = iter(())
    left, drawn = 0.0, False
    last = (0.0, 0.0)
    for x, y, joined in points:
        if not joined:
            turns = cycle(pattern)
            left, drawn = next(turns), True
        else:
            across, up = x - last[0], y - last[1]
            length = math.hypot(across * size[0], up * size[1])
            done = 0.0
            while length - done > left:
                done += left
                share = done / length
                kept.append((last[0] + share * across, last[1] + share * up, drawn))
                left, drawn = next(turns), not drawn
            left -= length - done
        if drawn:
            kept.append((x, y, joined))
        last = (x, y)
    return kept


def curve(label: str, x: Sequence[float], y: Sequence[float], index: int = 0) -> Series:
    """The line number `index` of several: the look of a run or a network, wherever it is drawn.

    The first four differ in colour and in dash pattern.
    """
    looks: tuple[tuple[Marker, Color], ...] = (
        ("solid", "bright_cyan"),
        ("dashed", "yellow"),
        ("short", "bright_magenta"),
        ("dash-dot", "bright_blue"),
    )
    marker, color = looks[index % len(looks)]
    return Series(label, x, y, "line", color, marker)


def _with_gaps(values: Sequence[float]) -> tuple[float, ...]:
    # One NaN object for all gaps: tuples compare by identity first, so equal plots are equal.
    return tuple(value if math.isfinite(value) else _NAN for value in map(float, values))


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


def _mean(values: Sequence[float]) -> float:
    total = sum(values)
    if math.isfinite(total):
        return total / len(values)
    shown = [value for value in values if math.isfinite(value)]
    return math.fsum(value / len(shown) for value in shown) if shown else _NAN
