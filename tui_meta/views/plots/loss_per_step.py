"""The query loss after each gradient step, as a plot."""

from collections.abc import Iterable, Sequence

from tui_meta.views.plots.axis import Axis, Limits, on_scale
from tui_meta.views.plots.plot import Plot, curve

Curve = tuple[str, Sequence[float], int]
"""A label, the loss before adaptation and after each step, and the number of the curve's look."""


def loss_per_step_plot(
    curves: Iterable[Curve], steps: int, y: Axis, title: str = "", empty: str = "no evaluation yet"
) -> Plot:
    """Return a curve for each network over ``steps`` gradient steps, on the scale of ``y``."""
    return Plot(
        title,
        tuple(
            curve(label, range(len(losses)), on_scale(losses, y.scale), index)
            for label, losses, index in curves
        ),
        Limits(0, max(1, steps)).axis("step"),
        y,
        empty,
    )
