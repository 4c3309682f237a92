"""When a run is saved, and what is done where it cannot be."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from platformdirs import user_state_path

from core.config import CheckpointSettings
from core.errors import LabError, reason
from core.events import Saved, SaveFailed, SaveKind, WriteRecovered
from core.storage.checkpoint import Checkpoint
from core.storage.retention import longest_kept
from core.storage.run_folder import RunFolder
from core.training.event_publisher import EventPublisher

REST = 50
"""After a save no autosave comes for as many times what it took: they cost 2 % at most."""

RETRY_SECONDS = 1.0
"""When a save that failed is tried again; twice as late each time, up to ``LONGEST_RETRY``."""

LONGEST_RETRY = 60.0


class CheckpointManager:
    """Saves one run into ``folder``, tells of it, and remembers what could not be saved.

    The best network so far is written with the next save after it was met.
    """

    def __init__(
        self, folder: RunFolder, saving: CheckpointSettings, teller: EventPublisher
    ) -> None:
        self.folder = folder
        self.saved_iteration = 0
        """Of the newest checkpoint."""
        self._saving = saving
        self._teller = teller
        self._saved_as: SaveKind = "hand"
        self._best: Checkpoint | None = None
        self._owed: SaveKind | None = None
        self._problem = ""
        self._failures = 0
        self._retry_at = 0.0
        self._saved_at = time.monotonic()
        self._rest_until = 0.0

    def take_up(self, checkpoint: Checkpoint) -> None:
        """The run goes on from ``checkpoint``."""
        self.saved_iteration, self._saved_as = checkpoint.state.iteration, checkpoint.kind

    def begin(self) -> None:
        """Training begins: the clock of the autosave starts."""
        self._saved_at = time.monotonic()

    def wait(self, iteration: int) -> float | None:
        """Seconds until ``due`` will ask for a save at ``iteration``; None for never."""
        now = time.monotonic()
        if self._owed:
            return max(0.0, self._retry_at - now)
        made = iteration - self.saved_iteration
        if not made:
            return None
        every, seconds = self._saving.autosave_iterations, self._saving.autosave_seconds
        if every and made >= every:
            return max(0.0, self._rest_until - now)
        if not seconds:
            return None
        return max(0.0, self._rest_until - now, self._saved_at + seconds - now)

    def due(self, iteration: int) -> SaveKind | None:
        """Why the run should be saved now, at ``iteration``; None if it need not be."""
        return (self._owed or "auto") if self.wait(iteration) == 0.0 else None

    def is_final(self, iteration: int) -> bool:
        """Whether ``iteration`` is in a checkpoint that stays."""
        safe = self._saved_as in ("hand", "final") and not self._owed
        return safe and iteration == self.saved_iteration

    def note_best(self, checkpoint: Checkpoint) -> None:
        """``checkpoint`` is the best so far."""
        if self._saving.autosave_seconds or self._saving.autosave_iterations:
            self._best = dataclasses.replace(checkpoint, kind="best")

    def save(self, checkpoint: Checkpoint, *, asked: bool = False) -> None:
        """Save now; what fails is due again later. It is said, once for each problem, and again
        to a person who has ``asked``.
        """
        try:
            self._write(checkpoint)
        except OSError as error:
            self._fail(checkpoint.kind, error, asked=asked)

    def save_last(self, checkpoint: Checkpoint) -> None:
        """Save a run that ends: elsewhere, if its own folder cannot be written."""
        iteration = checkpoint.state.iteration
        try:
            self._write(checkpoint)
        except OSError as error:
            problem = f"{self.folder.path}: {reason(error)}"
            if iteration != self.saved_iteration:
                self._rescue(checkpoint, problem)

    def _write(self, checkpoint: Checkpoint) -> None:
        began = time.monotonic()
        self._teller.sync()
        best, iteration = self._best, checkpoint.state.iteration
        if best and best.state.iteration == iteration:
            kind = longest_kept(checkpoint.kind, "best")
            checkpoint = dataclasses.replace(checkpoint, kind=kind)
        elif best:
            self._write_one(best)
        self._write_one(checkpoint)
        self._best = None
        self.saved_iteration, self._saved_as = iteration, checkpoint.kind
        self.folder.prune(self._saving.keep)
        if self._problem:
            self._teller.say(WriteRecovered(path=str(self.folder.path), **self._teller.stamp()))
        self._owed, self._problem, self._failures = None, "", 0
        self._saved_at = time.monotonic()
        self._rest_until = self._saved_at + REST * (self._saved_at - began)

    def _write_one(self, checkpoint: Checkpoint) -> None:
        path = self.folder.save(checkpoint)
        self._teller.say(Saved(path=str(path), kind=checkpoint.kind, **self._teller.stamp()))

    def _fail(self, kind: SaveKind, error: OSError, *, asked: bool) -> None:
        again = min(RETRY_SECONDS * 2**self._failures, LONGEST_RETRY)
        self._retry_at = time.monotonic() + again
        self._failures += 1
        problem = f"{self.folder.path}: {reason(error)}; training goes on and will try again"
        if problem != self._problem or asked:
            self._say_failed(problem)
        self._problem = problem
        self._owed = longest_kept(kind, self._owed or "auto")

    def _rescue(self, checkpoint: Checkpoint, problem: str) -> None:
        place = rescue_folder()
        own = self.folder
        try:
            self.folder = own.rescue(place)
            own.release()
            self._teller.log = self.folder.log
            self._write(checkpoint)
        except (OSError, LabError) as error:
            why = f"{place}: {reason(error)}" if isinstance(error, OSError) else str(error)
            self._say_failed(
                f"{problem}, nor elsewhere, {why}; iteration {checkpoint.state.iteration:,} is not "
                "saved; XDG_STATE_HOME says where else a run can be saved"
            )
            return
        self._say_failed(f"{problem}; the run is saved in {self.folder.path} instead")

    def _say_failed(self, problem: str) -> None:
        self._teller.say(SaveFailed(problem=problem, **self._teller.stamp()))


def rescue_folder() -> Path:
    """Where runs are saved whose own folder cannot be written when they end."""
    return user_state_path("tui-meta", appauthor=False) / "rescue"
