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

SHOWN_UPDATES = (0, 1, 5, 10, 32)
"""Rows of a table; a chart shows all."""


def print_chart(output: Output, plot: Plot) -> None:
    """The chart, as wide as the terminal up to ``WIDEST``."""
    width = min(output.width, WIDEST)
    for strip in draw(plot, width, CHART_ROWS, color=True, ascii=output.options.ascii_only):
        output.print(Segments([*strip, Segment.line()]), end="")
    output.tell("")


def print_losses(output: Output, columns: Mapping[str, Sequence[float]]) -> None:
    """A row for each shown update, a column for each network."""
    table = Table("updates", box=SIMPLE_HEAD, header_style="bold")
    table.columns[0].justify = "right"
    for label in columns:
        table.add_column(Text(label), justify="right")
    updates = len(next(iter(columns.values())))
    for update in (update for update in SHOWN_UPDATES if update < updates):
        table.add_row(str(update), *(loss(losses[update]) for losses in columns.values()))
    output.print(table)


def print_statistics(output: Output, rows: Mapping[str, Sequence[Statistics]]) -> None:
    """For each shown update a row for each entry of ``rows``."""
    table = Table("updates", "", "mean", "95 % interval", "median", box=SIMPLE_HEAD)
    table.header_style = "bold"
    for column in (0, 2, 3, 4):
        table.columns[column].justify = "right"
    updates = len(next(iter(rows.values())))
    for update in (update for update in SHOWN_UPDATES if update < updates):
        for number, (label, statistics) in enumerate(rows.items()):
            one = statistics[update]
            table.add_row(
                "" if number else whole(update),
                Text(label),
                loss(one.mean),
                f"{loss(one.low)} to {loss(one.high)}",
                loss(one.median),
            )
    output.print(table)
