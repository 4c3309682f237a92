"""Requests to train or resume runs, as plain values that another process can be sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.config import CheckpointSettings, RunConfig
from core.engines import make_engine
from core.errors import RunFolderError, SessionError
from core.storage.io import is_text
from core.storage.paths import run_folder
from core.validation import decode

if TYPE_CHECKING:
    from core.training.run_plan import Plan

MOST_AT_ONCE = 100
"""Runs of one session, each of which trains in a thread of its own."""


class TrainRequest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Train new runs, one for each configuration, in new folders under ``out``.

    The name of a folder begins with that of ``titles``, by default the run's algorithm. ``notify``
    is a command of the user's, see ``core.session.notification``.
    """

    configs: list[dict[str, Any]]
    titles: list[str] = []
    out: str
    name: str | None = None
    pace: float | None = None
    saving: dict[str, Any] = {}
    notify: str = ""

    @classmethod
    def of(
        cls,
        configs: Iterable[RunConfig],
        saving: CheckpointSettings,
        *,
        out: Path,
        name: str | None,
        pace: float | None,
        titles: Iterable[str] = (),
        notify: str = "",
    ) -> TrainRequest:
        """Build a request; ``out`` is text, relative to the folder of the training process."""
        return cls(
            configs=[config.to_dict() for config in configs],
            titles=list(titles),
            out=str(out),
            name=name,
            pace=pace,
            saving=msgspec.to_builtins(saving),
            notify=notify,
        )

    def check(self) -> None:
        """Raise ``EngineError`` for an engine or device that is not available."""
        _require_engines(map(RunConfig.from_dict, self.configs))

    def plans(self) -> list[Plan]:
        """Plan each run in a new folder; raises ``LabError``."""
        # Imported late, here and below: clients send requests, and need nothing of training.
        from core.training.memory import require_memory
        from core.training.run_plan import plan_new

        saving = decode(CheckpointSettings, self.saving, "saving")
        configs = list(map(RunConfig.from_dict, self.configs))
        require_memory(configs)
        titles = self.titles or [config.algorithm.name for config in configs]
        return plan_all(
            plan_new(config, Path(self.out), self.name, self.pace, saving, title=title)
            for config, title in zip(configs, titles, strict=True)
        )


class ResumeRequest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Resume runs: run folders, or checkpoints in them."""

    paths: list[str]
    iterations: int | None = None
    pace: float | None = None
    notify: str = ""

    @classmethod
    def of(
        cls,
        paths: Sequence[Path],
        *,
        iterations: int | None = None,
        pace: float | None = None,
        notify: str = "",
    ) -> ResumeRequest:
        """Build a request; raises ``RunFolderError`` for equal names, or one that is not text."""
        folders = [run_folder(path) for path in paths]
        names = [folder.name for folder in folders]
        for folder in folders:
            if names.count(folder.name) > 1:
                problem = "two of the runs to resume have this name"
                raise RunFolderError(folder, problem, "resume them one after the other")
        return cls(
            paths=[_absolute_text(path) for path in paths],
            iterations=iterations,
            pace=pace,
            notify=notify,
        )

    def check(self) -> None:
        """Do nothing: the engines of these runs are made when they begin."""

    def plans(self) -> list[Plan]:
        """Plan each run and lock its folder; raises ``LabError``."""
        from core.training.run_plan import plan_resumed

        return plan_all(plan_resumed(Path(path), self.iterations, self.pace) for path in self.paths)


Runs = TrainRequest | ResumeRequest


class AddRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Train one more run next to the run ``beside`` of a session.

    It begins at the pace of that run and is saved as often, and its folder is in the same one,
    named after its algorithm and ``name``, by default the time.
    """

    config: dict[str, Any]
    beside: str
    name: str = ""

    def plan(self, beside: Plan) -> Plan:
        """Plan the run in a new folder; raises ``LabError``."""
        from core.training.memory import require_memory
        from core.training.run_plan import plan_new

        config = RunConfig.from_dict(self.config)
        _require_engines([config])
        require_memory([config])
        out = beside.folder.path.parent
        return plan_new(config, out, self.name or None, beside.pace, beside.saving)


def require_room(runs: int, advice: str) -> None:
    """Raise ``SessionError`` for more ``runs`` than a session can have."""
    if runs > MOST_AT_ONCE:
        raise SessionError(f"{runs:,} runs are more than the {MOST_AT_ONCE} of a session", advice)


def plan_all(planned: Iterable[Plan]) -> list[Plan]:
    """Make all plans; if one is not possible, the others are undone.

    Folders that they have created are removed, and no folder stays locked.
    """
    plans: list[Plan] = []
    try:
        for plan in planned:
            plans.append(plan)
    except BaseException:
        undo(plans)
        raise
    return plans


def undo(plans: Iterable[Plan]) -> None:
    """Remove the folders that the plans of new runs have created, and unlock all others."""
    for plan in plans:
        plan.folder.discard()
        plan.folder.release()


def _require_engines(configs: Iterable[RunConfig]) -> None:
    """Raise ``EngineError`` for an engine or device that is not available.

    Those that every machine has are not tried: that would import PyTorch before the first frame.
    """
    for config in configs:
        if config.engine == "fused" or config.device not in ("auto", "cpu"):
            make_engine(config)


def _absolute_text(path: Path) -> str:
    """Return ``path`` as absolute text; raises ``RunFolderError`` if it is not valid UTF-8."""
    absolute = path.absolute()
    if not is_text(absolute):
        raise RunFolderError(absolute, "name is not valid UTF-8", "rename it")
    return str(absolute)
