"""Reads the folder of a sweep for the screen; of what was read before, only what is new."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from core.errors import RunFolderError, reason
from core.experiments.followed_sweep import FollowedSweep
from core.experiments.results import RunResult
from core.experiments.specification import PlannedRun
from core.experiments.summary import summarize
from core.experiments.sweep_folder import SweepFolder
from core.user_folders import with_home
from tui_meta.views.sweep import progress
from tui_meta.views.sweep.status import SweepRun, SweepStatus
from tui_meta.views.sweep.words import diverged_tasks, names_beside_algorithms


class SweepReader:
    """Reads the sweep in the folder ``path``, which any processes train; called in threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._followed = FollowedSweep(SweepFolder(path))
        self._status: SweepStatus | None = None
        self._is_trained = False
        self._known: dict[str, tuple[RunResult | None, SweepRun]] = {}
        """The runs by digest, each with the result that it was read from."""

    def look(self, now: float) -> SweepStatus:
        """Return the sweep at the time ``now``: the same object if nothing has changed.

        Raises ``RunFolderError``.
        """
        with self._lock:
            changed = self._followed.look()
            is_trained = progress.is_trained(self._followed.results, now)
            if changed or self._status is None or is_trained != self._is_trained:
                self._is_trained = is_trained
                self._status = self._read()
            return self._status

    def _read(self) -> SweepStatus:
        runs, results = self._followed.runs, self._followed.results
        of_group: dict[str, list[SweepRun]] = {}
        for run in runs:
            of_group.setdefault(run.group, []).append(self._run(run, results))
        groups = summarize(runs, results)
        names, members = names_beside_algorithms(groups), [of_group[one.group] for one in groups]
        if not self._is_trained:
            return SweepStatus.of(groups, members, names)
        at_once, work = progress.at_once(results), progress.work_left(runs, results)
        left = work / at_once if work and at_once else None
        return SweepStatus.of(groups, members, names, at_once=at_once, seconds_left=left)

    def _run(self, run: PlannedRun, results: Mapping[str, RunResult]) -> SweepRun:
        known, result = self._known.get(run.digest), results.get(run.digest)
        if known is None or known[0] is not result:
            known = self._known[run.digest] = result, sweep_run(run, results)
        return known[1]


def sweep_run(run: PlannedRun, results: Mapping[str, RunResult]) -> SweepRun:
    """Return a planned run with its result, if there is one."""
    seed, result = run.config.seed, results.get(run.digest)
    if result is None:
        return SweepRun(run.name, seed, "waiting")
    return SweepRun(
        run.name,
        seed,
        result.state,
        result.iteration,
        result.validation,
        result.training_loss,
        result.spent.seconds,
        result.problem or diverged_tasks([result.last]),
        result.network,
    )


def sweep_at(typed: str) -> Path:
    """Return the folder of a sweep; raises ``RunFolderError`` if there is none."""
    try:
        path = Path(with_home(typed.strip()))
    except OSError as error:
        raise RunFolderError(Path(typed), reason(error)) from error
    SweepFolder(path).specification()
    return path
