"""Settings of a run by their dotted names, as users type them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from core.config import CheckpointSettings, RunConfig
from core.errors import LabError, RunFolderError
from core.storage.paths import RECORD
from core.storage.run_folder import RunRecord


def recorded_config(path: Path, record: RunRecord) -> RunConfig:
    """Return the configuration of the run folder ``path``; raises ``RunFolderError``."""
    try:
        return RunConfig.from_dict(record.config)
    except LabError as error:
        problem = f"invalid configuration ({error})"
        raise RunFolderError(path / RECORD, problem, "retrain this run") from error


def dotted(config: RunConfig, algorithm: str | None = None) -> dict[str, str]:
    """Return every setting by name: ``seed``, ``network.hidden``, ``fomaml.inner_lr``.

    ``algorithm`` replaces the algorithm's own name in the keys.
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
    """Return the recorded autosave settings."""
    return {name: _shown(value) for name, value in record.saving.items()}


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


DEFAULT_SAVING = {name: _shown(value) for name, value in asdict(CheckpointSettings()).items()}
