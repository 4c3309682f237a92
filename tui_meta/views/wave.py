"""A wave and its predictions, as one plot for Watch, the Lab, the time machine and ``eval``."""

from collections.abc import Sequence

import numpy as np

from core.tasks.sine_sampler import SineWave
from tui_meta.views.plot import Axis, Limits, Plot, Series

Values = Sequence[float]

_POINTS = 100


def wave_plot(
    title: str,
    task: Sequence[Series],
    x: Limits,
    y: Axis,
    predictions: tuple[Values, Values, Values] | None = None,
) -> Plot:
    """Return the series of a ``task`` and, as (x, before, after), the predictions for it."""
    wave, support = task
    series = [wave, support]
    if predictions:
        at, before, after = predictions
        series[1:1] = [
            Series("before", at, before, "line", "bright_blue", "•"),
            Series("after", at, after, "line", "yellow", "blocks"),
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
        Series("true", places.tolist(), values.tolist(), "line", "default", "braille"),
        Series("support", support_x, support_y, "points", "bright_magenta", "●"),
    )
