"""A table of losses as the bytes of a file; libraries that not everybody needs are optional."""

from __future__ import annotations

import csv
import importlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from core.errors import LabError
from tui_meta.views.loss_columns import Losses


@dataclass
class MissingLibraryError(LabError):
    """A format needs a library that is not installed; ``extra`` brings it."""

    extra: str
    library: str

    @property
    def statement(self) -> str:
        return f"{self.extra}: {self.library} is not installed; install tui-meta[{self.extra}]"


def as_csv(losses: Losses) -> bytes:
    """CSV with a header; what does not apply is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = losses.columns
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def as_parquet(losses: Losses) -> bytes:
    """Parquet; raises ``MissingLibraryError``."""
    arrow = _library("pyarrow", "parquet")
    parquet = _library("pyarrow.parquet", "parquet")
    types = dict.fromkeys(losses.columns, arrow.float64()) | {
        "series": arrow.string(),
        "iteration": arrow.int64(),
        "update": arrow.int64(),
        "task": arrow.int64(),
    }
    table = arrow.table(losses.columns, schema=arrow.schema(types.items()))
    content = arrow.BufferOutputStream()
    parquet.write_table(table, content)
    return bytes(content.getvalue())


def as_tensorboard(losses: Losses) -> bytes:
    """An event file of TensorBoard; raises ``MissingLibraryError``.

    Tags are ``training/loss``, and ``before`` and ``after`` under each kind of evaluation. What is
    not finite is left out.
    """
    tensorboard = _library("tensorboardX", "tensorboard")
    with TemporaryDirectory() as folder:
        writer = tensorboard.SummaryWriter(folder)
        for tag, value, iteration, time in _scalars(losses):
            if math.isfinite(value):
                writer.add_scalar(tag, value, iteration, walltime=time)
        writer.close()
        (file,) = Path(folder).iterdir()
        return file.read_bytes()


def _scalars(losses: Losses) -> Iterator[tuple[str, float, int, float]]:
    """Tag, value, iteration and time; of an evaluation its first and its last loss."""
    following = [*losses.update[1:], None]
    for row, (series, update) in enumerate(zip(losses.series, losses.update, strict=True)):
        values = losses.loss[row], losses.iteration[row], losses.time[row]
        if update is None:
            yield f"{series}/loss", *values
        if update == 0:
            yield f"{series}/before", *values
        if update and not following[row]:
            yield f"{series}/after", *values


def _library(module: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(extra, module.partition(".")[0]) from error
