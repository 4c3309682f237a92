"""Runs while they are trained: of what was read before, only what has changed is read again."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import RunFolderError
from core.storage.event_log_reader import FollowedLog, Saves
from core.storage.paths import LOCK, LOG
from core.storage.run_folder import read_record
from core.storage.run_index import (
    CheckpointFile,
    RunDetails,
    RunSummary,
    candidates,
    checkpoint_files,
    owner_words,
    summarize,
    updated_summary,
)

_WATCHED = ("", f"/{LOG}", f"/{LOCK}")
"""What changes with a run: its folder when a file appears or is replaced, files that grow or are
overwritten."""

_FileState = tuple[int, ...]
"""Time of the last change, size and number of a file; empty without one."""

_State = tuple[_FileState, ...]


class LiveIndex:
    """Lists the runs in some folders again and again; an unchanged summary is the same object.

    A look at an unchanged run takes three calls of ``stat``, and one of its lock if it is trained.
    Where nothing but the log has grown, as most of the time in training, its new lines are read.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[_State, RunSummary | None]] = {}

    def list(self, folders: Iterable[Path]) -> Sequence[RunSummary]:
        """Summarize the runs in ``folders`` as ``list_runs`` does; raises ``RunFolderError``."""
        found: dict[str, tuple[_State, RunSummary | None]] = {}
        for path in (path for folder in folders for path in candidates(folder)):
            known = self._known.get(path)
            # Before the run is read: what changes meanwhile is read at the next look.
            state = _state(path)
            if known is None or known[0] != state or _has_ended(known[1]):
                known = state, (known and _updated(known, state)) or summarize(Path(path))
            found[path] = known
        self._known = found
        return [summary for _, summary in found.values() if summary]


class FollowedCheckpoints:
    """The checkpoints of a run: listed again once its folder has changed, or its branch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: object = None
        self._files: tuple[CheckpointFile, ...] = ()

    def read(self, saves: Saves) -> tuple[CheckpointFile, ...]:
        """List them, of a log with these ``saves`` so far; raises ``RunFolderError``.

        A file that is damaged in its place is noticed with the next one that is saved.
        """
        state = _file_state(str(self._folder)), len(saves)
        if state != self._state:
            self._files, self._state = tuple(checkpoint_files(self._folder, saves)), state
        return self._files


class FollowedRun:
    """Everything about a run, which is read again and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = FollowedLog(folder)
        self._checkpoints = FollowedCheckpoints(folder)

    def read(self, summary: RunSummary) -> RunDetails:
        """Read the run of this newest summary; raises ``RunFolderError``.

        The next reading changes the events.
        """
        record, events = read_record(self._folder), self._log.read()
        return RunDetails(summary, record, self._checkpoints.read(self._log.saves), events)


def _state(path: str) -> _State:
    return tuple([_file_state(path + name) for name in _WATCHED])


def _updated(known: tuple[_State, RunSummary | None], now: _State) -> RunSummary | None:
    """Return the summary if all that has happened since then is that its log grew."""
    (before, summary), (folder, log, lock) = known, now
    if summary is None or summary.problem or _has_ended(summary):
        return None
    if (folder, lock) != (before[0], before[2]) or log[2:] != before[1][2:] or not before[1]:
        return None
    size = before[1][1]
    try:
        return updated_summary(summary, size) if 0 < size < log[1] else None
    except RunFolderError:
        return None  # to read all of it says so


def _file_state(file: str) -> _FileState:
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _has_ended(known: RunSummary | None) -> bool:
    """Return True if another process or none trains the run by now; a kill changes no file."""
    if known is None or known.trained_by is None:
        return False
    try:
        return owner_words(Path(known.path)) != known.trained_by
    except RunFolderError:
        return True
