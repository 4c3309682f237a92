"""Display options of a chart: scale, window, smoothing, and a cursor that reads values."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Literal, TypeVar, get_args

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from tui_meta.views.numbers import loss, whole
from tui_meta.views.plots.axis import Scale, round_step
from tui_meta.views.plots.plot import Plot, Series
from tui_meta.views.watch.layout import CHARTS, UPDATES, VALIDATION
from tui_meta.views.watch.x_axis import X_LABELS, XUnit

T = TypeVar("T")
Window = Literal["all", "tail", "follow"]

LensPart = Literal["scale", "window", "smoothing", "x", "x_scale"]

_WINDOWS: dict[Window, str] = {"all": "", "tail": "last 10%", "follow": "newest"}
_CURSOR_STOPS = 100
"""A key held down crosses the chart in about so many steps."""

_EDGE_CELLS = 60
"""Longest text at the lower edge of a panel."""


class Lens(Struct, frozen=True):
    """Display options of one chart; ``cursor`` is the position of the readout, in units of x.

    ``window`` is all of the run, its last tenth, or a fixed number of newest iterations. Without
    ``smooth``, every point that is kept is drawn. ``x`` is what the x axis counts.
    """

    scale: Scale = "log"
    window: Window = "all"
    smooth: bool = True
    cursor: float | None = None
    x: XUnit = "iterations"
    x_scale: Scale = "linear"

    @property
    def words(self) -> str:
        """The options that differ from the defaults, for the chart's title."""
        words = [
            "linear" if self.scale == "linear" else "",
            _WINDOWS[self.window],
            "" if self.smooth else "not smoothed",
            "" if self.x == "iterations" else f"x: {X_LABELS[self.x]}",
            "" if self.x_scale == "linear" else "x logarithmic",
        ]
        return "".join(f" · {word}" for word in words if word)

    @property
    def coded(self) -> str:
        """The options that other clients take over: all but the cursor."""
        smooth = "smooth" if self.smooth else "raw"
        return f"{self.scale} {self.window} {smooth} {self.x} {self.x_scale}"

    @staticmethod
    def of(coded: object) -> "Lens | None":
        """The lens that is ``coded`` so; None if none is."""
        choices = (get_args(Scale), get_args(Window), (True, False))
        lenses = (
            Lens(scale, window, smooth, x=x, x_scale=x_scale)
            for scale, window, smooth, x, x_scale in product(*choices, X_LABELS, get_args(Scale))
        )
        return next((lens for lens in lenses if lens.coded == coded), None)

    def words_of(self, part: LensPart) -> str:
        """Return one option in words."""
        match part:
            case "scale":
                return "linear scale" if self.scale == "linear" else "logarithmic scale"
            case "window":
                windows = {
                    "all": "all iterations",
                    "tail": "the last 10%",
                    "follow": "the newest iterations",
                }
                return windows[self.window]
            case "x":
                return f"x axis in {X_LABELS[self.x] if self.x != 'iterations' else self.x}"
            case "x_scale":
                return f"{'linear' if self.x_scale == 'linear' else 'logarithmic'} x axis"
        return "smoothed" if self.smooth else "not smoothed"

    def changed(self, part: LensPart) -> "Lens":
        """Return the lens with the next choice of one option, or the first after the last."""
        match part:
            case "scale":
                return replace(self, scale=_next(self.scale, get_args(Scale)))
            case "window":
                return replace(self, window=_next(self.window, list(_WINDOWS)))
            case "smoothing":
                return replace(self, smooth=not self.smooth)
            case "x":
                return replace(self, x=_next(self.x, list(X_LABELS)), cursor=None)
        return replace(self, x_scale=_next(self.x_scale, get_args(Scale)), cursor=None)

    def span(self, iterations: Iterable[int], target: int) -> tuple[float, float]:
        """First and last iteration to show of runs at ``iterations``.

        It begins with the run that is furthest behind, so that each shows its newest part.
        """
        at = [iteration for iteration in iterations if iteration] or [0]
        first = {
            "all": 0.0,
            "tail": 0.9 * min(at),
            "follow": max(0.0, min(at) - round_step(max(target, 100) / 25)),
        }
        return first[self.window], float(max(at))


def reason_against(what: LensPart, panel: str) -> str:
    """Return why a chart has no choice of ``what``; empty if it has."""
    if panel not in CHARTS:
        return "wave charts have a fixed scale and range"
    if panel == UPDATES and what in ("x", "x_scale"):
        return "the loss per gradient step has one x axis: the steps"
    if panel == UPDATES and what != "scale":
        return f"the loss per gradient step has no {what}: it always shows every step"
    if panel == VALIDATION and what == "smoothing":
        return "every validation is shown: there is nothing to smooth"
    return ""


def stops(plot: Plot) -> list[float]:
    """Return the positions of the cursor: the points of the lines, within the axis."""
    return sorted(
        {
            x
            for series in _lines(plot)
            if not series.dim
            for x, y in zip(series.x, series.y, strict=True)
            if plot.x.lower <= x <= plot.x.upper and math.isfinite(y)
        }
    )


def moved(plot: Plot, cursor: float | None, steps: int) -> float | None:
    """The cursor ``steps`` stops further, or at the end; None where there is nothing to read.

    Without a cursor it begins at the newest point.
    """
    places = stops(plot)
    if not places:
        return None
    if cursor is None:
        return places[-1]
    stride = max(1, len(places) // _CURSOR_STOPS)
    index = bisect_left(places, cursor) + steps * stride
    return places[max(0, min(len(places) - 1, index))]


def read_out(plot: Plot, cursor: float, name: str, *, at_edge: bool) -> tuple[Plot, str]:
    """Return a plot with the values at its cursor, and what its lower edge says of them.

    A panel without that edge, or with more values than it holds, has them in its legend.
    """
    said = reading(plot, cursor)
    if at_edge and cell_len(said) <= _EDGE_CELLS:
        return plot, said
    return read_in_legend(plot, name, cursor), ""


def reading(plot: Plot, cursor: float) -> str:
    """Return the position of the cursor and the value of each line there."""
    values = " · ".join(
        f"{series.label} {loss(value_at(plot, series, cursor))}" for series in _lines(plot)
    )
    return f"{place(plot, cursor)}: {values}"


def read_in_legend(plot: Plot, name: str, cursor: float) -> Plot:
    """Return the plot with the readout inside: the position in its title, values in its legend."""
    values = tuple(
        loss(value_at(plot, series, cursor)) if series.kind == "line" else ""
        for series in plot.legend
    )
    return replace(plot, title=f"{name} · {place(plot, cursor)}", values=values)


def place(plot: Plot, cursor: float) -> str:
    """Return the position of the cursor in words."""
    value = plot.x.value(cursor)
    if plot.x.label in ("iteration", "step"):
        return f"at {whole(round(value))}"
    if plot.x.label in ("tasks", "points", "gradient evaluations"):
        return f"at {whole(round(value))} {plot.x.label}"
    return f"at {value:.2f}"


def value_at(plot: Plot, series: Series, x: float) -> float | None:
    """The value of a line at ``x``, in the units of the data; None outside it and in a gap."""
    index = bisect_left(series.x, x)
    if index < len(series.x) and series.x[index] == x:
        y = series.y[index]
    elif 0 < index < len(series.x):
        x0, x1, y0, y1 = *series.x[index - 1 : index + 1], *series.y[index - 1 : index + 1]
        y = y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    else:
        return None
    return plot.y.value(y) if math.isfinite(y) else None


def _lines(plot: Plot) -> Sequence[Series]:
    return [series for series in plot.legend if series.kind == "line"]


def _next(choice: T, choices: Sequence[T]) -> T:
    return choices[(choices.index(choice) + 1) % len(choices)]
