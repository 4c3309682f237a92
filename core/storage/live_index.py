"""Runs while they are trained: of what was read before, only what has changed is read again."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import RunFolderError
from core.storage.event_log_reader import FollowedLog
from core.storage.paths import LOCK, LOG
from core.storage.run_folder import RunRecord, read_record
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


class FollowedRun:
    """Everything about a run, which is read again and again."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._log = FollowedLog(Path(path))
        self._state: object = None
        self._read: tuple[RunRecord, tuple[CheckpointFile, ...]]

    def read(self, summary: RunSummary) -> RunDetails:
        """Read the run of this newest summary; raises ``RunFolderError``.

        Record and checkpoints are the same objects until the folder changes. The next reading
        changes the events.
        """
        # Before the rest is read, as above. What was saved or discarded says the log.
        state = _file_state(self._path)
        events = self._log.read()
        if self._state != (state, len(self._log.saves)):
            folder = Path(self._path)
            self._read = read_record(folder), tuple(checkpoint_files(folder, self._log))
            self._state = state, len(self._log.saves)
        return RunDetails(summary, *self._read, events)


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
