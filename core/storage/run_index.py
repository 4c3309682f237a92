"""What is under a folder: how each run stands, told without opening all of it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from core.errors import CheckpointError, LabError, RunFolderError
from core.events import AnyEvent, Evaluated, Iteration
from core.storage.checkpoint_metadata import CheckpointMetadata, checkpoint_names, read_header
from core.storage.event_log import read_events
from core.storage.lock import owner_of
from core.storage.log_tail import FinalState, LogSummary, lines_from_newest
from core.storage.run_folder import RunRecord, read_record

State = FinalState | Literal["training", "damaged"]
"""``interrupted`` is a run that neither ended nor is trained by anybody."""

LARGEST_INDEX = 2**62
"""Of an evaluation's task; no run gets as far."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a list; what is not known is None.

    ``best`` is the lowest loss of a periodic evaluation, met at ``best_iteration``. ``started`` is
    a date, ``last_event`` in seconds since the epoch. ``trained_by`` names the process and host
    that hold the run, and ``problem`` says why a damaged one cannot be told.
    """

    path: str
    name: str
    state: State
    algorithm: str | None = None
    iteration: int | None = None
    target: int | None = None
    best: float | None = None
    best_iteration: int | None = None
    started: str | None = None
    last_event: float | None = None
    trained_by: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint on disk, ``size`` in bytes with its optimiser's.

    Of a damaged one ``header`` is None, and ``problem`` says what is wrong.
    """

    path: Path
    size: int
    header: CheckpointMetadata | None
    problem: str = ""


@dataclass(frozen=True)
class RunDetails:
    """All that there is to tell of one run: how it stands, what it is, and what happened."""

    entry: RunSummary
    record: RunRecord
    checkpoints: tuple[CheckpointFile, ...]
    events: tuple[AnyEvent, ...]


class _Algorithm(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=100)]


class _Config(msgspec.Struct):
    algorithm: _Algorithm
    iterations: Iteration


def list_runs(folder: Path) -> list[RunSummary]:
    """The runs in ``folder``, or the one that it is; raises ``RunFolderError``.

    Folders that hold nothing of a run are left out.
    """
    names = _names(folder)
    if _looks_like_run(names):
        return [_entry(folder, names)]
    entries = []
    for name in sorted(names):
        path = folder / name
        if not path.is_dir():
            continue
        try:
            inside = _names(path)
        except RunFolderError as error:
            entries.append(_damaged(path, error))
            continue
        if _looks_like_run(inside):
            entries.append(_entry(path, inside))
    return entries


def describe_run(path: Path) -> tuple[RunSummary, RunRecord]:
    """How the run of the folder ``path`` stands, and what it is; raises ``RunFolderError``."""
    record = read_record(path)
    return _standing(path, record, _names(path)), record


def open_run(path: Path) -> RunDetails:
    """The run of the folder ``path``; raises ``RunFolderError`` and ``OSError``."""
    entry, record = describe_run(path)
    return RunDetails(entry, record, tuple(checkpoint_files(path)), tuple(history(path)))


def history(path: Path) -> Iterator[AnyEvent]:
    """The events of the run in the folder ``path`` that stand, oldest first; raises ``OSError``."""
    return filter(can_be, read_events(path / "events.jsonl"))


def can_be(event: AnyEvent) -> bool:
    """Whether its task has a number that files and tables can hold."""
    return not isinstance(event, Evaluated) or 0 <= event.index <= LARGEST_INDEX


def checkpoint_files(path: Path) -> list[CheckpointFile]:
    """The checkpoints of the run folder ``path``, the newest last; raises ``RunFolderError``."""
    names = _names(path)
    return [_checkpoint_file(path / name) for name in checkpoint_names(names)]


def _checkpoint_file(path: Path) -> CheckpointFile:
    beside = path.with_suffix(".optimizer.safetensors")
    size = sum(file.stat().st_size for file in (path, beside) if file.exists())
    try:
        return CheckpointFile(path, size, read_header(path))
    except CheckpointError as error:
        return CheckpointFile(path, size, None, error.problem)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "the name contains a null character"
        problem = f"cannot be read ({why})"
        raise RunFolderError(folder, problem, "choose a folder with runs") from error


def _looks_like_run(names: list[str]) -> bool:
    return "run.json" in names or "events.jsonl" in names or bool(checkpoint_names(names))


def _entry(path: Path, names: list[str]) -> RunSummary:
    try:
        return _standing(path, read_record(path), names)
    except LabError as error:
        return _damaged(path, error)


def _damaged(path: Path, error: LabError) -> RunSummary:
    return RunSummary(path=str(path), name=_name(path), state="damaged", problem=str(error))


def _standing(path: Path, record: RunRecord, names: list[str]) -> RunSummary:
    try:
        config = msgspec.convert(record.config, _Config)
    except msgspec.ValidationError as error:
        problem = f"damaged configuration ({error})"
        raise RunFolderError(path / "run.json", problem, "retrain this run") from error
    try:
        newest, header = _newest(path, names)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise RunFolderError(path / "events.jsonl", problem, "check the permissions") from error
    owner = owner_words(path)
    bests = [newest.best] if newest.best else []
    if header and header.best is not None and header.best_iteration is not None:
        bests.append((header.best, header.best_iteration))
    best, best_iteration = min(bests, default=(None, None))
    state = newest.state or "interrupted"
    iteration = newest.iteration
    if iteration is None and header:
        iteration = header.iteration
    target = newest.target or (header.target if header else config.iterations)
    return RunSummary(
        path=str(path),
        name=_name(path),
        algorithm=config.algorithm.name,
        state="training" if owner and state == "interrupted" else state,
        iteration=iteration or 0,
        target=target,
        best=best,
        best_iteration=best_iteration,
        started=record.started,
        last_event=newest.time,
        trained_by=owner,
    )


def _name(path: Path) -> str:
    return path.name or path.absolute().name


def _newest(path: Path, names: list[str]) -> tuple[LogSummary, CheckpointMetadata | None]:
    """What the end of the log tells, and the newest checkpoint; raises ``OSError``.

    The log is read back to before that checkpoint: what it does not know came later.
    """
    newest = LogSummary()
    lines = lines_from_newest(path / "events.jsonl") if "events.jsonl" in names else iter(())
    last = next(lines, None)
    if last is None:
        return newest, _newest_header(path, names, math.inf)
    newest.add(last)
    header = _newest_header(path, names, last.iteration)
    known = header.iteration if header and header.best is not None else 0
    for line in lines:
        newest.add(line)
        if line.iteration < known:
            break
    return newest, header


def _newest_header(path: Path, names: list[str], most: float) -> CheckpointMetadata | None:
    """The header of the newest sound checkpoint until iteration ``most``.

    Beyond the end of the log is what a run has left behind that was taken back.
    """
    for name in reversed(checkpoint_names(names)):
        if int(name.partition(".")[0]) > most:
            continue
        try:
            return read_header(path / name)
        except CheckpointError:
            continue
    return None


def owner_words(path: Path) -> str | None:
    """Who trains the run in the folder ``path``, as ``process 12 on host``; None if nobody does.

    Raises ``RunFolderError`` where that cannot be known.
    """
    owner = owner_of(path)
    return None if owner is None else f"process {owner.pid} on {owner.host}"
