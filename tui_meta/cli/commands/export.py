"""``tui-meta export``: the logged losses of a run, for other tools."""

import csv
import importlib
import io
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Literal, NamedTuple

from core.errors import LabError, reason
from core.events import AnyEvent, Evaluated, Progress
from core.storage.event_log_reader import history
from core.storage.io import write_atomically
from core.storage.paths import folder_name
from core.storage.run_folder import read_record
from tui_meta.console import Exit, Output
from tui_meta.views.shell import shell_command

Format = Literal["csv", "parquet", "tensorboard"]

TENSORBOARD_FILE = "events.out.tfevents.0.tui-meta"
"""TensorBoard recognizes its files by the second and third word, and runs by folder."""


class LossRow(NamedTuple):
    """A logged loss; the fields are the columns of the exported table.

    ``series`` is "training" for the mean training loss of the last 100 iterations, else the kind
    of a few-shot evaluation, which has a row for each gradient step (``update``), from 0 on.
    ``time`` is in seconds since the epoch.
    """

    series: str
    iteration: int
    time: float
    loss: float
    update: int | None = None
    task: int | None = None
    amplitude: float | None = None
    phase: float | None = None


def export(path: Path, *, to: Format, out: str | None, force: bool) -> int:
    """Export the losses of the run in the folder ``path`` to one file, atomically.

    With ``out`` a minus sign, the table goes to standard output.
    """
    read_record(path)
    if out and out.startswith("--"):
        raise LabError("--out needs a value; see tui-meta export --help")
    if out == "-":
        if to == "tensorboard":
            raise LabError("--out -: TensorBoard needs a folder; choose another --out")
        sys.stdout.buffer.write(WRITERS[to](list(loss_rows(history(path)))))
        return Exit.DONE
    target = target_file(folder_name(path), to, out)
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise LabError(f"{target}: not a regular file; choose another --out")
    if target.exists() and not force:
        raise LabError(f"{target}: exists already; choose another --out, or add --force")
    rows = list(loss_rows(history(path)))
    replaced = target.exists()
    try:
        content = WRITERS[to](rows)
    except OSError as error:  # TensorBoard's writer needs a temporary folder
        problem = f"{to}: no temporary file can be written ({reason(error)})"
        raise LabError(f"{problem}; set TMPDIR to a folder of your own") from error
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
    except OSError as error:
        problem = f"cannot be written ({reason(error)})"
        raise LabError(f"{target}: {problem}; choose another --out") from error
    output = Output()
    output.print_line(f"{target}: {len(rows):,} rows")
    if to == "tensorboard":
        command = shell_command("tensorboard", "--logdir", target.parent.parent)
        output.print_line(f"view with: {command}")
        if replaced:
            output.print_line("start TensorBoard again if it is open: it reads no replaced file")
    return Exit.DONE


def target_file(name: str, to: Format, out: str | None) -> Path:
    """Return the file to write for the run ``name``.

    For TensorBoard ``out`` is the log directory of several runs; else a file, or the folder for it
    if it exists or ends in a slash.
    """
    if to == "tensorboard":
        return Path("tensorboard" if out is None else out) / name / TENSORBOARD_FILE
    if out is None or out.endswith("/") or Path(out).is_dir():
        return Path(out or "") / f"{name}.{to}"
    return Path(out)


def loss_rows(events: Iterable[AnyEvent]) -> Iterator[LossRow]:
    """Yield the losses in ``events``, in their order."""
    for event in events:
        if isinstance(event, Progress):
            yield LossRow("training", event.iteration, event.time, event.loss)
        elif isinstance(event, Evaluated):
            task = event.index, event.amplitude, event.phase
            for update, loss in enumerate(event.losses):
                yield LossRow(event.probe, event.iteration, event.time, loss, update, *task)


def as_csv(rows: Sequence[LossRow]) -> bytes:
    """Return CSV with a header; None becomes an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LossRow._fields)
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: Sequence[LossRow]) -> bytes:
    """Return Parquet."""
    arrow = _library("pyarrow", "parquet")
    parquet = _library("pyarrow.parquet", "parquet")
    types = dict.fromkeys(LossRow._fields, arrow.float64()) | {
        "series": arrow.string(),
        "iteration": arrow.int64(),
        "update": arrow.int64(),
        "task": arrow.int64(),
    }
    table = arrow.Table.from_pylist([row._asdict() for row in rows], arrow.schema(types.items()))
    content = arrow.BufferOutputStream()
    parquet.write_table(table, content)
    return bytes(content.getvalue())


def as_tensorboard(rows: Sequence[LossRow]) -> bytes:
    """Return an event file of TensorBoard, without losses that are not finite.

    Tags are ``training/loss``, and ``before`` and ``after`` under each kind of evaluation.
    """
    tensorboard = _library("tensorboardX", "tensorboard")
    with TemporaryDirectory() as folder:
        writer = tensorboard.SummaryWriter(folder)
        for row, following in zip_longest(rows, rows[1:]):
            if row.update is None:
                name = "loss"
            elif row.update == 0:
                name = "before"
            elif following is None or not following.update:
                name = "after"
            else:
                continue
            if math.isfinite(row.loss):
                tag = f"{row.series}/{name}"
                writer.add_scalar(tag, row.loss, row.iteration, walltime=row.time)
        writer.close()
        (file,) = Path(folder).iterdir()
        return file.read_bytes()


WRITERS: dict[Format, Callable[[Sequence[LossRow]], bytes]] = {
    "csv": as_csv,
    "parquet": as_parquet,
    "tensorboard": as_tensorboard,
}


def _library(module: str, extra: str) -> ModuleType:
    """Import a library that not every installation has."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        problem = f"{module.partition('.')[0]} is not installed; install tui-meta[{extra}]"
        raise LabError(f"{extra}: {problem}") from error
