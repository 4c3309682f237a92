"""What is to be launched, as plain values that another process can be handed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.config import CheckpointSettings, RunConfig
from core.engines import make_engine
from core.errors import LabError, RunFolderError
from core.storage.io import is_text
from core.training.run_plan import Plan, plan_new, plan_resumed, run_folder
from core.validation import decode


class TrainRequest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Runs from scratch, a configuration each, in new folders under ``out``."""

    configs: list[dict[str, Any]]
    out: str
    name: str | None = None
    pace: float | None = None
    saving: dict[str, Any] = {}

    @classmethod
    def of(
        cls,
        configs: Iterable[RunConfig],
        saving: CheckpointSettings,
        *,
        out: Path,
        name: str | None,
        pace: float | None,
    ) -> TrainRequest:
        """``out`` is text, and of the same working folder as the process that trains."""
        return cls(
            configs=[config.to_dict() for config in configs],
            out=str(out),
            name=name,
            pace=pace,
            saving=msgspec.to_builtins(saving),
        )

    def require(self) -> None:
        """Raise ``EngineError`` for what is asked for and is not there, before a folder is made.

        What every machine has is not tried: it would import PyTorch before the first frame.
        """
        for config in map(RunConfig.from_dict, self.configs):
            if config.engine == "fused" or config.device not in ("auto", "cpu"):
                make_engine(config)

    def plans(self) -> list[Plan]:
        """A plan for each run; where one is not possible, no folder is left of the others.

        Raises ``LabError``.
        """
        saving = decode(CheckpointSettings, self.saving, "saving")
        plans: list[Plan] = []
        try:
            for config in map(RunConfig.from_dict, self.configs):
                plans.append(plan_new(config, Path(self.out), self.name, self.pace, saving))
        except BaseException:
            for plan in plans:
                plan.folder.discard()
            raise
        return plans


class ResumeRequest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Runs that go on: run folders, or checkpoints in them."""

    paths: list[str]
    iterations: int | None = None
    pace: float | None = None

    @classmethod
    def of(
        cls, paths: Sequence[Path], *, iterations: int | None = None, pace: float | None = None
    ) -> ResumeRequest:
        """Raises ``RunFolderError`` for two runs of one name, or one that cannot be told."""
        folders = [run_folder(path) for path in paths]
        names = [folder.name for folder in folders]
        for folder in folders:
            if names.count(folder.name) > 1:
                problem = "two of the runs to resume have this name"
                raise RunFolderError(folder, problem, "resume them one after the other")
        return cls(paths=[_text(path) for path in paths], iterations=iterations, pace=pace)

    def require(self) -> None:
        """Nothing: what these runs need is tried when they begin."""

    def plans(self) -> list[Plan]:
        """A plan for each run, which is locked; none is if one is not possible.

        Raises ``LabError``.
        """
        plans: list[Plan] = []
        try:
            for path in self.paths:
                plans.append(plan_resumed(Path(path), self.iterations, self.pace))
        except LabError:
            for plan in plans:
                plan.folder.release()
            raise
        return plans


Runs = TrainRequest | ResumeRequest


def _text(path: Path) -> str:
    """``path`` as seen from everywhere; raises ``RunFolderError`` if it cannot be told."""
    absolute = path.absolute()
    if not is_text(absolute):
        raise RunFolderError(absolute, "name is not valid UTF-8", "rename it")
    return str(absolute)
