"""Reads the folders of runs for the Runs screen; of what was read before, only what has changed."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.storage.live_index import FollowedRun, LiveIndex
from core.storage.run_index import RunSummary
from tui_meta.views.runs.curves import MOST_CURVES, RecordedRun, recorded_run
from tui_meta.views.runs.report import Report, recorded_config, report
from tui_meta.views.runs.run_list import RunList

_KEPT_RUNS = 2 * MOST_CURVES
"""Runs that are kept in memory; of others, everything is read again."""


class ReadRun(NamedTuple):
    """What is shown of one run."""

    report: Report
    curves: RecordedRun


class RunReader:
    """Lists and reads runs; called in threads, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = LiveIndex()
        self._followed: dict[str, FollowedRun] = {}

    def list(self, folders: Iterable[Path], runs: RunList, now: float) -> RunList:
        """Return ``runs`` with what is in ``folders`` at the time ``now``, ready to be shown."""
        with self._lock:
            found = runs.with_entries(self._index.list(folders), now)
        found.listing.prepare()
        return found

    def read(self, entries: Sequence[RunSummary], now: float) -> Sequence[ReadRun]:
        """Read everything about listed runs at the time ``now``; raises ``RunFolderError``."""
        with self._lock:
            return [self._read(entry, now) for entry in entries]

    def _read(self, entry: RunSummary, now: float) -> ReadRun:
        run = self._followed.pop(entry.path, None) or FollowedRun(entry.path)
        details = run.read(entry)
        self._followed[entry.path] = run
        while len(self._followed) > _KEPT_RUNS:
            del self._followed[next(iter(self._followed))]
        config = recorded_config(Path(entry.path), details.record)
        return ReadRun(report(details, config, now), recorded_run(details, config))
