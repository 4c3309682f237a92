"""Checkpoints: safetensors files that are written atomically and execute no code when opened.

The network's file holds its tensors, named as in ``torch.nn.Sequential``, and metadata with a
digest of both. Vectors of the outer optimizer are in a second file, which is written first and
whose digest is part of the metadata.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from core.algorithms.optimizers import MOMENTS
from core.config import RunConfig
from core.engines.base import MetaParameters, TrainState
from core.errors import CheckpointError, LabError, UnregisteredCheckpointError, UnregisteredError
from core.events import SaveKind, Validation
from core.storage.io import NOT_JSON, open_regular, write_atomically
from core.storage.paths import checkpoint_path, optimizer_path
from core.tasks.base import Floats
from core.version import VERSION

FORMAT = "tui-meta"
"""The key of the metadata, which are JSON."""
FORMAT_VERSION = 1
DIGEST = "sha256"
"""The key, beside ``FORMAT``, of the digest; files of earlier versions have none."""
LARGEST_HEADER = 2**20
"""Bytes; a header written here has about ten thousand."""
LARGEST_CHECKED = 2**22
"""Bytes of a checkpoint that is checked as a whole in every list: a million parameters, 3 ms."""
SETTLED = 2.0
"""Seconds after a change from which the times of a file reveal the next: of file systems, FAT has
the longest interval.
"""

_DAMAGED = "not a safetensors file, or damaged"
_Iteration = Annotated[int, msgspec.Meta(le=2**62)]


class CheckpointMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A run's settings and progress when it was saved.

    ``kind`` is the reason for the save, None in files of earlier versions; ``best_validation`` is
    the validation with the lowest mean until then. Version 0.1 wrote as ``best`` the lowest loss on
    one of several random tasks, which is not read: the tasks differed.
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
    best_validation: Validation | None = None


@dataclass(frozen=True)
class _Header:
    """The header of a checkpoint: ``text`` is the metadata as written, for its ``digest``."""

    metadata: CheckpointMetadata
    text: str
    digest: str | None
    size: int
    """Bytes of the whole file according to the header."""


@dataclass(frozen=True)
class Checkpoint:
    """A run at one iteration.

    ``target`` is the iteration at which training ends, ``elapsed`` the training time in seconds,
    and ``recent_losses`` are the losses since the last ``progress`` event. ``kind`` is the reason
    for the save; ``best`` is the validation with the lowest mean so far.
    """

    config: RunConfig
    state: TrainState
    target: int
    elapsed: float
    recent_losses: tuple[float, ...]
    kind: SaveKind = "hand"
    best: Validation | None = None


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, durable: bool = True) -> Path:
    """Write ``checkpoint`` into a run folder and return its path; raises ``OSError``.

    One that is not ``durable`` may be lost if the machine, not just the process, ends soon after.
    """
    state = checkpoint.state
    path = checkpoint_path(folder, state.iteration)
    digest = None
    if state.moments:
        moments = save_tensors(dict(state.moments))
        digest = hashlib.sha256(moments).hexdigest()
        write_atomically(optimizer_path(path), moments, durable=durable)
    metadata = CheckpointMetadata(
        format_version=FORMAT_VERSION,
        written_by=VERSION,
        iteration=state.iteration,
        target=checkpoint.target,
        elapsed=checkpoint.elapsed,
        recent_losses=checkpoint.recent_losses,
        config=checkpoint.config.to_dict(),
        optimizer_sha256=digest,
        kind=checkpoint.kind,
        best_validation=checkpoint.best,
    )
    tensors = MetaParameters.of(checkpoint.config).named(state.theta)
    text = msgspec.json.encode(metadata).decode()
    described = {FORMAT: text, DIGEST: _digest(text, state.theta), "format": "pt"}
    write_atomically(path, save_tensors(tensors, described), durable=durable)
    return path


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read and validate the checkpoint at ``path``; raises ``CheckpointError``.

    Also raises ``EngineError`` where a model of the user's own cannot be made. Memory: a few times
    the size of the network that the file describes, and of the file at most.
    """
    path = Path(path)
    with _opened(path) as file:
        header = _read_header(path, file)
        metadata = header.metadata
        config = _config(path, metadata)
        parameters = _parameters(path, config)
        size = parameters.size * np.dtype(config.precision).itemsize
        tensors = _tensors(path, _content(path, file, size))
    _require_shapes(path, tensors, parameters.shapes, config.precision)
    theta = parameters.flat(tensors)
    if header.digest is not None and header.digest != _digest(header.text, theta):
        raise CheckpointError(path, "damaged: the digest does not match")
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
        metadata.kind or "hand",
        metadata.best_validation,
    )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file of a checkpoint; raises ``CheckpointError``, also for errors while reading."""
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError as error:
        named = path.suffix == ".safetensors"
        problem = "no such file" if named else "no such run folder or checkpoint"
        raise CheckpointError(path, problem) from error
    except OSError as error:
        raise CheckpointError(path, f"cannot be read ({error.strerror})") from error


def read_metadata(path: Path) -> CheckpointMetadata:
    """Read the metadata of the checkpoint at ``path``; raises ``CheckpointError``.

    Also raised if one of its two files is missing or truncated, and if a digest does not match in
    a small file of a built-in network.
    """
    with _opened(path) as file:
        header = _read_header(path, file)
        size = os.fstat(file.fileno()).st_size
    if size < header.size:
        raise CheckpointError(path, _DAMAGED)
    if _is_checked_in_lists(header, size):
        with suppress(
            UnregisteredCheckpointError
        ):  # the order of the tensors is not known without it
            load_checkpoint(path)
    elif header.metadata.optimizer_sha256 is not None:
        with _opened(optimizer_path(path)):
            pass
    return header.metadata


def _is_checked_in_lists(header: _Header, size: int) -> bool:
    """Return True if to check a digest takes no seconds, and does not import PyTorch."""
    is_small = header.digest is not None and size <= LARGEST_CHECKED
    return is_small and not header.metadata.config.get("model")


def listed_metadata(path: Path) -> CheckpointMetadata:
    """Read the metadata as `read_metadata`, for lists: no file that is unchanged is read again."""
    files = [_file_state(file) for file in (path, optimizer_path(path))]
    changed = max((moment for state in files for moment in state[:2]), default=0)
    if changed / 1e9 > time.time() - SETTLED:
        return read_metadata(path)
    return _unchanged_metadata(path, *files)


def _file_state(path: Path) -> tuple[int, ...]:
    """Return what differs once a file has changed, its times first; nothing without a file."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev


@lru_cache(maxsize=1024)
def _unchanged_metadata(path: Path, *_: tuple[int, ...]) -> CheckpointMetadata:
    return read_metadata(path)


def _read_header(path: Path, file: BinaryIO) -> _Header:
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
    return _Header(
        _metadata(path, text), text, described.get(DIGEST), 8 + length + _tensor_bytes(path, header)
    )


def _content(path: Path, file: BinaryIO, expected: int) -> bytes:
    """Read all of ``file``, unless it has more bytes of tensors than ``expected``."""
    size = os.fstat(file.fileno()).st_size
    if size > expected + LARGEST_HEADER:
        raise CheckpointError(path, "larger than its network")
    file.seek(0)
    return file.read(size)


def _tensors(path: Path, content: bytes) -> dict[str, Floats]:
    try:
        return load_tensors(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(path, _DAMAGED) from error


def _digest(text: str, theta: Floats) -> str:
    return hashlib.sha256(text.encode() + theta.tobytes()).hexdigest()


def _config(path: Path, metadata: CheckpointMetadata) -> RunConfig:
    try:
        return RunConfig.from_dict(metadata.config)
    except UnregisteredError as error:
        raise UnregisteredCheckpointError(path, error.statement) from error
    except LabError as error:
        raise CheckpointError(path, f"invalid configuration: {error}") from error


def _parameters(path: Path, config: RunConfig) -> MetaParameters:
    try:
        return MetaParameters.of(config)
    except UnregisteredError as error:
        raise UnregisteredCheckpointError(path, error.statement) from error


def _require_shapes(
    path: Path,
    tensors: dict[str, Floats],
    expected: Mapping[str, tuple[int, ...]],
    precision: str,
) -> None:
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


def _moments(path: Path, metadata: CheckpointMetadata, theta: Floats) -> dict[str, Floats]:
    if metadata.optimizer_sha256 is None:
        return {}
    second = optimizer_path(path)
    with _opened(second) as file:
        content = _content(second, file, theta.nbytes * max(map(len, MOMENTS.values())))
    if hashlib.sha256(content).hexdigest() != metadata.optimizer_sha256:
        raise CheckpointError(second, f"does not belong to {path.name}, or damaged")
    moments = _tensors(second, content)
    for name, vector in moments.items():
        if vector.shape != theta.shape or not np.issubdtype(vector.dtype, theta.dtype):
            raise CheckpointError(second, f"vector {name[:60]!r} does not fit the network")
    return moments


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
        tensors = (header[name] for name in header if name != "__metadata__")
        return max((int(tensor["data_offsets"][1]) for tensor in tensors), default=0)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(path, _DAMAGED) from error
