"""A wave and its predictions, as one plot for Watch, the Lab, the time machine and ``eval``."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from core.tasks.sine import SineTasks
from core.tasks.sine_sampler import SineWave
from tui_meta.views.plots.axis import Axis, Limits, round_step
from tui_meta.views.plots.plot import Plot, Series, curve

Values = Sequence[float]

_POINTS = 100


def usual_height(waves: SineTasks) -> float:
    """Return the upper end of the y axis on which all waves of a task family are compared."""
    return 1.1 * max(map(abs, waves.amplitude)) or 1.0


def wave_limits(waves: SineTasks, values: Iterable[float] = ()) -> Limits:
    """Return the limits of y for a task family, wider for ``values`` outside them."""
    usual = usual_height(waves)
    size = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    height = usual if size <= usual else min(round_step(size), 1e300)
    return Limits(-height, height)


def wave_plot(
    title: str,
    task: Sequence[Series],
    x: Limits,
    y: Axis,
    predictions: tuple[Values, Values, Values] | None = None,
    index: int = 0,
) -> Plot:
    """Return the series of a ``task`` and, as (x, before, after), the predictions of a network.

    They have the colour of the curve number ``index``, what belongs to the task has none.
    """
    wave, support = task
    series = [wave, support]
    if predictions:
        at, before, after = predictions
        series[1:1] = [
            replace(curve("before", at, before, index), marker="short", dim=True),
            replace(curve("after", at, after, index), marker="solid"),
        ]
    return Plot(title, tuple(series), x.axis("x"), y)


def task_series(
    amplitude: float, phase: float, support_x: Values, support_y: Values, x: Limits
) -> tuple[Series, Series]:
    """Return ``amplitude * sin(x + phase)`` within the limits of x, and the support set."""
    places = np.linspace(x.lower, x.upper, _POINTS)
    with np.errstate(all="ignore"):  # values of another process may not be finite
        values = SineWave(amplitude, phase)(places)
    return (
        Series("true", places.tolist(), values.tolist(), "line", "default", "dotted"),
        Series("support", support_x, support_y, "points", "default", "●"),
    )
