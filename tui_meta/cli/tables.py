"""Tables and charts in plain text, and results as JSON."""

import sys
from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.measure import Measurement
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from core.evaluation.statistics import Statistics
from tui_meta.output import Output
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plots.plot import Plot
from tui_meta.views.printable import printable, printable_json

WIDEST = 100
_UNLIMITED = 10_000
CHART_ROWS = 14

SHOWN_STEPS = (0, 1, 5, 10, 32)
"""Rows of a table; a chart shows all."""


def print_json(result: msgspec.Struct) -> None:
    """Print ``result`` as a line of JSON."""
    sys.stdout.write(printable_json(msgspec.json.encode(result).decode()) + "\n")


def print_chart(output: Output, plot: Plot) -> None:
    """Print the chart, as wide as the terminal up to ``WIDEST``."""
    # Imported late: a table needs no Textual.
    from tui_meta.widgets.chart import draw

    width = min(output.width, WIDEST)
    for strip in draw(plot, width, CHART_ROWS, color=True, ascii=output.options.ascii_only):
        output.print(Segments([*strip, Segment.line()]), end="")
    output.print_line("")


def print_table(
    output: Output,
    columns: Iterable[str],
    rows: Iterable[Iterable[str]],
    numbers: Container[int] = (),
    names: Container[int] = (),
    optional: Sequence[int] = (),
) -> None:
    """Print a table; ``numbers`` are the indices of right-aligned columns.

    Columns of ``names`` are never broken: as far as needed, those that are ``optional`` are left
    out, the first one first, and then the table is wider than the terminal.
    """
    titles, lines = list(columns), [[printable(cell) for cell in row] for row in rows]
    for left_out in range(len(optional) + 1):
        table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
        shown = [index for index in range(len(titles)) if index not in optional[:left_out]]
        for index in shown:
            right = index in numbers
            fixed = right or index in names
            cells = [titles[index], *(line[index] for line in lines)]
            pieces = cells if fixed else [word for cell in cells for word in cell.split()]
            table.add_column(
                Text(titles[index]),
                justify="right" if right else "left",
                overflow="fold",
                no_wrap=fixed,
                min_width=max(map(cell_len, pieces), default=0) if names else None,
            )
        for line in lines:
            table.add_row(*(Text(line[index]) for index in shown))
        least = Measurement.get(output, output.options.update(max_width=_UNLIMITED), table).minimum
        if least <= output.width:
            break
    if names and least > output.width:
        table.width = least
    output.print(table, crop=not names)


def print_losses(output: Output, columns: Mapping[str, Sequence[float]]) -> None:
    """Print a row for each of ``SHOWN_STEPS``, a column for each network."""
    steps = len(next(iter(columns.values())))
    rows = [
        [str(step), *(loss(losses[step]) for losses in columns.values())]
        for step in SHOWN_STEPS
        if step < steps
    ]
    print_table(output, ["steps", *columns], rows, range(len(columns) + 1))


def print_statistics(
    output: Output,
    steps: Sequence[int],
    entries: Mapping[str, Sequence[Statistics]],
    *,
    complete: bool = False,
) -> None:
    """Print a row for each of ``entries`` at each of ``steps`` that is in ``SHOWN_STEPS``.

    The number of tasks that diverged has a column if there are any, since they decide on the mean.
    A ``complete`` table has all steps, and this column.
    """
    rows = []
    for column, step in enumerate(steps):
        if step not in SHOWN_STEPS and not complete:
            continue
        for number, (label, statistics) in enumerate(entries.items()):
            one = statistics[column]
            interval = f"{loss(one.low)} to {loss(one.high)}"
            at = "" if number else whole(step)
            diverged = whole(one.diverged) if one.diverged or complete else ""
            rows.append((at, label, loss(one.mean), interval, loss(one.median), diverged))
    columns = ("steps", "", "mean", "95% interval", "median", "diverged")
    shown = len(columns) if any(row[-1] for row in rows) else len(columns) - 1
    print_table(output, columns[:shown], (row[:shown] for row in rows), (0, 2, 3, 4, 5))
