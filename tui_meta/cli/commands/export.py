"""``tui-meta export``: the logged losses of runs, for other tools."""

import csv
import importlib
import io
import itertools
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Literal, NamedTuple

from core.config import RunConfig
from core.errors import LabError, reason
from core.events import AnyEvent, Evaluated, Progress, Validated, spent
from core.storage.event_log_reader import history
from core.storage.io import write_atomically
from core.storage.paths import folder_name
from core.storage.run_folder import read_record
from core.tasks.sine import SineTasks
from tui_meta.cli.documents import require_value, target_file
from tui_meta.console import Exit
from tui_meta.output import Output
from tui_meta.views.runs.report import flattened, recorded_config
from tui_meta.views.shell import shell_command

Format = Literal["csv", "parquet", "tensorboard"]

TENSORBOARD_FILE = "events.out.tfevents.0.tui-meta"
"""TensorBoard recognizes its files by the second and third word, and runs by folder."""


PERIODIC = "random-task"
"""The series of the periodic evaluation on one task."""


class LossRow(NamedTuple):
    """A logged loss; the fields are the columns of the exported table.

    ``series`` is "training" for the mean training loss of the last 100 iterations, "validation" for
    the mean loss on the validation tasks, with ``low`` to ``high`` its 95 % interval, the
    ``median``, and how many tasks ``diverged``. Else it is the kind of an evaluation on one
    ``task``. Validations and evaluations have a row for each reported gradient step (``update``).
    ``time`` is in seconds since the epoch; ``loss`` is None where it is not finite. ``tasks``,
    ``points``, ``gradients`` and ``seconds`` are what the run had used for its training.
    Other ``parameters`` of the task have a column each.
    """

    series: str
    iteration: int
    time: float
    loss: float | None
    update: int | None = None
    task: int | None = None
    amplitude: float | None = None
    phase: float | None = None
    low: float | None = None
    high: float | None = None
    median: float | None = None
    diverged: int | None = None
    tasks: int | None = None
    points: int | None = None
    gradients: int | None = None
    seconds: float | None = None
    run: str = ""
    algorithm: str = ""
    seed: int = 0
    parameters: tuple[float, ...] = ()


COLUMNS = LossRow._fields[:-1]
"""Columns of every table."""

WHOLE_NUMBERS = (
    *("iteration", "update", "task", "diverged"),
    *("tasks", "points", "gradients", "seed"),
)
"""Columns without fractions."""


@dataclass(frozen=True)
class ExportedRun:
    """A run with a ``name`` of its own among those that are exported."""

    name: str
    config: RunConfig
    rows: Sequence[LossRow]


@dataclass(frozen=True)
class Table:
    """Losses of runs: ``columns`` are those of ``LossRow``, and the settings that differ."""

    columns: Sequence[str]
    rows: Sequence[tuple[object, ...]]


def export(paths: Sequence[Path], *, to: Format, out: str | None, force: bool) -> int:
    """Export the losses of the runs in the folders ``paths`` to a file, atomically.

    With ``out`` a minus sign, the table goes to standard output. TensorBoard has a file for each
    run.
    """
    folders = list(dict.fromkeys(paths))
    configs = [recorded_config(path, read_record(path)) for path in folders]
    require_value("--out", out, "export")
    if out == "-" and to == "tensorboard":
        raise LabError("--out -: TensorBoard needs a folder; choose another --out")
    names = unique_names(map(folder_name, folders))
    targets = [] if out == "-" else target_files(names, to, out)
    for target in targets:
        _require_free(target, force=force)
    runs = [
        ExportedRun(name, config, list(loss_rows(history(path), config, name)))
        for name, config, path in zip(names, configs, folders, strict=True)
    ]
    groups = [[run] for run in runs] if to == "tensorboard" else [runs]
    try:
        contents = [WRITERS[to](group) for group in groups]
    except OSError as error:  # TensorBoard's writer needs a temporary folder
        problem = f"{to}: no temporary file can be written ({reason(error)})"
        raise LabError(f"{problem}; set TMPDIR to a folder of your own") from error
    if not targets:
        sys.stdout.buffer.write(contents[0])
        return Exit.DONE
    output = Output()
    replaced = any(target.exists() for target in targets)
    for target, content, group in zip(targets, contents, groups, strict=True):
        _write(target, content)
        output.print_line(f"{target}: {sum(len(run.rows) for run in group):,} rows")
    if to == "tensorboard":
        command = shell_command("tensorboard", "--logdir", targets[0].parent.parent)
        output.print_line(f"view with: {command}")
        if replaced:
            output.print_line("start TensorBoard again if it is open: it reads no replaced file")
    return Exit.DONE


def _require_free(target: Path, *, force: bool) -> None:
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise LabError(f"{target}: not a regular file; choose another --out")
    if target.exists() and not force:
        raise LabError(f"{target}: exists already; choose another --out, or add --force")


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
    except OSError as error:
        problem = f"cannot be written ({reason(error)})"
        raise LabError(f"{target}: {problem}; choose another --out") from error


def unique_names(names: Iterable[str]) -> list[str]:
    """Return the names, with a number where one occurs again: ``run``, ``run-2``."""
    unique: list[str] = []
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        candidates = itertools.chain([name], numbered)
        unique.append(next(one for one in candidates if one not in unique))
    return unique


def target_files(names: Sequence[str], to: Format, out: str | None) -> list[Path]:
    """Return the files to write for the runs ``names``.

    For TensorBoard ``out`` is the log directory of several runs; else a file, or the folder for it
    if it exists or ends in a slash.
    """
    if to == "tensorboard":
        return [Path(out or "tensorboard") / name / TENSORBOARD_FILE for name in names]
    name = f"{names[0] if len(names) == 1 else 'runs'}.{to}"
    return [target_file(out, name) if out else Path(name)]


def loss_rows(events: Iterable[AnyEvent], config: RunConfig, run: str) -> Iterator[LossRow]:
    """Yield the losses in ``events`` of a run, in their order."""
    for event in events:
        used = spent(config.algorithm.budget, event.iteration, 0)
        row = LossRow(
            "training",
            event.iteration,
            event.time,
            None,
            tasks=_fitting(used.tasks),
            points=_fitting(used.points),
            gradients=_fitting(used.gradients),
            run=run,
            algorithm=config.algorithm.name,
            seed=config.seed,
        )
        if isinstance(event, Progress):
            yield row._replace(loss=event.loss)
        elif isinstance(event, Evaluated):
            series = PERIODIC if event.probe == "validation" else event.probe
            row = row._replace(series=series, task=event.index, parameters=event.task)
            if isinstance(config.tasks, SineTasks):
                amplitude, phase, *others = event.task
                row = row._replace(amplitude=amplitude, phase=phase, parameters=tuple(others))
            for update, loss in enumerate(event.losses):
                yield row._replace(loss=loss, update=update)
        elif isinstance(event, Validated):
            row = row._replace(series="validation", seconds=event.spent.seconds)
            for column, step in enumerate(event.steps):
                yield row._replace(
                    update=step,
                    loss=event.mean[column],
                    low=event.low[column],
                    high=event.high[column],
                    median=event.median[column],
                    diverged=event.diverged[column],
                )


def _fitting(count: int) -> int | None:
    """Return ``count``; None if no file holds it, as after an absurd iteration of a broken log."""
    return count if count < 2**63 else None


def table_of(runs: Sequence[ExportedRun]) -> Table:
    """Return one table of all losses, with a column for each setting that differs.

    Parameters of tasks have columns too, such as ``task.slope``; those of sine waves are older.
    """
    algorithms = {run.config.algorithm.name for run in runs}
    shared = "algorithm" if len(algorithms) > 1 else None
    settings = [flattened(run.config, shared) for run in runs]
    names = dict.fromkeys(name for one in settings for name in one)
    differing = [
        name
        for name in names
        if name not in COLUMNS and len({repr(one.get(name)) for one in settings}) > 1
    ]
    families = [run.config.tasks for run in runs]
    parameters = [one.parameters[2 if isinstance(one, SineTasks) else 0 :] for one in families]
    names = dict.fromkeys(name for one in parameters for name in one)
    rows = []
    for run, one, own in zip(runs, settings, parameters, strict=True):
        for row in run.rows:
            values = dict(zip(own, row.parameters, strict=False))
            rows.append((*row[:-1], *map(values.get, names), *map(one.get, differing)))
    return Table([*COLUMNS, *(f"task.{name}" for name in names), *differing], rows)


def as_csv(runs: Sequence[ExportedRun]) -> bytes:
    """Return CSV with a header; None becomes an empty field."""
    table = table_of(runs)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue().encode()


def as_parquet(runs: Sequence[ExportedRun]) -> bytes:
    """Return Parquet."""
    arrow = _library("pyarrow", "parquet")
    parquet = _library("pyarrow.parquet", "parquet")
    table = table_of(runs)
    types = dict.fromkeys(COLUMNS, arrow.float64())
    types |= dict.fromkeys(("series", "run", "algorithm"), arrow.string())
    types |= dict.fromkeys(WHOLE_NUMBERS, arrow.int64())
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    arrays = [
        arrow.array(column, types.get(name))
        for name, column in zip(table.columns, columns, strict=True)
    ]
    content = arrow.BufferOutputStream()
    parquet.write_table(arrow.table(arrays, list(table.columns)), content)
    return bytes(content.getvalue())


def as_tensorboard(runs: Sequence[ExportedRun]) -> bytes:
    """Return an event file of TensorBoard for one run, without losses that are not finite.

    Tags are ``training/loss``, and ``before`` and ``after`` under each other series.
    """
    (run,) = runs
    tensorboard = _library("tensorboardX", "tensorboard")
    with TemporaryDirectory() as folder:
        writer = tensorboard.SummaryWriter(folder)
        for row, following in zip_longest(run.rows, run.rows[1:]):
            if row.update is None:
                name = "loss"
            elif row.update == 0:
                name = "before"
            elif following is None or not following.update:
                name = "after"
            else:
                continue
            if row.loss is not None and math.isfinite(row.loss):
                tag = f"{row.series}/{name}"
                writer.add_scalar(tag, row.loss, row.iteration, walltime=row.time)
        writer.close()
        (file,) = Path(folder).iterdir()
        return file.read_bytes()


WRITERS: dict[Format, Callable[[Sequence[ExportedRun]], bytes]] = {
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
