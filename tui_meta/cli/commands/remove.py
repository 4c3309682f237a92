"""``tui-meta rm``: delete runs that nobody trains."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.filesize import decimal

from core.errors import LabError
from core.storage.delete import Contents, contents_of, remove_run, require_removable
from tui_meta.console import Exit, Output
from tui_meta.views.numbers import whole
from tui_meta.views.text import printable

SHOWN_NAMES = 3


class NobodyToAskError(LabError):
    """Runs are deleted only where a person has agreed."""

    @property
    def statement(self) -> str:
        return "rm asks before it deletes, and there is no terminal; use --yes to agree"


def remove(paths: Sequence[Path], *, yes: bool) -> int:
    """Delete the run folders ``paths``: all of them are looked at before the first is touched."""
    folders = list({path.resolve(): path for path in paths}.values())
    for path in folders:
        require_removable(path)
    output = Output()
    if not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise NobodyToAskError
        for path in folders:
            output.tell(f"{path}: {_amount(contents_of(path))}")
        if not _agreed(f"remove {_runs(len(folders))}? [y/N] "):
            output.tell("nothing was removed")
            return Exit.DONE
    for path in folders:
        output.tell(_report(path, remove_run(path)))
    return Exit.DONE


def _agreed(question: str) -> bool:
    """Whether a person says yes; the end of the input is a no.

    ``input`` would miss a Ctrl-C that comes between its question and its waiting, and go on to
    wait. Bytes are read, as what is typed need not be text.
    """
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.buffer.readline().strip().lower() in (b"y", b"yes")


def _report(path: Path, contents: Contents) -> str:
    removed = f"{path}: removed {_amount(contents)}"
    if not contents.foreign:
        return removed
    names = ", ".join(map(printable, contents.foreign[:SHOWN_NAMES]))
    more = ", ..." if len(contents.foreign) > SHOWN_NAMES else ""
    return f"{removed}; the folder stays, with what tui-meta did not make ({names}{more})"


def _amount(contents: Contents) -> str:
    files = len(contents.own)
    return f"{whole(files)} {'file' if files == 1 else 'files'}, {decimal(contents.size)}"


def _runs(count: int) -> str:
    return "this run" if count == 1 else f"these {whole(count)} runs"
