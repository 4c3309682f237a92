"""Reads the folders of runs for the Runs screen; of what was read before, only what has changed."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.storage.event_log_reader import FollowedLog
from core.storage.live_index import LiveIndex
from core.storage.run_index import read_run
from tui_meta.views.runs.curves import MOST_CURVES, RecordedRun, recorded_run
from tui_meta.views.runs.report import Report, recorded_config, report
from tui_meta.views.runs.run_list import RunList

_KEPT_LOGS = 2 * MOST_CURVES
"""Logs that are kept in memory; of others, all lines are read again."""


class ReadRun(NamedTuple):
    """What is shown of one run."""

    report: Report
    curves: RecordedRun


class RunReader:
    """Lists and reads runs; called in threads, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = LiveIndex()
        self._logs: dict[str, FollowedLog] = {}

    def list(self, folders: Iterable[Path], runs: RunList, now: float) -> RunList:
        """Return ``runs`` with what is in ``folders`` at the time ``now``, ready to be shown."""
        with self._lock:
            found = runs.with_entries(self._index.list(folders), now)
        found.listing.prepare()
        return found

    def read(self, paths: Sequence[str], now: float) -> Sequence[ReadRun]:
        """Read everything about some runs at the time ``now``; raises ``RunFolderError``."""
        with self._lock:
            return [self._read(path, now) for path in paths]

    def _read(self, path: str, now: float) -> ReadRun:
        folder = Path(path)
        log = self._logs.pop(path, None) or FollowedLog(folder)
        details = read_run(folder, log)
        self._logs[path] = log
        while len(self._logs) > _KEPT_LOGS:
            del self._logs[next(iter(self._logs))]
        config = recorded_config(folder, details.record)
        return ReadRun(report(details, config, now), recorded_run(details, config))
