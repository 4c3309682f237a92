"""The newest checkpoint of a run: of the branch that is trained now, and readable.

Resuming from an earlier checkpoint starts a new branch and leaves the checkpoints of the old one
on disk. Which of them belong to the current branch follows from the log: one is discarded if the
run was rolled back to before its iteration after it was last saved or resumed from.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from core.config import RunConfig
from core.engines.base import untrained
from core.errors import Advice, CheckpointError, UnregisteredCheckpointError, reason
from core.events import RolledBack, Saved, Started
from core.storage.checkpoint import (
    Checkpoint,
    CheckpointMetadata,
    listed_metadata,
    load_checkpoint,
)
from core.storage.event_log_reader import LogLine, Rollbacks, Saves, lines_backwards
from core.storage.lock import owner_of
from core.storage.paths import RECORD, checkpoint_iteration, checkpoint_names

C = TypeVar("C")


@dataclass(frozen=True)
class LatestCheckpoint:
    """A run's newest checkpoint, and a line for each damaged one that was skipped."""

    path: Path
    checkpoint: Checkpoint
    warnings: tuple[str, ...] = ()


class CurrentBranch:
    """Tells which checkpoints belong to the current branch of a run.

    The log of the run in ``folder`` is read backwards as far as needed, at most ``LARGEST_END``
    bytes, unless all its ``saves`` are known.
    """

    def __init__(self, folder: Path, saves: Saves | None = None) -> None:
        self._lines = (
            lines_backwards(folder, ("saved", "started", "rewound"))
            if saves is None
            else map(_line_of, reversed(saves))
        )
        self._used: set[str] = set()
        self._rollbacks = Rollbacks()

    def contains(self, name: str) -> bool:
        """Return False if the checkpoint called ``name`` was discarded.

        Raises ``RunFolderError`` where the log cannot be read.
        """
        iteration = checkpoint_iteration(name) or 0
        while name not in self._used:
            if self._rollbacks.discards(iteration):
                return False
            line = next(self._lines, None)
            if line is None:
                return True
            if line.is_rollback:
                self._rollbacks.add(line.iteration)
            elif (used := line.checkpoint) and not self._rollbacks.discards(
                checkpoint_iteration(used) or 0
            ):
                self._used.add(used)
        return True


def _line_of(event: Saved | Started | RolledBack) -> LogLine:
    plain = {name: getattr(event, name) for name in ("run", "iteration", "time")}
    match event:
        case Saved(path=path):
            return LogLine("saved", **plain, path=path)
        case Started(resumed_from=path):
            return LogLine("started", **plain, resumed_from=path)
    return LogLine("rewound", **plain)


def latest_checkpoint(folder: Path) -> LatestCheckpoint:
    """Load the newest checkpoint of the run in ``folder``.

    Raises ``CheckpointError`` where there is none that can be read, and ``RunFolderError``.
    """
    if found := _newest(folder, load_checkpoint):
        return LatestCheckpoint(*found)
    if owner := owner_of(folder):
        problem = f"not saved yet by process {owner.pid} on {owner.host}, which trains it"
        raise CheckpointError(folder, problem, Advice.SAVE_RUN)
    if (folder / RECORD).exists():
        raise CheckpointError(folder, "this run was never saved", Advice.CONTINUE_RUN)
    raise CheckpointError(folder, "no checkpoint in this folder")


def latest_or_untrained(folder: Path, config: dict[str, Any]) -> LatestCheckpoint:
    """Load the newest checkpoint, or iteration 0 of the run ``config`` where none was saved.

    Raises as ``latest_checkpoint`` does, and ``ConfigError`` and ``UnknownSettingError``.
    """
    if found := _newest(folder, load_checkpoint):
        return LatestCheckpoint(*found)
    start = RunConfig.from_dict(config)
    checkpoint = Checkpoint(start, untrained(start), start.iterations, 0.0, ())
    return LatestCheckpoint(folder / RECORD, checkpoint)


def latest_metadata(folder: Path) -> CheckpointMetadata | None:
    """Read the metadata of the newest checkpoint, without its tensors; None without one.

    Raises ``RunFolderError`` where the log cannot be read.
    """
    try:
        found = _newest(folder, listed_metadata)
    except CheckpointError:
        return None
    return found[1] if found else None


def _newest(folder: Path, read: Callable[[Path], C]) -> tuple[Path, C, tuple[str, ...]] | None:
    """Find the newest checkpoint of the current branch that ``read`` accepts."""
    try:
        names = checkpoint_names(os.listdir(folder))
    except OSError as error:
        raise CheckpointError(folder, f"cannot be read ({reason(error)})") from error
    branch = CurrentBranch(folder)
    damaged: list[str] = []
    foreign: UnregisteredCheckpointError | None = None
    for name in reversed(names):
        if not branch.contains(name):
            continue
        try:
            return folder / name, read(folder / name), tuple(damaged)
        except CheckpointError as error:
            if isinstance(error, UnregisteredCheckpointError):
                foreign = foreign or error
            damaged.append(f"skipping {error.subject}: {error.problem}")
    if foreign:
        raise foreign
    if damaged:
        problem = f"no readable checkpoint; {damaged[0]}"
        raise CheckpointError(folder, problem, Advice.OTHER_RUN)
    return None
