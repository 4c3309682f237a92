"""``tui-meta show``: one run, from its settings to its loss curve."""

import time
from pathlib import Path

from rich.table import Table
from rich.text import Text

from core.storage.run_index import read_run
from tui_meta.cli.tables import print_chart, print_table
from tui_meta.console import Exit
from tui_meta.output import Output
from tui_meta.views.printable import printable
from tui_meta.views.runs.curves import ComparedRuns, Which, recorded_run
from tui_meta.views.runs.report import Section, recorded_config, report
from tui_meta.views.watch.lens import Lens


def show(path: Path) -> int:
    """Show the run of the folder ``path``, or of a checkpoint in it."""
    folder = path.parent if path.is_file() else path
    details = read_run(folder)
    output = Output()
    config = recorded_config(folder, details.record)
    for section in report(details, config, time.time()):
        _print_section(output, section)
    curves = ComparedRuns([recorded_run(details, config)])
    charts: tuple[Which, ...] = (curves.first, "training")
    for which in dict.fromkeys(charts):
        plot = curves.plot(which, Lens())
        output.print_line(plot.title.capitalize(), "bold")
        output.print_line("")
        print_chart(output, plot)
    return Exit.DONE


def _print_section(output: Output, section: Section) -> None:
    output.print_line(section.title, "bold")
    if section.columns:
        print_table(output, section.columns, section.rows, section.numbers)
    elif section.rows:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, fact in section.rows:
            table.add_row(f"  {name}", Text(printable(fact)))
        output.print(table)
    if section.problem:
        output.print_line(f"  {section.problem}", "red")
    if not section.columns:
        output.print_line("")
