"""Checkpoints: safetensors files that are whole or absent, and that run nothing when opened.

The network's file holds its tensors only, named as ``torch.nn.Sequential`` names them; the rest
is in its metadata, with a digest of all that. Vectors of the outer optimiser go to a second file,
written first, whose digest the network's file names.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from core.algorithms.optimizers import MOMENTS
from core.config import RunConfig
from core.engines.base import TrainState
from core.errors import CheckpointError, LabError
from core.events import SaveKind
from core.models.mlp import MLP
from core.storage.io import write_atomically
from core.storage.reading import NOT_JSON, open_regular
from core.tasks.base import Floats

FORMAT = "tui-meta"
FORMAT_VERSION = 1
DIGEST = "sha256"
"""The key, beside ``FORMAT``, of the digest; files of earlier versions have none."""
LARGEST_HEADER = 2**20
"""Bytes; a header of ours has about ten thousand. Nothing beyond it is read of a file that is
larger than the network it describes."""
MOST_MOMENTS = max(map(len, MOMENTS.values()))


@dataclass(frozen=True)
class Checkpoint:
    """A run at one iteration.

    ``target`` is where it was to end, ``elapsed`` its training time in seconds, and
    ``recent_losses`` the training losses that the next ``progress`` event will average. ``kind``
    is why it was saved; ``best`` is the lowest loss of a periodic evaluation so far, met at
    ``best_iteration``.
    """

    config: RunConfig
    state: TrainState
    target: int
    elapsed: float
    recent_losses: tuple[float, ...]
    kind: SaveKind = "hand"
    best: float | None = None
    best_iteration: int | None = None


_Iteration = Annotated[int, msgspec.Meta(le=2**62)]


class _Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata of the network's file, JSON under the key ``tui-meta``."""

    format_version: Annotated[int, msgspec.Meta(ge=1)]
    iteration: _Iteration
    target: _Iteration
    elapsed: Annotated[float, msgspec.Meta(ge=0, le=1e12)]
    recent_losses: Annotated[tuple[float, ...], msgspec.Meta(max_length=1_000)]
    config: dict[str, Any]
    optimizer_sha256: Annotated[str, msgspec.Meta(max_length=64)] | None
    written_by: str = ""
    kind: SaveKind = "hand"
    best: float | None = None
    best_iteration: _Iteration | None = None


def checkpoint_path(folder: Path, iteration: int) -> Path:
    """Where the network of ``iteration`` is saved in a run folder."""
    return folder / f"{iteration:09d}.safetensors"


def optimizer_path(path: Path) -> Path:
    """Where the outer optimiser's vectors belonging to the checkpoint ``path`` are saved."""
    return path.with_name(path.name.replace(".safetensors", ".optimizer.safetensors"))


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write ``checkpoint`` into a run folder and give its path; raises ``OSError``."""
    state = checkpoint.state
    path = checkpoint_path(folder, state.iteration)
    digest = None
    if state.moments:
        moments = save_tensors(dict(state.moments))
        digest = hashlib.sha256(moments).hexdigest()
        write_atomically(optimizer_path(path), moments)
    metadata = _Metadata(
        format_version=FORMAT_VERSION,
        written_by=version("tui-meta"),
        iteration=state.iteration,
        target=checkpoint.target,
        elapsed=checkpoint.elapsed,
        recent_losses=checkpoint.recent_losses,
        config=checkpoint.config.to_dict(),
        optimizer_sha256=digest,
        kind=checkpoint.kind,
        best=checkpoint.best,
        best_iteration=checkpoint.best_iteration,
    )
    tensors = MLP.of(checkpoint.config.network).named(state.theta)
    text = msgspec.json.encode(metadata).decode()
    described = {FORMAT: text, DIGEST: _digest(text, state.theta), "format": "pt"}
    write_atomically(path, save_tensors(tensors, described))
    return path


def load_checkpoint(path: Path) -> Checkpoint:
    """Read and validate the checkpoint at ``path``; raises ``CheckpointError``.

    Memory: a few times what the network takes that the file describes, if the file is that large.
    """
    with _opened(path) as file:
        header = _header(path, file)
        metadata = _metadata(path, header)
        config = _config(path, metadata)
        network = MLP.of(config.network)
        size = network.n_parameters * np.dtype(config.precision).itemsize
        tensors = _tensors(path, _content(path, file, size))
    _require_shapes(path, tensors, network, config.precision)
    theta = network.flat(tensors)
    _require_digest(path, header, theta)
    moments = _moments(path, metadata, theta)
    optimizer = config.algorithm.outer_optimizer
    if set(moments) != set(MOMENTS[optimizer]):
        raise CheckpointError(path, f"its moments are not those of the outer optimizer {optimizer}")
    state = TrainState(metadata.iteration, theta, moments)
    if not state.is_finite():
        raise CheckpointError(path, "its parameters are not finite")
    return Checkpoint(
        config,
        state,
        metadata.target,
        metadata.elapsed,
        metadata.recent_losses,
        metadata.kind,
        metadata.best,
        metadata.best_iteration,
    )


def newest_checkpoint(folder: Path) -> Path:
    """The checkpoint of the highest iteration in a run folder; raises ``CheckpointError``."""
    found = [path for path in folder.glob("*.safetensors") if re.fullmatch("[0-9]+", path.stem)]
    if not found:
        raise CheckpointError(folder, "no checkpoint in this folder")
    return max(found, key=lambda path: int(path.stem))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError as error:
        raise CheckpointError(path, "no such file") from error
    except OSError as error:
        raise CheckpointError(path, f"cannot be read ({error.strerror})") from error


def _header(path: Path, file: BinaryIO) -> object:
    """The JSON at the beginning of ``file``, which says what the file is."""
    prefix = file.read(8)
    if not prefix:
        raise CheckpointError(path, "the file is empty")
    length = int.from_bytes(prefix, "little")
    if length > LARGEST_HEADER:
        raise CheckpointError(path, "not a safetensors file, or damaged")
    try:
        return msgspec.json.decode(file.read(length))
    except NOT_JSON as error:
        raise CheckpointError(path, "not a safetensors file, or damaged") from error


def _content(path: Path, file: BinaryIO, expected: int) -> bytes:
    """All of ``file``, if it has no more bytes of tensors than ``expected``."""
    size = os.fstat(file.fileno()).st_size
    if size > expected + LARGEST_HEADER:
        raise CheckpointError(path, "larger than its network")
    file.seek(0)
    return file.read(size)


def _tensors(path: Path, content: bytes) -> dict[str, Floats]:
    try:
        return load_tensors(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(path, "not a safetensors file, or damaged") from error


def _metadata(path: Path, header: Any) -> _Metadata:
    try:
        described = header["__metadata__"][FORMAT]
    except (KeyError, TypeError) as error:
        raise CheckpointError(path, "not written by tui-meta") from error
    try:
        _require_known_format(path, msgspec.json.decode(described))
        metadata = msgspec.json.decode(described, type=_Metadata)
    except (*NOT_JSON, KeyError, TypeError) as error:
        raise CheckpointError(path, "damaged metadata") from error
    if not 0 <= metadata.iteration <= metadata.target:
        raise CheckpointError(path, f"iteration {metadata.iteration} is not within the run")
    return metadata


def _require_digest(path: Path, header: Any, theta: Floats) -> None:
    described = header["__metadata__"]
    if DIGEST in described and described[DIGEST] != _digest(described[FORMAT], theta):
        raise CheckpointError(path, "damaged: the digest does not match")


def _digest(described: str, theta: Floats) -> str:
    return hashlib.sha256(described.encode() + theta.tobytes()).hexdigest()


def _config(path: Path, metadata: _Metadata) -> RunConfig:
    try:
        return RunConfig.from_dict(metadata.config)
    except LabError as error:
        raise CheckpointError(path, f"invalid configuration: {error}") from error


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


def _require_shapes(path: Path, tensors: dict[str, Floats], network: MLP, precision: str) -> None:
    expected = network.shapes
    for name, shape in expected.items():
        if name not in tensors:
            raise CheckpointError(path, f"tensor {name!r} is missing")
        found = tensors[name]
        if found.shape != shape:
            raise CheckpointError(
                path, f"tensor {name!r} has shape {found.shape}, expected {shape}"
            )
        if found.dtype.name != precision:
            raise CheckpointError(
                path, f"tensor {name!r} has type {found.dtype.name}, expected {precision}"
            )
    surplus = sorted(set(tensors) - set(expected))
    if surplus:
        raise CheckpointError(path, f"tensor {surplus[0][:60]!r} belongs to no layer")


def _moments(path: Path, metadata: _Metadata, theta: Floats) -> dict[str, Floats]:
    if metadata.optimizer_sha256 is None:
        return {}
    beside = optimizer_path(path)
    with _opened(beside) as file:
        content = _content(beside, file, theta.nbytes * MOST_MOMENTS)
    if hashlib.sha256(content).hexdigest() != metadata.optimizer_sha256:
        raise CheckpointError(beside, f"does not belong to {path.name}, or damaged")
    moments = _tensors(beside, content)
    for name, vector in moments.items():
        if vector.shape != theta.shape or not np.issubdtype(vector.dtype, theta.dtype):
            raise CheckpointError(beside, f"vector {name[:60]!r} does not fit the network")
    return moments
