"""What a checkpoint says of itself in its first bytes, without its tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from core.errors import CheckpointError
from core.events import Iteration
from core.storage.checkpoint import FORMAT, LARGEST_HEADER
from core.storage.reading import NOT_JSON, open_regular


class CheckpointMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stood; ``kind`` is why it was saved, and ``best`` the lowest loss until then.

    Checkpoints of earlier versions know neither.
    """

    iteration: Iteration
    target: Iteration
    kind: str = ""
    best: float | None = None
    best_iteration: Iteration | None = None


class _Described(msgspec.Struct):
    metadata: dict[str, str] = msgspec.field(name="__metadata__")


def read_header(path: Path) -> CheckpointMetadata:
    """The header of the checkpoint at ``path``; raises ``CheckpointError``."""
    try:
        with open_regular(path) as file:
            length = int.from_bytes(file.read(8), "little")
            if length > LARGEST_HEADER:
                raise CheckpointError(path, "not a safetensors file, or damaged")
            header = file.read(length)
    except OSError as error:
        raise CheckpointError(path, f"cannot be read ({error.strerror})") from error
    try:
        described = msgspec.json.decode(header, type=_Described).metadata[FORMAT]
        return msgspec.json.decode(described, type=CheckpointMetadata)
    except (*NOT_JSON, KeyError) as error:
        raise CheckpointError(path, "not written by tui-meta, or damaged") from error


def checkpoint_names(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that are checkpoints, the highest iteration last."""
    found = [name for name in names if re.fullmatch(r"[0-9]+\.safetensors", name)]
    return sorted(found, key=lambda name: int(name.partition(".")[0]))
