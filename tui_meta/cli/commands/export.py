"""``tui-meta export``: the logged losses of a run, for other tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import LabError
from core.storage.io import write_atomically
from core.storage.run_folder import read_record
from core.storage.run_index import history
from tui_meta.cli.commands.export_formats import as_csv, as_parquet, as_tensorboard
from tui_meta.console import Exit, Output
from tui_meta.views.loss_columns import Losses, losses_of

Format = Literal["csv", "parquet", "tensorboard"]

TENSORBOARD_FILE = "events.out.tfevents.0.tui-meta"
"""TensorBoard recognizes its files by the second and third word, and runs by folder."""

WRITERS: dict[str, Callable[[Losses], bytes]] = {
    "csv": as_csv,
    "parquet": as_parquet,
    "tensorboard": as_tensorboard,
}


@dataclass
class ExportError(LabError):
    """A file cannot be written."""

    path: Path
    problem: str
    advice: str

    @property
    def statement(self) -> str:
        return f"{self.path}: {self.problem}"


def export(path: Path, *, to: Format, out: Path | None, force: bool) -> int:
    """Export the losses of the run in the folder ``path`` to one file, atomically."""
    read_record(path)
    target = target_file(path.absolute().name, to, out)
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise ExportError(target, "not a regular file", "choose another --out")
    if target.exists() and not force:
        raise ExportError(target, "exists already", "choose another --out, or add --force")
    losses = losses_of(history(path))
    content = WRITERS[to](losses)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        raise ExportError(target, problem, "choose another --out") from error
    output = Output()
    output.print_line(f"{target}: {len(losses):,} rows")
    if to == "tensorboard":
        output.print_line(f"view with: tensorboard --logdir {target.parent.parent}")
    return Exit.DONE


def target_file(name: str, to: Format, out: Path | None) -> Path:
    """Return the file to write for the run ``name``.

    For TensorBoard ``out`` is the log directory of several runs; else a file, or its folder.
    """
    if to == "tensorboard":
        return (out or Path("tensorboard")) / name / TENSORBOARD_FILE
    if out is None or out.is_dir():
        return (out or Path()) / f"{name}.{to}"
    return out
