"""A wave and its predictions, as one plot for Watch, the Lab, the time machine and ``eval``."""

import math
from collections.abc import Iterable, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from core.events import Evaluated
from core.tasks.family import TaskFamily
from core.tasks.functions import TaskFunction, usual_height
from core.tasks.sine import SineTasks
from tui_meta.views.plots.axis import Axis, Limits, round_step
from tui_meta.views.plots.plot import Color, Plot, PlotStrip, Series, curve

Values = Sequence[float]

_POINTS = 100


class Prediction(Struct, frozen=True, dict=True):
    """What a network predicts at ``x`` before and after adaptation, and the ``true`` values."""

    x: Values
    true: Values
    before: Values
    after: Values

    @cached_property
    def errors(self) -> list[float]:
        """The prediction minus the true value, at each x."""
        return [one - true for one, true in zip(self.after, self.true, strict=True)]

    @cached_property
    def height(self) -> float:
        """The largest absolute value of the predictions."""
        return _largest((*self.before, *self.after))

    @cached_property
    def largest_error(self) -> float:
        """The largest absolute value of the errors."""
        return _largest(self.errors)


def axis_height(family: TaskFamily) -> float:
    """Return the upper end of the y axis on which all curves of a task family are compared."""
    return 1.1 * usual_height(family) or 1.0


def wave_limits(family: TaskFamily, values: Iterable[float] = ()) -> Limits:
    """Return the limits of y for a task family, wider for ``values`` outside them."""
    usual = axis_height(family)
    size = _largest(values)
    height = usual if size <= usual else min(round_step(size), 1e300)
    return Limits(-height, height)


def _largest(values: Iterable[float]) -> float:
    """Return the largest absolute value of those that are finite; 0 without any."""
    return max((abs(value) for value in values if math.isfinite(value)), default=0.0)


def wave_plot(
    title: str,
    task: Sequence[Series],
    x: Limits,
    y: Axis,
    prediction: Prediction | None = None,
    index: int = 0,
    errors: Limits | None = None,
) -> Plot:
    """Return the series of a ``task`` and the ``prediction`` of a network, with its error below.

    They have the colour of the curve number ``index``, what belongs to the task has none. The
    limits of the error are its own, unless they are given in ``errors``.
    """
    wave, support = task
    series = [wave, support]
    strip = None
    if prediction:
        at = prediction.x
        after = replace(curve("after", at, prediction.after, index), marker="solid")
        series[1:1] = [
            replace(curve("before", at, prediction.before, index), marker="short", dim=True),
            after,
        ]
        strip = error_strip([replace(after, y=prediction.errors)], errors)
    return Plot(title, tuple(series), x.axis("x"), y, strip=strip)


def error_limits(errors: Iterable[float], known: Limits | None = None) -> Limits:
    """Return limits around errors and 0, which is in their middle: the ``known`` ones if they fit.

    The lines of a strip are a few rows high: all of them change with its limits.
    """
    size = _largest(errors) or 1.0
    return (known or Limits.unknown()).follow((-size, size), steady=True)


def error_strip(curves: Sequence[Series], limits: Limits | None = None) -> PlotStrip:
    """Return the strip with the error of each prediction, the first on top, and a line at 0."""
    limits = limits or error_limits(value for one in curves for value in one.y)
    xs = [x for one in curves for x in one.x if math.isfinite(x)] or [0.0]
    # In the colour of a curve: every change of style along a row is sent to the terminal.
    color: Color = next((one.color for one in curves), "default")
    zero = Series("", (min(xs), max(xs)), (0.0, 0.0), "line", color, "dotted")
    return PlotStrip("error: after \N{MINUS SIGN} true", (zero, *reversed(curves)), limits.axis())


def task_series(
    function: TaskFunction, support_x: Values, support_y: Values, x: Limits
) -> tuple[Series, Series]:
    """Return the curve of a task within the limits of x, and the support set."""
    import numpy as np  # late: the first frame has no wave

    places: list[float] = np.linspace(x.lower, x.upper, _POINTS).tolist()
    true = true_values(function, places)
    return (
        Series("true", places, true, "line", "default", "dotted"),
        Series("support", support_x, support_y, "points", "default", "●"),
    )


def evaluated_series(evaluated: Evaluated, x: Limits) -> tuple[Series, Series]:
    """Return the task of an evaluation as ``task_series`` does."""
    wave, support = task_series(_wave(evaluated), evaluated.support_x, evaluated.support_y, x)
    if isinstance(evaluated.query_y, tuple):
        wave = replace(wave, x=evaluated.query_x, y=evaluated.query_y)
    return wave, support


def evaluated_prediction(evaluated: Evaluated) -> Prediction:
    """Return what a network predicted in an evaluation."""
    x, known = evaluated.query_x, evaluated.query_y
    true = known if isinstance(known, tuple) else true_values(_wave(evaluated), x)
    return Prediction(x, true, evaluated.before, evaluated.after)


def _wave(evaluated: Evaluated) -> TaskFunction:
    """Return the sine wave of an evaluation that does not hold the values of its task."""
    return TaskFunction(SineTasks(), (*evaluated.task, 0.0, 0.0)[:2])


def true_values(function: TaskFunction, x: Values) -> list[float]:
    """Return the values of a curve; NaN or infinite where the arguments are."""
    import numpy as np

    with np.errstate(all="ignore"):  # values of another process may not be finite
        values: list[float] = function.at(np.asarray(x, float)).tolist()
    return values
