"""The list of runs while they are trained: only runs that have changed are read again."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import RunFolderError
from core.storage.paths import LOCK, LOG
from core.storage.run_index import RunSummary, candidates, owner_words, summarize

_WATCHED = ("", f"/{LOG}", f"/{LOCK}")
"""What changes with a run: its folder when a file appears or is replaced, files that grow or are
overwritten."""

_State = tuple[object, ...]


class LiveIndex:
    """Lists the runs in some folders again and again; an unchanged summary is the same object.

    A look at an unchanged run takes three calls of ``stat``, and one of its lock if it is trained.
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
                known = state, summarize(Path(path))
            found[path] = known
        self._known = found
        return [summary for _, summary in found.values() if summary]


def _state(path: str) -> _State:
    return tuple([_file_state(path + name) for name in _WATCHED])


def _file_state(file: str) -> tuple[int, ...]:
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
