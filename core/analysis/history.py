"""What a run has left in its folder, for moving through it."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.analysis.answers import Cancelled, PastEvaluation, RunHistory, SavedTheta, number
from core.errors import RunFolderError, reason
from core.events import AnyEvent, Evaluated, RolledBack
from core.storage.checkpoint_metadata import CheckpointMetadata
from core.storage.event_log_reader import EventLogReader, Rollbacks
from core.storage.paths import LOG
from core.storage.run_folder import read_record
from core.storage.run_index import checkpoint_files

MOST_CHECKPOINTS = 1_000
MOST_EVALUATIONS = 2_000

LOGS_KEPT = 8


class Recalling:
    """Recalls runs, again and again while they train: of a log it reads what was added since."""

    def __init__(self) -> None:
        self._pasts: OrderedDict[Path, _Past] = OrderedDict()

    def recall(self, folder: Path, cancelled: Callable[[], bool]) -> RunHistory | Cancelled:
        """The checkpoints and periodic evaluations of ``folder``; raises ``RunFolderError``."""
        files = checkpoint_files(folder)
        files = [file for file in files if not file.discarded]
        sound = [_saved(file.path, file.metadata) for file in files if file.metadata]
        log = folder / LOG
        try:
            past = self._so_far(log)
            past.read_on(log, cancelled)
        except OSError as error:
            problem = f"cannot be read ({reason(error)})"
            raise RunFolderError(log, problem, "check the permissions") from error
        self._pasts[log] = past
        if len(self._pasts) > LOGS_KEPT:
            self._pasts.popitem(last=False)
        if cancelled():
            return Cancelled()
        return RunHistory(
            folder=str(folder),
            checkpoints=tuple(sound[-MOST_CHECKPOINTS:]),
            damaged=len(files) - len(sound),
            evaluations=tuple(past.evaluations),
            seed=_seed(folder),
        )

    def _so_far(self, log: Path) -> _Past:
        """What was read of ``log``; nothing, if another file has its place. Raises ``OSError``."""
        known = self._pasts.pop(log, None)
        if not log.exists():
            return _Past()
        status = os.stat(log)
        if known and known.file == status.st_ino and known.place <= status.st_size:
            return known
        return _Past(status.st_ino)


@dataclass
class _Past:
    """The periodic evaluations of a log as far as it was read, to byte ``place`` of ``file``.

    Of very many, every ``stride``-th is kept.
    """

    file: int | None = None
    place: int = 0
    evaluations: list[PastEvaluation] = field(default_factory=list)
    stride: int = 1
    seen: int = 0

    def read_on(self, log: Path, cancelled: Callable[[], bool]) -> None:
        """From where the last reading ended, until the end or ``cancelled``; raises ``OSError``."""
        for event, end in EventLogReader(log).events_since(self.place):
            if cancelled():
                return
            self._add(event)
            self.place = end

    def _add(self, event: AnyEvent) -> None:
        if isinstance(event, RolledBack):
            rollbacks = Rollbacks()
            rollbacks.add(event.iteration)
            kept = [one for one in self.evaluations if not rollbacks.discards(one.iteration)]
            self.evaluations, self.seen = kept, len(kept) * self.stride
        elif isinstance(event, Evaluated) and event.probe == "validation":
            if self.seen % self.stride == 0:
                self.evaluations.append(_past(event))
            self.seen += 1
            if len(self.evaluations) > MOST_EVALUATIONS:
                self.evaluations = self.evaluations[::2]
                self.stride *= 2


def _seed(folder: Path) -> int | None:
    """What the tasks of the run are drawn with; None where its record does not tell."""
    try:
        seed = read_record(folder).config.get("seed")
    except RunFolderError:
        return None
    return seed if isinstance(seed, int) and 0 <= seed < 2**63 else None


def _saved(path: Path, metadata: CheckpointMetadata) -> SavedTheta:
    return SavedTheta(name=path.name, iteration=metadata.iteration, kind=metadata.kind)


def _past(event: Evaluated) -> PastEvaluation:
    return PastEvaluation(
        iteration=event.iteration,
        index=event.index,
        amplitude=event.amplitude,
        phase=event.phase,
        before=number(event.losses[0]),
        after=number(event.losses[-1]),
    )
