"""The query loss after each gradient step, as a plot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui_meta.views.plot import Axis, Limits, Plot, Series, curve, log10s

Curve = tuple[str, Sequence[float], int]
"""A label, the loss before adaptation and after each step, and the number of the curve's look."""


def loss_per_step_plot(
    curves: Iterable[Curve], steps: int, y: Axis, title: str = "", empty: str = "no evaluation yet"
) -> Plot:
    """Return a curve for each network over ``steps`` gradient steps, on the scale of ``y``."""
    return Plot(
        title,
        tuple(_series(label, losses, index, y) for label, losses, index in curves),
        Limits(0, max(1, steps)).axis("gradient steps"),
        y,
        empty,
    )


def _series(label: str, losses: Sequence[float], index: int, y: Axis) -> Series:
    values = log10s(losses) if y.scale == "log" else losses
    return curve(label, range(len(losses)), values, index)
