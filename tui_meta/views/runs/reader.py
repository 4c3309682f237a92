"""Reads the folders of runs for the Runs screen; of what was read before, only what has changed."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.config import RunConfig
from core.storage.live_index import FollowedRun, LiveIndex
from core.storage.run_folder import RunRecord
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


class _Reading:
    """What was last read of one run, of which the configuration stays while its record does."""

    def __init__(self, path: str) -> None:
        self._run = FollowedRun(Path(path))
        self._entry: RunSummary | None = None
        self._configured: tuple[RunRecord, RunConfig] | None = None
        self._read: ReadRun

    def of(self, entry: RunSummary, now: float) -> ReadRun:
        """Return what is shown of the run of this newest summary."""
        if entry is not self._entry:
            details = self._run.read(entry)
            record = details.record
            if self._configured is None or self._configured[0] != record:
                self._configured = record, recorded_config(Path(entry.path), record)
            config = self._configured[1]
            self._read = ReadRun(report(details, config, now), recorded_run(details, config))
            self._entry = entry
        return self._read


class RunReader:
    """Lists and reads runs; called in threads, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = LiveIndex()
        self._readings: dict[str, _Reading] = {}

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
        reading = self._readings.pop(entry.path, None) or _Reading(entry.path)
        read = reading.of(entry, now)
        self._readings[entry.path] = reading
        while len(self._readings) > _KEPT_RUNS:
            del self._readings[next(iter(self._readings))]
        return read
