"""The plan of a run: configuration, folder and, if it is resumed, its past."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core import validation
from core.config import CheckpointSettings, RunConfig
from core.engines.base import Engine
from core.engines.sample import sample_digest
from core.errors import Advice, RunFolderError, reason
from core.events import AnyEvent, Evaluated, Validated
from core.storage.checkpoint import Checkpoint, load_checkpoint
from core.storage.event_log_reader import history
from core.storage.io import is_text
from core.storage.latest_checkpoint import CurrentBranch, LatestCheckpoint, latest_or_untrained
from core.storage.paths import RECORD, checkpoint_iteration, run_folder
from core.storage.provenance import SAMPLE_NAME, installed_versions, processor
from core.storage.run_folder import RunFolder, RunRecord, create_run_folder, read_record
from core.training.memory import require_memory
from core.validation import decode


@dataclass(frozen=True)
class Plan:
    """A run to be trained into ``folder``, from scratch or from the checkpoint ``resumed``.

    Of a resumed run ``record`` is the ``run.json`` and ``history`` the logged events. ``target``
    overrides the final iteration, and ``pace`` is in iterations per second, None for full speed.
    ``warnings`` are for the user. Raises ``ConfigError``.
    """

    config: RunConfig
    folder: RunFolder
    resumed: Checkpoint | None = None
    resumed_from: str | None = None
    history: tuple[AnyEvent, ...] = ()
    target: int | None = None
    pace: float | None = None
    saving: CheckpointSettings = field(default_factory=CheckpointSettings)
    record: RunRecord | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        validation.pace("pace", self.pace)

    def open_folder(self, engine: Engine) -> None:
        """Write the record of a new run, or prepare to continue; raises ``RunFolderError``."""
        with _writing(self.folder):
            if self.resumed is not None:
                self.folder.continue_at(self.resumed.state.iteration)
            if not self._has_started:
                self.folder.describe(self.config, self.saving, engine.name, engine.device)

    @property
    def _has_started(self) -> bool:
        """False for a new run, and for one whose process ended before it was trained."""
        return bool(self.resumed and (self.history or self.resumed.state.iteration))

    @property
    def rolls_back(self) -> bool:
        """True if events were logged or checkpoints saved after the iteration to continue from."""
        if self.resumed is None:
            return False
        start = self.resumed.state.iteration
        branch = CurrentBranch(self.folder.path)
        return any(event.iteration > start for event in self.history) or any(
            (checkpoint_iteration(name) or 0) > start and branch.contains(name)
            for name in os.listdir(self.folder.path)
        )

    def has_evaluated(self, iteration: int) -> bool:
        """Return True if the log has the periodic evaluation of ``iteration``."""
        return any(
            isinstance(event, Evaluated)
            and (event.probe, event.iteration) == ("validation", iteration)
            for event in self.history
        )

    def has_validated(self, iteration: int) -> bool:
        """Return True if the log has the validation of ``iteration``."""
        return any(
            isinstance(event, Validated) and event.iteration == iteration for event in self.history
        )

    def differences(self, engine: Engine) -> tuple[str, ...]:
        """List what the bits may depend on and differs from ``run.json``."""
        if self.record is None or not self._has_started:
            return ()
        present = {
            "engine": engine.name,
            "device": engine.device,
            "processor": processor(),
            **installed_versions(),
            SAMPLE_NAME: sample_digest(self.config, engine.name),
        }
        before = {
            "engine": self.record.engine,
            "device": self.record.device,
            "processor": self.record.processor,
            **self.record.versions,
        }
        return tuple(
            f"{name} {now} (was {before[name]})"
            for name, now in present.items()
            if name in before and before[name] != now
        )


@contextmanager
def _writing(folder: RunFolder) -> Iterator[None]:
    """Raise ``RunFolderError`` for an ``OSError``."""
    try:
        yield
    except OSError as error:
        problem = f"the run cannot be written here ({reason(error)})"
        raise RunFolderError(folder.path, problem, Advice.OTHER_OUTPUT) from error


def plan_in(
    folder: RunFolder,
    config: RunConfig,
    pace: float | None = None,
    saving: CheckpointSettings | None = None,
) -> Plan:
    """Plan a run from scratch in the new ``folder``, and describe it there.

    Raises ``ConfigError`` and ``RunFolderError``, and discards the folder then.
    """
    try:
        plan = Plan(config, folder, pace=pace, saving=saving or CheckpointSettings())
        with _writing(folder):
            folder.describe(config, plan.saving)
    except BaseException:
        folder.discard()
        raise
    return plan


def plan_new(
    config: RunConfig,
    out: Path,
    name: str | None,
    pace: float | None = None,
    saving: CheckpointSettings | None = None,
    *,
    title: str = "",
) -> Plan:
    """Plan a run from scratch, and create and lock its folder under ``out``.

    It is named ``title``, by default its algorithm, and ``name``, by default the time. Raises
    ``RunFolderError``.
    """
    chosen = f"{title or config.algorithm.name}-{name or time.strftime('%Y%m%d-%H%M%S')}"
    return plan_in(create_run_folder(out, chosen, unique=name is None), config, pace, saving)


def plan_resumed(path: Path, iterations: int | None = None, pace: float | None = None) -> Plan:
    """Plan to continue a run, to ``iterations`` if given, and lock its folder.

    ``path`` is a checkpoint, or a run folder for its newest checkpoint. Damaged ones are
    skipped with a warning. Raises ``CheckpointError``, ``RunFolderError`` or, where the run does
    not fit in memory, ``EngineError``.
    """
    folder = RunFolder(run_folder(path))
    if not is_text(folder.path):
        raise RunFolderError(folder.path, "name is not valid UTF-8", "rename it")
    if not path.is_dir():
        load_checkpoint(path)  # a damaged checkpoint is reported before a missing run folder
    if not (folder.path / RECORD).is_file():
        raise RunFolderError(folder.path, f"not a run folder (no {RECORD})")
    folder.lock()
    try:
        return _plan_resumed(folder, path, iterations, pace)
    except BaseException:
        folder.discard()
        raise


def _plan_resumed(
    folder: RunFolder, path: Path, iterations: int | None, pace: float | None
) -> Plan:
    record = read_record(folder.path)
    # The run has another name in the log if its folder was renamed.
    logged = tuple(
        event if event.run == folder.name else msgspec.structs.replace(event, run=folder.name)
        for event in history(folder.path)
    )
    if path.is_dir():
        start = latest_or_untrained(path, record.config)
    else:
        start = LatestCheckpoint(path, load_checkpoint(path))
    at = start.checkpoint.state.iteration
    if iterations is not None and iterations < at:
        raise RunFolderError(
            path, f"the run is already at iteration {at:,}", Advice.MORE_ITERATIONS
        )
    require_memory([start.checkpoint.config])
    return Plan(
        start.checkpoint.config,
        folder,
        resumed=start.checkpoint,
        resumed_from=str(start.path),
        history=logged,
        target=iterations,
        pace=pace,
        saving=decode(CheckpointSettings, record.saving, "saving"),
        record=record,
        warnings=start.warnings,
    )
