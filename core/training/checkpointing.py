"""The times at which a run is saved, and the handling of failed saves."""

import dataclasses
import time

from core.config import CheckpointSettings
from core.errors import LabError, reason
from core.events import Saved, SaveFailed, SaveKind, WriteRecovered
from core.storage.checkpoint import Checkpoint
from core.storage.retention import longest_kept
from core.storage.run_folder import RunFolder
from core.training.event_publisher import RETRY_SECONDS, EventPublisher
from core.user_folders import user_folder

REST = 50
"""Minimum time between a save and the next autosave, in durations of the save: 2 % at most."""

LONGEST_RETRY = 60.0
"""The delay before a failed save is tried again is doubled each time, up to this."""


class CheckpointManager:
    """Saves one run into ``folder``, records it, and repeats saves that failed.

    The best network so far and those of the history are written with the next save.
    """

    def __init__(
        self, folder: RunFolder, settings: CheckpointSettings, publisher: EventPublisher
    ) -> None:
        self.folder = folder
        self.saved_iteration = 0
        """Iteration of the newest checkpoint."""
        self._settings = settings
        self._publisher = publisher
        self._saved_kind: SaveKind = "hand"
        self._pending: dict[int, Checkpoint] = {}
        self._failed_kind: SaveKind | None = None
        self._problem = ""
        self._failures = 0
        self._retry_at = 0.0
        self._saved_at = time.monotonic()
        self._rest_until = 0.0

    def resume_from(self, checkpoint: Checkpoint) -> None:
        """Start from ``checkpoint``, which is on disk."""
        self.saved_iteration, self._saved_kind = checkpoint.state.iteration, checkpoint.kind

    def release(self) -> None:
        """Release the folder, or the one that replaced it."""
        self.folder.release()

    def start_timer(self) -> None:
        """Start the autosave timer, when training begins."""
        self._saved_at = time.monotonic()

    def seconds_until_due(self, iteration: int) -> float | None:
        """Return the seconds until a save of ``iteration`` is due; None for never."""
        now = time.monotonic()
        if self._failed_kind:
            return max(0.0, self._retry_at - now)
        unsaved = iteration - self.saved_iteration
        if not unsaved:
            return None
        every, seconds = self._settings.autosave_iterations, self._settings.autosave_seconds
        if every and unsaved >= every:
            return max(0.0, self._rest_until - now)
        if not seconds:
            return None
        return max(0.0, self._rest_until - now, self._saved_at + seconds - now)

    def due_kind(self, iteration: int) -> SaveKind | None:
        """Return the kind of save that is due now, at ``iteration``; None if none is."""
        return (self._failed_kind or "auto") if self.seconds_until_due(iteration) == 0.0 else None

    def is_kept(self, iteration: int) -> bool:
        """Return True if ``iteration`` is in a checkpoint that is never pruned."""
        kept = self._saved_kind in ("hand", "final") and not self._failed_kind
        return kept and iteration == self.saved_iteration

    def set_best(self, checkpoint: Checkpoint) -> None:
        """Keep ``checkpoint``, the best so far, for the next save."""
        if self._settings.autosave_seconds or self._settings.autosave_iterations:
            others = {at: one for at, one in self._pending.items() if one.kind != "best"}
            self._pending = others
            self._add_pending(dataclasses.replace(checkpoint, kind="best"))

    def add_history(self, checkpoint: Checkpoint) -> None:
        """Keep ``checkpoint``, which is part of the run's history, for the next save."""
        self._add_pending(dataclasses.replace(checkpoint, kind="history"))

    def _add_pending(self, checkpoint: Checkpoint) -> None:
        at, kind = checkpoint.state.iteration, checkpoint.kind
        if at in self._pending:
            kind = longest_kept(kind, self._pending[at].kind)
        self._pending[at] = dataclasses.replace(checkpoint, kind=kind)

    def save(self, checkpoint: Checkpoint, *, requested: bool = False) -> None:
        """Save now, or again later if it fails, for whatever reason.

        A failure is published once for each problem, and every time if the user ``requested`` it.
        """
        try:
            self._write(checkpoint)
        except Exception as error:
            self._fail(checkpoint.kind, error, requested=requested)

    def save_at_end(self, checkpoint: Checkpoint) -> None:
        """Save a run that ends; in another folder if its own cannot be written."""
        iteration = checkpoint.state.iteration
        try:
            self._write(checkpoint)
        except Exception as error:
            problem = f"{self.folder.path}: {reason(error)}"
            if iteration != self.saved_iteration:
                self._rescue(checkpoint, problem)

    def _write(self, checkpoint: Checkpoint) -> None:
        began = time.monotonic()
        self._publisher.sync()
        iteration = checkpoint.state.iteration
        for earlier in sorted(self._pending):
            pending = self._pending[earlier]
            if earlier == iteration:
                kind = longest_kept(checkpoint.kind, pending.kind)
                checkpoint = dataclasses.replace(checkpoint, kind=kind)
            else:
                # Bringing some fifty files to disk would take Reptile 4 % of its training time.
                self._write_one(pending, durable=pending.kind == "best")
        self._write_one(checkpoint)
        self._pending.clear()
        self.saved_iteration, self._saved_kind = iteration, checkpoint.kind
        # A checkpoint that the log does not name may count as one of a discarded branch.
        self._publisher.flush()
        if not self._publisher.has_backlog:
            self.folder.prune(self._settings.keep)
        if self._problem:
            self._publisher.record(
                WriteRecovered(path=str(self.folder.path), **self._publisher.header())
            )
        self._failed_kind, self._problem, self._failures = None, "", 0
        self._saved_at = time.monotonic()
        self._rest_until = self._saved_at + REST * (self._saved_at - began)

    def _write_one(self, checkpoint: Checkpoint, *, durable: bool = True) -> None:
        path = self.folder.save(checkpoint, durable=durable)
        self._publisher.record(
            Saved(path=str(path), kind=checkpoint.kind, **self._publisher.header())
        )

    def _fail(self, kind: SaveKind, error: Exception, *, requested: bool) -> None:
        again = min(RETRY_SECONDS * 2**self._failures, LONGEST_RETRY)
        self._retry_at = time.monotonic() + again
        self._failures += 1
        problem = f"{self.folder.path}: {reason(error)}; training continues, retrying"
        if problem != self._problem or requested:
            self._record_failure(problem)
        self._problem = problem
        self._failed_kind = longest_kept(kind, self._failed_kind or "auto")

    def _rescue(self, checkpoint: Checkpoint, problem: str) -> None:
        own, where = self.folder, ""
        try:
            other = user_folder("state") / "rescue"
            where = f"{other}: "
            self.folder = own.rescue(other)
            own.release()
            self._publisher.log = self.folder.log
            self._write(checkpoint)
        except Exception as error:
            why = str(error) if isinstance(error, LabError) else f"{where}{reason(error)}"
            self._record_failure(
                f"{problem}; the rescue folder failed too: {why}; iteration "
                f"{checkpoint.state.iteration:,} is not saved; set XDG_STATE_HOME to another folder"
            )
            return
        self._record_failure(f"{problem}; the run is saved in {self.folder.path} instead")

    def _record_failure(self, problem: str) -> None:
        self._publisher.record(SaveFailed(problem=problem, **self._publisher.header()))
