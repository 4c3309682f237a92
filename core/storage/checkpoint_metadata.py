"""The header of a checkpoint: its metadata, read without the tensors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec

from core.errors import CheckpointError
from core.events import SaveKind
from core.storage.io import NOT_JSON, open_regular
from core.storage.paths import optimizer_path

FORMAT = "tui-meta"
"""The key of the metadata, which are JSON."""
FORMAT_VERSION = 1
DIGEST = "sha256"
"""The key, beside ``FORMAT``, of the digest; files of earlier versions have none."""
LARGEST_HEADER = 2**20
"""Bytes; a header written here has about ten thousand."""

_DAMAGED = "not a safetensors file, or damaged"


_Iteration = Annotated[int, msgspec.Meta(le=2**62)]


class CheckpointMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A run's settings and progress when it was saved.

    ``kind`` is the reason for the save, None in files of earlier versions; ``best`` is the lowest
    loss of a periodic evaluation until then.
    """

    format_version: Annotated[int, msgspec.Meta(ge=1)]
    iteration: _Iteration
    target: _Iteration
    elapsed: Annotated[float, msgspec.Meta(ge=0, le=1e12)]
    recent_losses: Annotated[tuple[float, ...], msgspec.Meta(max_length=1_000)]
    config: dict[str, Any]
    optimizer_sha256: Annotated[str, msgspec.Meta(max_length=64)] | None
    written_by: str = ""
    kind: SaveKind | None = None
    best: float | None = None
    best_iteration: _Iteration | None = None


@dataclass(frozen=True)
class CheckpointHeader:
    """The header of a checkpoint: ``text`` is the metadata as written, for its ``digest``."""

    metadata: CheckpointMetadata
    text: str
    digest: str | None
    size: int
    """Bytes of the whole file according to the header."""


@contextmanager
def open_checkpoint(path: Path) -> Iterator[BinaryIO]:
    """Open a file of a checkpoint; raises ``CheckpointError``, also for errors while reading."""
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError as error:
        raise CheckpointError(path, "no such file") from error
    except OSError as error:
        raise CheckpointError(path, f"cannot be read ({error.strerror})") from error


def read_metadata(path: Path) -> CheckpointMetadata:
    """Read the metadata of the checkpoint at ``path``; raises ``CheckpointError``.

    Also raised if one of its two files is missing or truncated; the tensors are not checked.
    """
    with open_checkpoint(path) as file:
        header = read_header(path, file)
        if os.fstat(file.fileno()).st_size < header.size:
            raise CheckpointError(path, _DAMAGED)
    if header.metadata.optimizer_sha256 is not None:
        with open_checkpoint(optimizer_path(path)):
            pass
    return header.metadata


def read_header(path: Path, file: BinaryIO) -> CheckpointHeader:
    """Read the header of ``file``, opened from ``path``; raises ``CheckpointError``."""
    prefix = file.read(8)
    if not prefix:
        raise CheckpointError(path, "the file is empty")
    length = int.from_bytes(prefix, "little")
    if length > LARGEST_HEADER:
        raise CheckpointError(path, _DAMAGED)
    try:
        header: Any = msgspec.json.decode(file.read(length))
    except NOT_JSON as error:
        raise CheckpointError(path, _DAMAGED) from error
    try:
        described = header["__metadata__"]
        text = described[FORMAT]
    except (KeyError, TypeError) as error:
        raise CheckpointError(path, "not written by tui-meta") from error
    return CheckpointHeader(
        _metadata(path, text), text, described.get(DIGEST), 8 + length + _tensor_bytes(path, header)
    )


def _metadata(path: Path, text: Any) -> CheckpointMetadata:
    try:
        _require_known_format(path, msgspec.json.decode(text))
        metadata = msgspec.json.decode(text, type=CheckpointMetadata)
    except (*NOT_JSON, KeyError, TypeError) as error:
        raise CheckpointError(path, "damaged metadata") from error
    if not 0 <= metadata.iteration <= metadata.target:
        raise CheckpointError(path, f"iteration {metadata.iteration} is not within the run")
    return metadata


def _require_known_format(path: Path, described: Any) -> None:
    number = described["format_version"]
    if not isinstance(number, int) or number <= FORMAT_VERSION:
        return
    writer = str(described.get("written_by", ""))
    needed = f"tui-meta {writer}" if re.fullmatch(r"[0-9][0-9a-z.+]{0,30}", writer) else ""
    raise CheckpointError(
        path,
        f"format {str(number)[:20]}; this version reads up to {FORMAT_VERSION}",
        f"install {needed or 'a newer tui-meta'}",
    )


def _tensor_bytes(path: Path, header: dict[str, Any]) -> int:
    try:
        return max(
            (int(header[name]["data_offsets"][1]) for name in header if name != "__metadata__"),
            default=0,
        )
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(path, _DAMAGED) from error
