"""A checkpoint from a stranger is sound or refused in a line, and that is all it does."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines.base import TrainState
from core.errors import CheckpointError
from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from core.storage.checkpoint import (
    DIGEST,
    Checkpoint,
    load_checkpoint,
    read_metadata,
    save_checkpoint,
)
from core.storage.paths import optimizer_path
from tests.support.hostile.damage import HOSTILE_TEXT, altered, as_json, damaged
from tests.support.hostile.guards import confined, frugal, harmless
from tests.support.soak import soak

TRIED = settings(max_examples=soak(100, 10_000))

MOST_MEMORY = 8 * 2**20
"""Bytes that Python may take for the files here, of some kB: a header may have 1 MiB of JSON."""

MOST_SPACE = 64 * 2**20
"""Bytes of further address space, which safetensors' own code may take too."""


def _sound() -> tuple[bytes, bytes, bytes]:
    config = RunConfig(
        algorithm=Fomaml(outer_optimizer="adam"), network=NetworkConfig(hidden=(5, 3))
    )
    theta = MLP.of(config.network).initial(0)
    state = TrainState(7, theta, {"mean": theta / 2, "variance": theta**2})
    with tempfile.TemporaryDirectory() as folder:
        path = save_checkpoint(Path(folder), Checkpoint(config, state, 50, 1.25, (0.5, 0.25)))
        return path.read_bytes(), optimizer_path(path).read_bytes(), theta.tobytes()


NETWORK, OPTIMIZER, THETA = _sound()
_LENGTH = int.from_bytes(NETWORK[:8], "little")
HEADER: dict[str, Any] = json.loads(NETWORK[8 : 8 + _LENGTH])
DATA = NETWORK[8 + _LENGTH :]
METADATA: dict[str, Any] = json.loads(HEADER["__metadata__"]["tui-meta"])


RunDetails = Callable[[bytes, bytes], Checkpoint | None]


def opening(path: Path) -> tuple[Checkpoint | None, str]:
    """The checkpoint, or the line that it is refused with."""
    try:
        return load_checkpoint(path), ""
    except CheckpointError as error:
        return None, str(error)


@pytest.fixture(scope="module")
def opened() -> Iterator[RunDetails]:
    """Opens a network's and an optimiser's file, and holds the result to what is promised."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "run"
        folder.mkdir()
        path = folder / "000000007.safetensors"

        def open_both(network: bytes, optimizer: bytes) -> Checkpoint | None:
            path.write_bytes(network)
            optimizer_path(path).write_bytes(optimizer)
            with harmless(), frugal(MOST_MEMORY), confined(MOST_SPACE):
                found, message = opening(path)
                with suppress(CheckpointError):
                    read_metadata(path)
            assert len(message.splitlines()) == (0 if found else 1)
            if found:
                assert found.state.is_finite()
                assert found.state.theta.shape == (MLP.of(found.config.network).n_parameters,)
                assert 0 <= found.state.iteration <= found.target
            assert sorted(folder.parent.rglob("*")) == [folder, *sorted(folder.iterdir())]
            assert len(list(folder.iterdir())) == 2
            return found

        yield open_both


def described(metadata: str, tensors: dict[str, Any] | None = None) -> bytes:
    """The sound network's file with other metadata, or other tensors."""
    return save(load(NETWORK) if tensors is None else tensors, {"tui-meta": metadata})


@TRIED
@given(content=damaged(NETWORK))
def test_a_damaged_network_file(opened: RunDetails, content: bytes) -> None:
    found = opened(content, OPTIMIZER)
    if found and f'"{DIGEST}"'.encode() in content:
        assert found.state.theta.tobytes() == THETA


@TRIED
@given(content=damaged(OPTIMIZER))
def test_a_damaged_optimiser_file(opened: RunDetails, content: bytes) -> None:
    opened(NETWORK, content)


@TRIED
@given(content=st.binary(max_size=400))
def test_any_bytes(opened: RunDetails, content: bytes) -> None:
    opened(content, content)


@TRIED
@given(metadata=altered(METADATA))
def test_altered_metadata(opened: RunDetails, metadata: Any) -> None:
    opened(described(as_json(metadata)), OPTIMIZER)


@TRIED
@given(metadata=damaged(as_json(METADATA).encode()))
def test_damaged_metadata(opened: RunDetails, metadata: bytes) -> None:
    opened(described(metadata.decode(errors="replace")), OPTIMIZER)


@TRIED
@given(header=altered(HEADER), optimizer=st.booleans())
def test_an_altered_header(opened: RunDetails, header: Any, optimizer: bool) -> None:
    """Types, shapes and places of tensors are not what they should be, or declared huge."""
    encoded = as_json(header).encode()
    content = len(encoded).to_bytes(8, "little") + encoded + DATA
    opened(*((NETWORK, content) if optimizer else (content, OPTIMIZER)))


@TRIED
@given(
    length=st.integers(0, 2**64 - 1),
    dims=st.lists(st.integers(0, 2**63), max_size=4),
    end=st.integers(0, 2**63),
)
def test_sizes_declared_huge(opened: RunDetails, length: int, dims: list[int], end: int) -> None:
    header = {**HEADER, "0.bias": {"dtype": "F32", "shape": dims, "data_offsets": [0, end]}}
    encoded = json.dumps(header).encode()
    opened(len(encoded).to_bytes(8, "little") + encoded + DATA, OPTIMIZER)
    opened(length.to_bytes(8, "little") + encoded + DATA, OPTIMIZER)


@TRIED
@given(
    hidden=st.lists(st.integers(1, 16_384), min_size=1, max_size=64),
    precision=st.sampled_from(["float32", "float64"]),
    algorithm=st.sampled_from(["fomaml", "metasgd"]),
)
def test_a_network_declared_huge(
    opened: RunDetails, hidden: list[int], precision: str, algorithm: str
) -> None:
    config = {**METADATA["config"], "network": {"hidden": hidden}, "precision": precision}
    config["algorithm"] = {"name": algorithm}
    opened(described(as_json({**METADATA, "config": config})), OPTIMIZER)


_TENSORS = st.builds(
    lambda shape, kind, value: np.full(shape, value).astype(kind),
    st.lists(st.integers(0, 6), max_size=3),
    st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u2", "?"]),
    st.sampled_from([0.0, 1.0, -3.5]),
)


@TRIED
@given(
    put=st.dictionaries(st.sampled_from([*load(NETWORK)]) | HOSTILE_TEXT, _TENSORS, max_size=3),
    taken=st.lists(st.sampled_from([*load(NETWORK)]), max_size=2),
    bad=st.none() | st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_other_tensors(
    opened: RunDetails, put: dict[str, Any], taken: list[str], bad: float | None
) -> None:
    """Of a wrong type or shape, missing, of no layer, or not finite."""
    tensors = {name: tensor for name, tensor in load(NETWORK).items() if name not in taken}
    tensors |= {name.encode(errors="replace").decode(): tensor for name, tensor in put.items()}
    if bad is not None and "0.bias" in tensors and tensors["0.bias"].dtype.kind == "f":
        tensors["0.bias"] = np.full_like(tensors["0.bias"], bad)
    opened(described(as_json(METADATA), tensors), OPTIMIZER)
