"""Plots as plain data: series, axes and stable limits.

Nothing here depends on a terminal. Values that cannot be shown (NaN, infinity, the logarithm of
zero) become gaps, never errors: a training run that diverges must still be looked at.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from tui_meta.views.plots.axis import Axis, same_scale

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

LINE_MARKS: Mapping[Marker, str] = {"solid": "■", "dashed": "▲", "short": "□", "dash-dot": "◇"}
"""Marks on lines, and in their samples, where colours do not tell them apart."""

Color = Literal["default", "yellow", "bright_blue", "bright_cyan", "bright_green", "bright_magenta"]
"""Names of the 16-colour palette, so that the plainest terminal shows them exactly."""

BAND_EDGES = (" 95 % low", " 95 % high")
"""Ends of the labels of the two series between which a band lies."""

_NAN = math.nan


class Series(Struct, frozen=True):
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
    arrows: bool = False
    """Heads on the line show where it goes."""
    tag: str = ""
    """A text at the line's end."""

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ValueError(f"{self.label}: {len(self.x)} x values but {len(self.y)} y values")
        force_setattr(self, "x", _with_gaps(self.x))
        force_setattr(self, "y", _with_gaps(self.y))


class Mark(Struct, frozen=True):
    """Something that happened at `x`, as one letter."""

    x: float
    letter: str
    color: Color = "default"


class PlotStrip(Struct, frozen=True):
    """A few rows of other lines below those of a plot, over the same x."""

    title: str
    series: tuple[Series, ...]
    y: Axis
    least_rows: int = 10
    """Rows for it and the curves together, below which it is not shown."""


class Plot(Struct, frozen=True):
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
    about: str = ""
    """What it will show, for readers who wait: below `empty`, where there is room for it."""
    marks: tuple[Mark, ...] = ()
    cursor: float | None = None
    values: tuple[str, ...] = ()
    """Texts behind the names of the legend, if any."""
    names: tuple[str, ...] = ()
    caption: str = ""
    """A sentence above the curves, where there is room for it."""
    strip: PlotStrip | None = None
    """Shown where the chart is high enough."""
    same_scale: bool = False
    """A unit is as long on both axes, or the label of one says how much longer."""

    @property
    def legend(self) -> tuple[Series, ...]:
        """The series that the legend names: those that are listed and have a label."""
        order = {label: place for place, label in enumerate(self.names)}
        named = (series for series in self.series if series.label and series.listed)
        return tuple(sorted(named, key=lambda series: order.get(series.label, -1)))


def rescaled(plot: Plot, width: float, height: float) -> Plot:
    """Return the plot for axes of these lengths: of the same scale, if it asks for them."""
    if not plot.same_scale:
        return plot
    x, y, factor = same_scale(plot.x, plot.y, width, height)
    if factor > 1:
        y = replace(y, label=f"{y.label} \N{MULTIPLICATION SIGN}{factor:g}")
    if factor < 1:
        x = replace(x, label=f"{x.label} \N{MULTIPLICATION SIGN}{1 / factor:g}")
    return replace(plot, x=x, y=y)


def empty_plot(title: str, said: str) -> Plot:
    """Return a plot without data that shows why."""
    axis = Axis(0.0, 1.0, ticked=False)
    return Plot(title, (), axis, axis, empty=said)


def gaps(values: Iterable[float | None]) -> tuple[float, ...]:
    """The values of an answer, NaN for what is None there: it was not finite."""
    return tuple(_NAN if value is None else value for value in values)


_COLORS: Sequence[Color] = (
    "bright_cyan",
    "yellow",
    "bright_magenta",
    "bright_blue",
    "bright_green",
)
_MARKERS: Sequence[Marker] = ("solid", "dashed", "short", "dash-dot")


def curve(label: str, x: Sequence[float], y: Sequence[float], index: int = 0) -> Series:
    """The line number `index` of several: the look of a run or a network, wherever it is drawn.

    Neighbours differ in colour and in dash pattern, and the first twenty in one of them.
    """
    color, marker = _COLORS[index % len(_COLORS)], _MARKERS[index % len(_MARKERS)]
    return Series(label, x, y, "line", color, marker)


def _with_gaps(values: Sequence[float]) -> tuple[float, ...]:
    # One NaN object for all gaps: tuples compare by identity first, so equal plots are equal.
    return tuple(value if math.isfinite(value) else _NAN for value in map(float, values))
