"""Checkpoints: safetensors files that are whole or absent, and that run nothing when opened.

The network's file holds its tensors only, named as ``torch.nn.Sequential`` names them; the rest
is in its metadata. Vectors of the outer optimiser go to a second file, written first, whose
digest the network's file names.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from core.config import RunConfig
from core.engines.base import TrainState
from core.errors import CheckpointError, LabError
from core.files import write_atomically
from core.network import MLP
from core.outer import MOMENTS
from core.tasks import Floats

FORMAT = "tui-meta"
FORMAT_VERSION = 1
LARGEST_FILE = 8 * 2**30
"""Bytes; more than any network this program can be configured to train."""


@dataclass(frozen=True)
class Checkpoint:
    """A run at one iteration.

    ``target`` is where it was to end, ``elapsed`` its training time in seconds, and
    ``recent_losses`` the training losses that the next ``progress`` event will average.
    """

    config: RunConfig
    state: TrainState
    target: int
    elapsed: float
    recent_losses: tuple[float, ...]


class _Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata of the network's file, JSON under the key ``tui-meta``."""

    format_version: int
    iteration: int
    target: int
    elapsed: float
    recent_losses: tuple[float, ...]
    config: dict[str, Any]
    optimizer_sha256: str | None


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
        iteration=state.iteration,
        target=checkpoint.target,
        elapsed=checkpoint.elapsed,
        recent_losses=checkpoint.recent_losses,
        config=checkpoint.config.to_dict(),
        optimizer_sha256=digest,
    )
    tensors = MLP.of(checkpoint.config.network).named(state.theta)
    described = {FORMAT: msgspec.json.encode(metadata).decode(), "format": "pt"}
    write_atomically(path, save_tensors(tensors, described))
    return path


def load_checkpoint(path: Path) -> Checkpoint:
    """Read and validate the checkpoint at ``path``; raises ``CheckpointError``."""
    content = _read(path)
    tensors = _tensors(path, content)
    metadata = _metadata(path, content)
    try:
        config = RunConfig.from_dict(metadata.config)
    except LabError as error:
        raise CheckpointError(path, f"its configuration is not valid: {error}") from error
    network = MLP.of(config.network)
    _require_shapes(path, tensors, network, config.precision)
    theta = network.flat(tensors)
    moments = _moments(path, metadata, theta)
    optimizer = config.algorithm.outer_optimizer
    if set(moments) != set(MOMENTS[optimizer]):
        raise CheckpointError(path, f"its vectors are not those of the outer optimiser {optimizer}")
    return Checkpoint(
        config,
        TrainState(metadata.iteration, theta, moments),
        metadata.target,
        metadata.elapsed,
        metadata.recent_losses,
    )


def newest_checkpoint(folder: Path) -> Path:
    """The checkpoint of the highest iteration in a run folder; raises ``CheckpointError``."""
    found = [path for path in folder.glob("*.safetensors") if re.fullmatch("[0-9]+", path.stem)]
    if not found:
        raise CheckpointError(folder, "there is no checkpoint in this folder")
    return max(found, key=lambda path: int(path.stem))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CheckpointError(path, f"it is larger than {LARGEST_FILE // 2**30} GiB")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError(path, "there is no such file") from error
    except OSError as error:
        raise CheckpointError(path, f"it cannot be read ({error.strerror})") from error
    if not content:
        raise CheckpointError(path, "the file is empty")
    return content


def _tensors(path: Path, content: bytes) -> dict[str, Floats]:
    try:
        return load_tensors(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(path, "it is no safetensors file, or damaged") from error


def _metadata(path: Path, content: bytes) -> _Metadata:
    length = int.from_bytes(content[:8], "little")
    try:
        header = msgspec.json.decode(content[8 : 8 + length])
        described = header["__metadata__"][FORMAT]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise CheckpointError(path, "it was not written by tui-meta") from error
    try:
        version = msgspec.json.decode(described)["format_version"]
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise CheckpointError(
                path,
                f"it has format {version}, this program reads up to {FORMAT_VERSION}",
                "install a newer tui-meta",
            )
        metadata = msgspec.json.decode(described, type=_Metadata)
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(path, "its metadata is damaged") from error
    if not 0 <= metadata.iteration <= metadata.target:
        raise CheckpointError(path, f"its iteration {metadata.iteration} is not within the run")
    return metadata


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
    content = _read(beside)
    if hashlib.sha256(content).hexdigest() != metadata.optimizer_sha256:
        raise CheckpointError(beside, f"it does not belong to {path.name}, or is damaged")
    moments = _tensors(beside, content)
    for name, vector in moments.items():
        if vector.shape != theta.shape or not np.issubdtype(vector.dtype, theta.dtype):
            raise CheckpointError(beside, f"vector {name[:60]!r} does not fit the network")
    return moments
