"""Which checkpoint of a run it goes on from: the newest that is whole and was not replaced."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.config import RunConfig
from core.engines.base import untrained
from core.errors import CheckpointError
from core.events import AnyEvent, RolledBack, Saved
from core.storage.checkpoint import Checkpoint, load_checkpoint
from core.storage.checkpoint_metadata import checkpoint_names


def latest_checkpoint(
    folder: Path, history: Sequence[AnyEvent], config: dict[str, Any]
) -> tuple[Checkpoint, Path, tuple[str, ...]]:
    """The newest good checkpoint in ``folder``, its path, and a line for each one passed over.

    Where none was ever saved it is the beginning of the run that ``config`` describes. ``history``
    is what stands of the log: where the run was taken back, a later checkpoint is of the part that
    was replaced, and what the log has after it would be missing. Raises ``CheckpointError`` where
    none can be read, ``ConfigError`` and ``UnknownSettingError``.
    """
    rewound = min((one.iteration for one in history if isinstance(one, RolledBack)), default=None)
    written = {Path(one.path).name for one in history if isinstance(one, Saved)}
    passed: list[str] = []
    for name in reversed(_checkpoints(folder)):
        path = folder / name
        if rewound is not None and int(path.stem) > rewound and name not in written:
            continue
        try:
            return load_checkpoint(path), path, tuple(passed)
        except CheckpointError as error:
            passed.append(f"skipping {error.path}: {error.problem}")
    if not passed:
        return _beginning(RunConfig.from_dict(config)), folder / "run.json", ()
    raise CheckpointError(folder, f"no readable checkpoint; {passed[0]}", "choose another run")


def _beginning(config: RunConfig) -> Checkpoint:
    return Checkpoint(config, untrained(config), config.iterations, 0.0, ())


def _checkpoints(folder: Path) -> list[str]:
    try:
        return checkpoint_names(os.listdir(folder))
    except OSError as error:
        raise CheckpointError(folder, f"cannot be read ({error.strerror})") from error
