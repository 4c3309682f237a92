"""Settings of a run by their dotted names, as a person types them."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path

from core.config import CheckpointSettings, RunConfig
from core.errors import LabError, RunFolderError
from core.storage.paths import RECORD
from core.storage.run_folder import RunRecord


def recorded_config(path: Path, record: RunRecord) -> RunConfig:
    """The configuration in the ``run.json`` of the folder ``path``; raises ``RunFolderError``."""
    try:
        return RunConfig.from_dict(record.config)
    except LabError as error:
        problem = f"invalid configuration ({error})"
        raise RunFolderError(path / RECORD, problem, "retrain this run") from error


def default_config(config: RunConfig) -> RunConfig:
    """The defaults of the algorithm of ``config``."""
    return RunConfig(algorithm=type(config.algorithm)())  # type: ignore[call-arg]


def dotted(config: RunConfig, algorithm: str | None = None) -> dict[str, str]:
    """Every setting: ``seed``, ``network.hidden``, ``fomaml.inner_lr``, ready to be shown.

    ``algorithm`` stands in the names instead of the algorithm's own.
    """
    plain = config.to_dict()
    name = plain["algorithm"].pop("name")
    settings = {"algorithm": name}
    for key, value in plain.items():
        if isinstance(value, dict):
            table = algorithm or name if key == "algorithm" else key
            settings |= {f"{table}.{inner}": _shown(one) for inner, one in value.items()}
        else:
            settings[key] = _shown(value)
    return settings


def saving_of(record: RunRecord) -> dict[str, str]:
    """When the run saves itself, as far as it was recorded: that changes nothing learned."""
    return {name: _shown(value) for name, value in record.saving.items()}


def typed(command_line: list[str]) -> str:
    """A command line as it would be typed."""
    return shlex.join(command_line)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


DEFAULT_SAVING = {name: _shown(value) for name, value in asdict(CheckpointSettings()).items()}
