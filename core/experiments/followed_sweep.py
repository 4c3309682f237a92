"""The sweep in a folder, read again and again while any processes train it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from core.experiments.results import FollowedResults, RunResult
from core.experiments.specification import PlannedRun
from core.experiments.sweep_folder import SPECIFICATION, SweepFolder


class FollowedSweep:
    """The runs of a sweep and their results; a look reads what is new, and writes nothing."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folder = folder
        self._results = FollowedResults(folder.results_path)
        self._specified: tuple[int, ...] = ()
        self.runs: Sequence[PlannedRun] = ()
        """The planned runs."""

    @property
    def results(self) -> Mapping[str, RunResult]:
        """The results so far, by digest."""
        return self._results.found

    def look(self) -> bool:
        """Read what is new; return False if there is nothing. Raises ``RunFolderError``."""
        specified = self._state()
        is_extended = not specified or specified != self._specified
        if is_extended:
            self.runs = self._folder.specification().expand()
            self._specified = specified
        return self._results.read() or is_extended

    def _state(self) -> tuple[int, ...]:
        """Return what changes with the specification; nothing if it cannot be seen."""
        try:
            found = os.stat(self._folder.path / SPECIFICATION)
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino
