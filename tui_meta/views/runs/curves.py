"""Loss curves of runs on disk: of one run, or of several in one chart."""

from collections.abc import Iterable, Mapping
from typing import Literal

from core.events import AnyEvent, Progress, Validated
from tui_meta.views.plots.axis import Limits, log10s
from tui_meta.views.plots.lines import decimate
from tui_meta.views.plots.plot import Plot, curve
from tui_meta.views.text import printable

CURVE_COLUMNS = 48
"""Curves are drawn as at most twice as many means."""

MOST_CURVES = 4
"""On one chart: so many differ in colour and dash pattern."""

Which = Literal["training", "adapted"]
LABELS: dict[Which, str] = {"training": "training", "adapted": "validation"}

Losses = tuple[tuple[float, ...], tuple[float, ...]]
"""Iterations, and the loss at each."""


def both_losses(events: Iterable[AnyEvent]) -> Mapping[Which, Losses]:
    """Return the training loss, and the mean loss on the validation tasks after adaptation."""
    found: dict[Which, list[tuple[int, float]]] = {which: [] for which in LABELS}
    for event in events:
        if isinstance(event, Progress):
            found["training"].append((event.iteration, event.loss))
        elif isinstance(event, Validated) and event.result:
            found["adapted"].append((event.iteration, event.result.mean))
    return {
        which: decimate([x for x, _ in points], [y for _, y in points], CURVE_COLUMNS)
        for which, points in found.items()
    }


def loss_plot(events: Iterable[AnyEvent]) -> Plot:
    """Plot both losses of one run."""
    return _plot("", {LABELS[which]: losses for which, losses in both_losses(events).items()})


def compared_plot(runs: Mapping[str, Losses], which: Which) -> Plot:
    """Plot one of the losses of several runs, by their names."""
    of = f" of {len(runs)} runs" if len(runs) > 1 else ""
    return _plot(f"{LABELS[which]} loss{of}", runs)


def _plot(title: str, curves: Mapping[str, Losses]) -> Plot:
    newest = max((x[-1] for x, _ in curves.values() if x), default=0)
    return Plot(
        title=title,
        series=tuple(
            curve(printable(name), x, log10s(y), index)
            for index, (name, (x, y)) in enumerate(curves.items())
        ),
        x=Limits(0, 100).follow((0, newest)).axis("iteration"),
        y=Limits(-1, 1, "log").follow(loss for _, y in curves.values() for loss in y).axis("loss"),
        empty="no loss logged yet",
    )
