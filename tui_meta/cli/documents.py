"""Tables for papers and pages, and the files that they are written to."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import LabError, SubjectError, reason
from core.storage.io import write_atomically
from tui_meta.console import print_note
from tui_meta.views.messages.describe import display_path


def target_file(out: str, name: str) -> Path:
    """Return the file that ``out`` names: of a folder, or what ends in a slash, ``name`` in it."""
    return Path(out) / name if out.endswith("/") or Path(out).is_dir() else Path(out)


def require_value(flag: str, out: str | None, command: str) -> None:
    """Refuse another flag in the place of an output, which may begin with a minus sign."""
    if out and out.startswith("--"):
        raise LabError(f"{flag} needs a value; see tui-meta {command} --help")


def write_document(out: str | None, name: str, text: str) -> None:
    """Write ``text`` to what ``out`` names, see ``target_file``; None or a minus sign print it.

    Raises ``SubjectError``.
    """
    if out in (None, "-"):
        sys.stdout.write(text)
    else:
        write_file(target_file(out or "", name), text.encode())


def write_file(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` and say so; raises ``SubjectError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except FileExistsError as error:
        raise SubjectError(path.parent, "not a folder") from error
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
