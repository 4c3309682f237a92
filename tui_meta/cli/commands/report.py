"""``tui-meta report``: the results of a sweep as a table for papers, and as a figure."""

import csv
import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from core.errors import LabError
from core.experiments.records import record_of
from core.experiments.summary import GroupSummary, curve_of, summarize
from core.experiments.sweep_folder import SweepFolder
from core.storage.paths import folder_name
from tui_meta.cli.documents import (
    latex_table,
    markdown_table,
    require_value,
    target_file,
    write_document,
    write_file,
)
from tui_meta.console import Exit
from tui_meta.views.numbers import seeds_mean, whole
from tui_meta.views.sweep.words import (
    difference_words,
    footnotes,
    names_beside_algorithms,
    setting_words,
    swept,
    troubles,
)

Format = Literal["markdown", "csv", "latex"]

ENDINGS: dict[Format, str] = {"markdown": "md", "csv": "csv", "latex": "tex"}
"""Endings of the names of files."""

RUN_COLUMNS = (
    *("run", "group", "seed", "state", "problem", "iteration", "training_loss"),
    *("validation", "low", "high", "median", "diverged_tasks"),
    *("tasks", "points", "gradients", "seconds", "network"),
)
"""Columns of the table of runs, before those of the swept settings."""


def report(path: Path, *, to: Format, out: str | None, figure: str | None) -> int:
    """Print or write a table of the sweep in the folder ``path``."""
    require_value("--out", out, "report")
    require_value("--figure", figure, "report")
    if figure == "-":
        raise LabError("--figure -: a figure needs a file; choose another --figure")
    folder = SweepFolder(path)
    groups, name = summarize(folder.specification().expand(), folder.results()), folder_name(path)
    if figure:
        target = target_file(figure, f"{name}.pdf")
        write_file(target, _figure(groups, target))
    if out or not figure:
        write_document(out, f"{name}.{ENDINGS[to]}", WRITERS[to](groups))
    return Exit.DONE


# A row for each group.


def markdown(groups: Sequence[GroupSummary]) -> str:
    """Return a table of the groups with a note on each kind of number."""
    lines = markdown_table(*group_rows(groups))
    return "\n".join([*lines, "", *(f"{note}." for note in footnotes(groups))]) + "\n"


def latex(groups: Sequence[GroupSummary]) -> str:
    """Return the same table for the LaTeX package booktabs."""
    lines = latex_table(*group_rows(groups))
    return "\n".join([*lines, *(f"% {note}." for note in footnotes(groups))]) + "\n"


def group_rows(groups: Sequence[GroupSummary]) -> tuple[list[str], list[list[str]]]:
    """Return a header and a row for each group: settings, seeds, means, differences."""
    settings, names = swept(groups), names_beside_algorithms(groups)
    header = [*(["run"] if names else []), *settings, "seeds", "validation loss"]
    header += ["more than the best", "problems"]
    rows = []
    for place, one in enumerate(groups):
        cells = [
            *names[place : place + 1],
            *(setting_words(one.varied.get(key)) for key in settings),
        ]
        seeds = f"{whole(one.count('finished'))} of {whole(one.planned)}"
        more = difference_words(one).rstrip()
        rows.append([*cells, seeds, seeds_mean(one.validation), more, troubles(one)])
    used = [n for n in range(len(header)) if n < len(header) - 2 or any(row[n] for row in rows)]
    return [header[n] for n in used], [[row[n] for n in used] for row in rows]


# A row for each run.


def run_table(groups: Sequence[GroupSummary]) -> str:
    """Return all results as CSV, with a column for each swept setting."""
    settings = swept(groups)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*RUN_COLUMNS, *settings])
    for group in groups:
        for result in group.results:
            record = record_of(result)
            varied = [setting_words(record.get(key)) for key in settings]
            writer.writerow([*(record[name] for name in RUN_COLUMNS), *varied])
    return text.getvalue()


WRITERS: dict[Format, Callable[[Sequence[GroupSummary]], str]] = {
    "markdown": markdown,
    "csv": run_table,
    "latex": latex,
}


# The figure.


def _figure(groups: Sequence[GroupSummary], path: Path) -> bytes:
    """Draw the validation loss of each group over iterations, with its band over seeds."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # else a missing home is several lines
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LabError("--figure needs matplotlib; pip install 'tui-meta[figures]'") from error
    except OSError as error:
        problem = "--figure: matplotlib finds no folder that can be written"
        raise LabError(f"{problem}; set MPLCONFIGDIR to a folder of your own") from error
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for group in groups:
        curve = curve_of(group)
        means = [one.mean for one in curve.values()]
        (line,) = axes.plot(list(curve), means, label=group.group)
        if any(one.n > 1 for one in curve.values()):
            low, high = ([getattr(one, end) for one in curve.values()] for end in ("low", "high"))
            axes.fill_between(list(curve), low, high, color=line.get_color(), alpha=0.2, lw=0)
    axes.set(xlabel="iteration", ylabel="validation loss", yscale="log")
    axes.legend(frameon=False)
    content = io.BytesIO()
    kind = path.suffix.removeprefix(".") or "pdf"
    try:
        figure.savefig(content, format=kind, metadata=_without_date(kind))
    except ValueError as error:
        known = ", ".join(figure.canvas.get_supported_filetypes())
        raise LabError(f"--figure {path}: unknown format; use one of {known}") from error
    return content.getvalue()


def _without_date(kind: str) -> dict[str, None]:
    """Return metadata that keep a figure the same whenever it is drawn."""
    return {"CreationDate": None} if kind == "pdf" else {"Date": None} if kind == "svg" else {}
