"""Tables for papers and pages, and the files that they are written to."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import SubjectError, reason
from core.storage.io import write_atomically
from tui_meta.console import print_note
from tui_meta.views.describe import display_path


def write_file(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` and say so; raises ``SubjectError``."""
    try:
        write_atomically(path, content)
    except OSError as error:
        raise SubjectError(path, f"cannot be written ({reason(error)})") from error
    print_note(f"wrote {display_path(str(path))}")


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    widths = [max(len(row[n]) for row in (header, *rows)) for n in range(len(header))]

    def line(cells: Iterable[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return "| " + " | ".join(padded) + " |"

    return [line(header), line("-" * width for width in widths), *map(line, rows)]


def latex_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table for the LaTeX package booktabs."""
    lines = ["\\begin{tabular}{" + "l" * len(header) + "}", "\\toprule"]
    lines += [_latex_row(header), "\\midrule", *map(_latex_row, rows)]
    return [*lines, "\\bottomrule", "\\end{tabular}"]


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(map(_escaped, cells)) + " \\\\"


def _escaped(text: str) -> str:
    for char in "&%$#_{}":
        text = text.replace(char, f"\\{char}")
    return text.replace("±", "$\\pm$").replace("*", "$^*$")
