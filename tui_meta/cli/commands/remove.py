"""``tui-meta rm``: delete runs that are not being trained."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.filesize import decimal

from core.errors import LabError
from core.storage.delete import Contents, contents_of, remove_run, require_removable
from tui_meta.console import Exit, ask
from tui_meta.output import Output
from tui_meta.views.numbers import whole
from tui_meta.views.printable import printable

SHOWN_NAMES = 3


def remove(paths: Sequence[Path], *, yes: bool) -> int:
    """Delete the run folders ``paths``; all are checked before the first is deleted."""
    folders = list({path.resolve(): path for path in paths}.values())
    for path in folders:
        require_removable(path)
    output = Output()
    if not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise LabError("rm asks for confirmation and needs a terminal; use --yes to skip")
        for path in folders:
            output.print_line(f"{path}: {_amount(contents_of(path))}")
        runs = "this run" if len(folders) == 1 else f"these {whole(len(folders))} runs"
        if ask(f"delete {runs}? [y/N] ").strip().lower() not in (b"y", b"yes"):
            output.print_line("nothing was deleted")
            return Exit.DONE
    for path in folders:
        output.print_line(_report(path, remove_run(path)))
    return Exit.DONE


def _report(path: Path, contents: Contents) -> str:
    removed = f"{path}: deleted {_amount(contents)}"
    if not contents.foreign:
        return removed
    names = ", ".join(map(printable, contents.foreign[:SHOWN_NAMES]))
    more = ", ..." if len(contents.foreign) > SHOWN_NAMES else ""
    return f"{removed}; the folder stays, with files not created by tui-meta ({names}{more})"


def _amount(contents: Contents) -> str:
    files = len(contents.own)
    return f"{whole(files)} {'file' if files == 1 else 'files'}, {decimal(contents.size)}"
