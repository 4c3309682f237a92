"""What is to be trained: a configuration, a place, and what came before."""

from __future__ import annotations

from dataclasses import dataclass, field

from core import checks
from core.checkpoint import Checkpoint
from core.config import RunConfig, Saving
from core.engines.base import Engine
from core.errors import RunFolderError, reason
from core.events import AnyEvent, Evaluated
from core.provenance import installed_versions, processor
from core.run_folder import RunFolder, RunRecord


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
    saving: Saving = field(default_factory=Saving)
    record: RunRecord | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_pace(self.pace)

    def open_folder(self, engine: Engine) -> None:
        """Describe a run that begins, or take up one that goes on; raises ``RunFolderError``."""
        try:
            if self.record is None:
                self.folder.describe(self.config, self.saving, engine.name, engine.device)
            else:
                self.folder.take_up()
        except OSError as error:
            problem = f"the run cannot be kept here ({reason(error)})"
            raise RunFolderError(self.folder.path, problem, "choose another --out") from error

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
        checks.pace("pace", pace)
