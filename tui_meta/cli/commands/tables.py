"""Tables and charts in plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from core.evaluation.statistics import Statistics
from tui_meta.console import Output
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plot import Plot
from tui_meta.widgets.chart import draw

WIDEST = 100
CHART_ROWS = 14

SHOWN_STEPS = (0, 1, 5, 10, 32)
"""Rows of a table; a chart shows all."""


def print_chart(output: Output, plot: Plot) -> None:
    """Print the chart, as wide as the terminal up to ``WIDEST``."""
    width = min(output.width, WIDEST)
    for strip in draw(plot, width, CHART_ROWS, color=True, ascii=output.options.ascii_only):
        output.print(Segments([*strip, Segment.line()]), end="")
    output.print_line("")


def print_losses(output: Output, columns: Mapping[str, Sequence[float]]) -> None:
    """Print a row for each of ``SHOWN_STEPS``, a column for each network."""
    table = Table("steps", box=SIMPLE_HEAD, header_style="bold")
    table.columns[0].justify = "right"
    for label in columns:
        table.add_column(Text(label), justify="right")
    steps = len(next(iter(columns.values())))
    for step in (step for step in SHOWN_STEPS if step < steps):
        table.add_row(str(step), *(loss(losses[step]) for losses in columns.values()))
    output.print(table)


def print_statistics(output: Output, rows: Mapping[str, Sequence[Statistics]]) -> None:
    """Print a row for each entry of ``rows`` at each of ``SHOWN_STEPS``."""
    table = Table("steps", "", "mean", "95% interval", "median", box=SIMPLE_HEAD)
    table.header_style = "bold"
    for column in (0, 2, 3, 4):
        table.columns[column].justify = "right"
    steps = len(next(iter(rows.values())))
    for step in (step for step in SHOWN_STEPS if step < steps):
        for number, (label, statistics) in enumerate(rows.items()):
            one = statistics[step]
            table.add_row(
                "" if number else whole(step),
                Text(label),
                loss(one.mean),
                f"{loss(one.low)} to {loss(one.high)}",
                loss(one.median),
            )
    output.print(table)
