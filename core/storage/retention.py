"""The rules by which checkpoints of a run are kept or deleted.

Those that the user saved, that a run saved when it ended, or that are part of its history, are
always kept.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from core.errors import CheckpointError
from core.events import SaveKind, Validation
from core.storage.checkpoint import read_metadata
from core.storage.latest_checkpoint import CurrentBranch
from core.storage.paths import checkpoint_names

_PRIORITY: tuple[SaveKind, ...] = ("auto", "best", "history", "final", "hand")


class StoredCheckpoint(NamedTuple):
    """A checkpoint on disk: the reason for it, and the lowest mean of a validation until then.

    ``discarded`` ones belong to a branch that the run has left.
    """

    kind: SaveKind
    best: float | None
    discarded: bool = False


def stored_checkpoints(folder: Path, resumed_at: int) -> dict[int, StoredCheckpoint]:
    """Return the readable checkpoints by iteration, for a run that continues at ``resumed_at``.

    Those of earlier versions, which give no reason, count as saved by the user. Raises
    ``OSError`` and ``RunFolderError``.
    """
    branch, stored = CurrentBranch(folder), {}
    for name in checkpoint_names(os.listdir(folder)):
        try:
            metadata = read_metadata(folder / name)
        except CheckpointError:
            continue
        later = metadata.iteration > resumed_at
        discarded = later or (metadata.iteration < resumed_at and not branch.contains(name))
        kind = metadata.kind or "hand"
        best = mean_of(metadata.best_validation)
        stored[metadata.iteration] = StoredCheckpoint(kind, best, discarded)
    return stored


def mean_of(best: Validation | None) -> float | None:
    """Return the mean of the best validation; None where there is none."""
    return best.mean if best else None


def longest_kept(*kinds: SaveKind) -> SaveKind:
    """Return the reason that keeps a checkpoint longest."""
    return max(kinds, key=_PRIORITY.index)


def to_prune(stored: Mapping[int, StoredCheckpoint], keep: int) -> list[int]:
    """Return the iterations of all autosaves but ``keep``, and of all "best" ones but the best.

    Of the current branch the newest autosaves are kept, and its newest checkpoint whatever it is;
    discarded checkpoints go first.
    """
    newest = max((iteration for iteration, one in stored.items() if not one.discarded), default=-1)
    autosaves = sorted(
        (not one.discarded, iteration) for iteration, one in stored.items() if one.kind == "auto"
    )
    bests = sorted(
        (one.discarded, one.best, iteration)
        for iteration, one in stored.items()
        if one.kind == "best" and one.best is not None
    )
    superseded = [iteration for _, iteration in autosaves[:-keep]] + [one[-1] for one in bests[1:]]
    return [iteration for iteration in superseded if iteration != newest]
