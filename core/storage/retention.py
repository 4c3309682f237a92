"""Which checkpoints of a run are kept: always those that a person saved or that ended a sitting."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from core.errors import CheckpointError
from core.events import SaveKind
from core.storage.checkpoint_metadata import checkpoint_names, read_header

_STRENGTH: tuple[SaveKind, ...] = ("auto", "best", "final", "hand")


class Purpose(NamedTuple):
    """Why a checkpoint is there, and the lowest loss of a periodic evaluation until then."""

    kind: SaveKind
    best: float | None


def purposes(folder: Path) -> dict[int, Purpose]:
    """Why each checkpoint in ``folder`` is there, by iteration; raises ``OSError``.

    One that does not say so, as those of earlier versions, counts as saved by hand.
    """
    found = {}
    for name in checkpoint_names(os.listdir(folder)):
        try:
            header = read_header(folder / name)
        except CheckpointError:
            continue
        kind: SaveKind = next((kind for kind in _STRENGTH if kind == header.kind), "hand")
        found[header.iteration] = Purpose(kind, header.best)
    return found


def stronger(one: SaveKind, other: SaveKind) -> SaveKind:
    """The one of two reasons that keeps a checkpoint longer."""
    return max(one, other, key=_STRENGTH.index)


def superfluous(found: Mapping[int, Purpose], keep: int) -> list[int]:
    """Iterations of the autosaves before the newest ``keep``, and of the bests that were beaten."""
    autos = sorted(iteration for iteration, (kind, _) in found.items() if kind == "auto")
    bests = sorted(
        (best, iteration)
        for iteration, (kind, best) in found.items()
        if kind == "best" and best is not None
    )
    return autos[:-keep] + [iteration for _, iteration in bests[1:]]
