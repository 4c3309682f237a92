"""The runs in a folder, summarized from the ends of their logs and headers of checkpoints."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec

from core.config import RunConfig
from core.errors import CheckpointError, LabError, RunFolderError
from core.events import Diverged, Failed, Iteration, Validation, save_word
from core.storage.checkpoint import CheckpointMetadata, listed_metadata
from core.storage.event_log_reader import (
    LogEvents,
    LogLine,
    Rollbacks,
    Saves,
    history,
    lines_after,
    lines_backwards,
)
from core.storage.latest_checkpoint import CurrentBranch, latest_metadata
from core.storage.lock import owner_of
from core.storage.paths import LOG, RECORD, checkpoint_names, folder_name, optimizer_path
from core.storage.run_folder import RunRecord, read_record

FinalState = Literal["finished", "stopped", "diverged", "failed", "interrupted"]
State = FinalState | Literal["training", "paused", "damaged"]
"""An ``interrupted`` run has neither ended nor does a process train or hold it."""

_STATE_AFTER: dict[str, State] = {
    **{state: state for state in get_args(FinalState)},
    **dict.fromkeys(("started", "extended", "resumed"), "training"),
    **dict.fromkeys(("paused", "stepped"), "paused"),
}
"""The state after the last line of these kinds, if a process still has the run."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a list; fields that are not known are None.

    ``best`` is the validation with the lowest mean. ``started`` is a date, ``last_event`` in
    seconds since the epoch. ``trained_by`` names the process and host
    that train the run, and ``problem`` the fault of a damaged one. ``config`` has all settings as
    a complete ``RunConfig.to_dict``, none if this version does not know them.
    """

    path: str
    name: str
    state: State
    algorithm: str | None = None
    iteration: int | None = None
    target: int | None = None
    best: Validation | None = None
    started: str | None = None
    last_event: float | None = None
    trained_by: str | None = None
    problem: str | None = None
    config: dict[str, Any] = {}


@dataclass(frozen=True)
class CheckpointFile:
    """A checkpoint on disk, ``size`` in bytes with its optimizer's.

    A damaged one has a ``problem`` and no ``metadata``. A ``discarded`` one belongs to a branch
    that the run left when it was resumed from an earlier checkpoint.
    """

    path: Path
    size: int
    metadata: CheckpointMetadata | None
    problem: str = ""
    discarded: bool = False

    @property
    def iteration(self) -> int:
        """The iteration, by the name of the file."""
        return int(self.path.name.partition(".")[0])

    @property
    def description(self) -> str:
        """The reason for the save, and the state of the file if there is more to know."""
        kind = save_word(self.metadata.kind) or "-" if self.metadata else f"damaged: {self.problem}"
        return f"{kind}, discarded" if self.discarded else kind


@dataclass(frozen=True)
class RunDetails:
    """Everything known of one run: summary, record, checkpoints and events."""

    summary: RunSummary
    record: RunRecord
    checkpoints: tuple[CheckpointFile, ...]
    events: LogEvents

    @property
    def problem(self) -> str:
        """Why the run diverged or failed; empty if it did not."""
        match self.summary.state:
            case "diverged":
                ended: Diverged | Failed | None = self.events.newest(Diverged)
            case "failed":
                ended = self.events.newest(Failed)
            case _:
                ended = None
        return ended.problem if ended else ""


class _Algorithm(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=100)]


class _Config(msgspec.Struct):
    algorithm: _Algorithm
    iterations: Iteration


@dataclass
class _LogSummary:
    """The state of a run according to the lines added so far; None for what they do not reveal.

    ``best`` is the validation with the lowest mean, ``time`` in seconds since the epoch.
    """

    iteration: int | None = None
    time: float | None = None
    state: State | None = None
    target: int | None = None
    best: Validation | None = None
    _rollbacks: Rollbacks = field(default_factory=Rollbacks)

    def add(self, line: LogLine) -> None:
        """Add the line that precedes those added so far."""
        if self.time is None:
            self.time = line.time if math.isfinite(line.time) else None
        if self._rollbacks.discards(line.iteration):
            return
        if self.iteration is None:
            self.iteration = line.iteration
        if line.is_rollback:
            self._rollbacks.add(line.iteration)
        if self.target is None:
            self.target = line.target
        if self.state is None:
            self.state = _STATE_AFTER.get(line.event)
        found = line.validation
        # Of two equal means the earlier one is the best, and it is added later.
        if found and (self.best is None or found.mean <= self.best.mean):
            self.best = found


def list_runs(folder: Path) -> list[RunSummary]:
    """Summarize the runs in ``folder``, or the run that it is; raises ``RunFolderError``.

    Folders without files of a run are left out.
    """
    found = (summarize(Path(path)) for path in candidates(folder))
    return [one for one in found if one]


def candidates(folder: Path) -> list[str]:
    """Return the run that ``folder`` is, or everything in it; raises ``RunFolderError``."""
    names = _names(folder)
    # Not as ``Path``, each of which would take longer than a look at an unchanged file.
    start = str(folder / "_")[:-1]
    return [str(folder)] if _looks_like_run(names) else [start + name for name in sorted(names)]


def summarize(path: Path) -> RunSummary | None:
    """Summarize the run in ``path``, also a damaged one; None if there is no run."""
    try:
        if path.is_dir() and _looks_like_run(_names(path)):
            return describe_run(path)[0]
    except LabError as error:
        name, problem = folder_name(path), str(error)
        return RunSummary(path=str(path), name=name, state="damaged", problem=problem)
    return None


def describe_run(path: Path) -> tuple[RunSummary, RunRecord]:
    """Return summary and record of the run in the folder ``path``; raises ``RunFolderError``."""
    record = read_record(path)
    try:
        config = msgspec.convert(record.config, _Config)
    except msgspec.ValidationError as error:
        problem = f"damaged configuration ({error})"
        raise RunFolderError(path / RECORD, problem, "retrain this run") from error
    latest = latest_metadata(path)
    log = _log_summary(path, latest)
    owner = owner_words(path)
    bests = [best for best in (log.best, latest.best_validation if latest else None) if best]
    best = min(bests, key=lambda one: (one.mean, one.iteration), default=None)
    state = log.state or "training"
    target = log.target or (latest.target if latest else config.iterations)
    summary = RunSummary(
        path=str(path),
        name=folder_name(path),
        algorithm=config.algorithm.name,
        state=state if owner or state in get_args(FinalState) else "interrupted",
        iteration=max(log.iteration or 0, latest.iteration if latest else 0),
        target=target,
        best=best,
        started=record.started,
        last_event=log.time,
        trained_by=owner,
        config=_settings(record),
    )
    return summary, record


def _settings(record: RunRecord) -> dict[str, Any]:
    """Return all settings, with defaults for those that an earlier version did not have."""
    try:
        return RunConfig.from_dict(record.config).to_dict(complete=True)
    except LabError:
        return {}


def updated_summary(before: RunSummary, offset: int) -> RunSummary | None:
    """Return the summary of a run of which nothing but the log has changed, which has grown.

    ``before`` is as of the first ``offset`` bytes of the log, or more. None where it takes more
    than the lines after them: the run began, paused, ended or was rolled back. Raises
    ``RunFolderError``.
    """
    lines = lines_after(Path(before.path), offset)
    if lines is None or any(line.event in _STATE_AFTER or line.is_rollback for line in lines):
        return None
    best, last, times = before.best, before.iteration or 0, [before.last_event]
    for line in lines:
        if (found := line.validation) and (best is None or found.mean < best.mean):
            best = found
        last = max(last, line.iteration)
        times += [line.time] if math.isfinite(line.time) else []
    return msgspec.structs.replace(before, best=best, iteration=last, last_event=times[-1])


def read_run(path: Path) -> RunDetails:
    """Read everything about the run in the folder ``path``; raises ``RunFolderError``."""
    summary, record = describe_run(path)
    return RunDetails(summary, record, tuple(checkpoint_files(path)), LogEvents(history(path)))


def checkpoint_files(path: Path, saves: Saves | None = None) -> list[CheckpointFile]:
    """List the checkpoints in the run folder ``path`` by iteration; raises ``RunFolderError``.

    With all ``saves`` of its log, that is not read again.
    """
    branch = CurrentBranch(path, saves)
    return [
        _checkpoint_file(path / name, discarded=not branch.contains(name))
        for name in checkpoint_names(_names(path))
    ]


def _checkpoint_file(path: Path, *, discarded: bool) -> CheckpointFile:
    size = sum(file.stat().st_size for file in (path, optimizer_path(path)) if file.exists())
    try:
        return CheckpointFile(path, size, listed_metadata(path), discarded=discarded)
    except CheckpointError as error:
        return CheckpointFile(path, size, None, error.problem, discarded)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "the name contains a null character"
        problem = f"cannot be read ({why})"
        raise RunFolderError(folder, problem, "choose a folder with runs") from error


def _looks_like_run(names: list[str]) -> bool:
    return RECORD in names or LOG in names or bool(checkpoint_names(names))


def _log_summary(path: Path, latest: CheckpointMetadata | None) -> _LogSummary:
    """Read the log back to before the checkpoint ``latest``, which knows the best until then."""
    summary = _LogSummary()
    known = latest.iteration if latest and latest.best_validation is not None else 0
    for line in lines_backwards(path):
        summary.add(line)
        if line.iteration < known:
            break
    return summary


def owner_words(path: Path) -> str | None:
    """Name the process that trains the run in ``path``, as ``process 12 on host``; None without.

    Raises ``RunFolderError`` where that cannot be known.
    """
    owner = owner_of(path)
    return None if owner is None else f"process {owner.pid} on {owner.host}"
