"""The history of a run as its folder has it: checkpoints, periodic evaluations and validations."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.analysis.answers import Cancelled, PastEvaluation, RunHistory, SavedTheta
from core.errors import RunFolderError, reason
from core.evaluation.statistics import number
from core.events import (
    AnyEvent,
    Evaluated,
    RolledBack,
    Saved,
    Started,
    Validated,
    Validation,
)
from core.storage.event_log_reader import Rollbacks, events_since
from core.storage.live_index import FollowedCheckpoints
from core.storage.paths import LOG
from core.storage.run_folder import read_record

MOST_CHECKPOINTS = 1_000
MOST_EVALUATIONS = 2_000

LOGS_KEPT = 8


class HistoryReader:
    """Reads the histories of runs. Of a log that grows, only what was added is read again."""

    def __init__(self) -> None:
        self._logs: OrderedDict[Path, _EvaluationLog] = OrderedDict()

    def read(self, folder: Path, cancelled: Callable[[], bool]) -> RunHistory | Cancelled:
        """Return what ``folder`` has of its run; raises ``RunFolderError``."""
        log = folder / LOG
        try:
            evaluations = self._known(folder, log)
            evaluations.read_on(cancelled)
        except OSError as error:
            problem = f"cannot be read ({reason(error)})"
            raise RunFolderError(log, problem, "check the permissions") from error
        self._logs[log] = evaluations
        if len(self._logs) > LOGS_KEPT:
            self._logs.popitem(last=False)
        if cancelled():
            return Cancelled()
        listed = evaluations.checkpoints.read(evaluations.saves)
        files = [file for file in listed if not file.discarded]
        sound = [
            SavedTheta(
                name=file.path.name, iteration=file.metadata.iteration, kind=file.metadata.kind
            )
            for file in files
            if file.metadata
        ]
        return RunHistory(
            folder=str(folder),
            checkpoints=tuple(sound[-MOST_CHECKPOINTS:]),
            damaged=len(files) - len(sound),
            evaluations=tuple(evaluations.kept),
            validations=tuple(evaluations.validations),
            seed=_seed(folder),
        )

    def _known(self, folder: Path, log: Path) -> _EvaluationLog:
        """Return what was read of ``log``, unless it was replaced; raises ``OSError``."""
        known = self._logs.pop(log, None)
        if not log.exists():
            return _EvaluationLog(folder)
        status = os.stat(log)
        if known and known.file == status.st_ino and known.end <= status.st_size:
            return known
        return _EvaluationLog(folder, status.st_ino)


@dataclass
class _EvaluationLog:
    """What the log with inode ``file`` in ``folder`` has, read up to byte ``end``.

    Of very many evaluations, every ``stride``-th is kept.
    """

    folder: Path
    file: int | None = None
    end: int = 0
    kept: list[PastEvaluation] = field(default_factory=list)
    validations: deque[Validation] = field(default_factory=lambda: deque(maxlen=MOST_EVALUATIONS))
    saves: list[Saved | Started | RolledBack] = field(default_factory=list)
    stride: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        self.checkpoints = FollowedCheckpoints(self.folder)

    def read_on(self, cancelled: Callable[[], bool]) -> None:
        """Read what was added, unless ``cancelled``; raises ``OSError``."""
        for event, end in events_since(self.folder, self.end):
            if cancelled():
                return
            self._add(event)
            self.end = end

    def _add(self, event: AnyEvent) -> None:
        if isinstance(event, Saved | Started | RolledBack):
            self.saves.append(event)
        if isinstance(event, RolledBack):
            rollbacks = Rollbacks()
            rollbacks.add(event.iteration)
            self.kept = [past for past in self.kept if not rollbacks.discards(past.iteration)]
            self.seen = len(self.kept) * self.stride
            while self.validations and rollbacks.discards(self.validations[-1].iteration):
                self.validations.pop()
        elif isinstance(event, Validated):
            if event.result:
                self.validations.append(event.result)
        elif isinstance(event, Evaluated) and event.probe == "validation":
            if self.seen % self.stride == 0:
                self.kept.append(_past(event))
            self.seen += 1
            if len(self.kept) > MOST_EVALUATIONS:
                self.kept = self.kept[::2]
                self.stride *= 2


def _seed(folder: Path) -> int | None:
    """Return the seed of the run's tasks; None where its record has none."""
    try:
        seed = read_record(folder).config.get("seed")
    except RunFolderError:
        return None
    return seed if isinstance(seed, int) and 0 <= seed < 2**63 else None


def _past(event: Evaluated) -> PastEvaluation:
    return PastEvaluation(
        iteration=event.iteration,
        index=event.index,
        parameters=event.task,
        before=number(event.losses[0]),
        after=number(event.losses[-1]),
    )
