"""What is to be trained: a configuration, a place, and what came before."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core import validation
from core.config import CheckpointSettings, RunConfig
from core.engines.base import Engine
from core.errors import Advice, RunFolderError, reason
from core.events import AnyEvent, Evaluated
from core.storage.checkpoint import Checkpoint, load_checkpoint
from core.storage.io import is_text
from core.storage.latest_checkpoint import LatestCheckpoint, latest_or_untrained
from core.storage.paths import RECORD
from core.storage.provenance import installed_versions, processor
from core.storage.run_folder import RunFolder, RunRecord, create_run_folder, read_record
from core.validation import decode


@dataclass(frozen=True)
class Plan:
    """A run to be trained: where it is kept and, if it goes on, what it starts from.

    ``record`` is the ``run.json`` of a run that goes on, and ``history`` holds the events of its
    earlier sittings; ``target`` overrides where the run ends, and ``pace`` is in iterations per
    second, None for full speed. ``remarks`` are to be said to a person. Raises ``ConfigError``.
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
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_pace(self.pace)

    def open_folder(self, engine: Engine) -> None:
        """Describe a run that begins, or take up one that goes on; raises ``RunFolderError``."""
        try:
            if self.resumed is None:
                self.folder.describe(self.config, self.saving, engine.name, engine.device)
            else:
                self.folder.continue_at(self.resumed.state.iteration)
        except OSError as error:
            problem = f"the run cannot be written here ({reason(error)})"
            raise RunFolderError(self.folder.path, problem, Advice.OTHER_OUTPUT) from error

    def goes_back(self, iteration: int) -> bool:
        """Whether the log tells of more than ``iteration``, from where the run goes on."""
        return any(event.iteration > iteration for event in self.history)

    def lacks_evaluation(self, iteration: int) -> bool:
        """Whether the log has lost the periodic evaluation of ``iteration``."""
        due = iteration and iteration % self.config.eval_interval == 0
        return bool(due) and not any(
            isinstance(event, Evaluated)
            and (event.probe, event.iteration) == ("validation", iteration)
            for event in self.history
        )

    def differences(self, engine: Engine) -> tuple[str, ...]:
        """What the bits may depend on and is not now, with ``engine``, as the record has it."""
        if self.record is None:
            return ()
        present = {
            "engine": engine.name,
            "device": engine.device,
            "processor": processor(),
            **installed_versions(),
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


def check_pace(pace: float | None) -> None:
    """Raise ``ConfigError`` for what is no pace."""
    if pace is not None:
        validation.pace("pace", pace)


def plan_new(
    config: RunConfig,
    out: Path,
    name: str | None,
    pace: float | None = None,
    saving: CheckpointSettings | None = None,
) -> Plan:
    """A run from scratch in a new folder under ``out``, which is locked for it.

    Without a ``name`` it is called after its algorithm and the time. Raises ``RunFolderError``.
    """
    algorithm = config.algorithm.name
    chosen = f"{algorithm}-{name or time.strftime('%Y%m%d-%H%M%S')}"
    folder = create_run_folder(out, chosen, unique=name is None)
    return Plan(config, folder, pace=pace, saving=saving or CheckpointSettings())


def run_folder(path: Path) -> Path:
    """The folder of the run at ``path``, which is that folder or a checkpoint in it."""
    return (path.parent if path.is_file() else path).resolve()


def plan_resumed(path: Path, iterations: int | None = None, pace: float | None = None) -> Plan:
    """The run of a folder, or of one checkpoint in it, to go on to ``iterations`` if given.

    Of a folder the newest checkpoint that is good is taken; the plan's remarks tell of those that
    are not. The folder is locked. Raises ``CheckpointError`` or ``RunFolderError``.
    """
    folder = RunFolder(run_folder(path))
    if not is_text(folder.path):
        raise RunFolderError(folder.path, "name is not valid UTF-8", "rename it")
    if not path.is_dir():
        load_checkpoint(path)  # what is no checkpoint is told before what is no run folder
    if not (folder.path / RECORD).is_file():
        raise RunFolderError(folder.path, "not a run folder (no run.json)")
    folder.lock()
    try:
        return _plan_resumed(folder, path, iterations, pace)
    except BaseException:
        folder.release()
        raise


def _plan_resumed(
    folder: RunFolder, path: Path, iterations: int | None, pace: float | None
) -> Plan:
    record = read_record(folder.path)
    history = tuple(_renamed(folder.events(), folder.name))
    if path.is_dir():
        start = latest_or_untrained(path, record.config)
    else:
        start = LatestCheckpoint(path, load_checkpoint(path))
    at = start.checkpoint.state.iteration
    if iterations is not None and iterations < at:
        raise RunFolderError(
            path, f"the run is already at iteration {at:,}", Advice.MORE_ITERATIONS
        )
    return Plan(
        start.checkpoint.config,
        folder,
        resumed=start.checkpoint,
        resumed_from=str(start.path),
        history=history,
        target=iterations,
        pace=pace,
        saving=decode(CheckpointSettings, record.saving, "saving"),
        record=record,
        remarks=start.warnings,
    )


def _renamed(events: Iterable[AnyEvent], run: str) -> Iterator[AnyEvent]:
    """``events`` as of ``run``, which a folder that was renamed had another name for."""
    for event in events:
        yield event if event.run == run else msgspec.structs.replace(event, run=run)
