"""The metadata of a checkpoint are read and validated; its tensors, where they are few."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines.base import TrainState
from core.errors import CheckpointError
from core.events import Validation
from core.models.mlp import MLP
from core.storage import checkpoint
from core.storage.checkpoint import (
    LARGEST_HEADER,
    Checkpoint,
    listed_metadata,
    load_checkpoint,
    read_metadata,
    save_checkpoint,
)
from core.storage.paths import checkpoint_names, optimizer_path
from tests.support.run_folders import make_checkpoint


def test_iteration_and_target_are_read(tmp_path: Path) -> None:
    metadata = read_metadata(saved(tmp_path))
    assert (metadata.iteration, metadata.target) == (7, 90)


def test_kind_and_best_validation_are_read(tmp_path: Path) -> None:
    best = Validation(5, 0.25, 0.2, 0.3)
    described = {"kind": "hand", "best_validation": msgspec.to_builtins(best)}
    metadata = read_metadata(make_checkpoint(tmp_path, 7, described))
    assert (metadata.kind, metadata.best_validation) == ("hand", best)


def test_a_saved_best_validation_is_read_again(tmp_path: Path) -> None:
    config = RunConfig(algorithm=Fomaml())
    state = TrainState(7, MLP.of(config.network).initial(0), {})
    best = Validation(5, 0.1 + 0.2, 0.2, 0.4)
    path = save_checkpoint(tmp_path, Checkpoint(config, state, 90, 1.0, (), "best", best))
    assert read_metadata(path).best_validation == load_checkpoint(path).best == best


def test_the_best_loss_of_the_first_version_is_not_that_of_validations(tmp_path: Path) -> None:
    """Its tasks differed from one evaluation to the next."""
    metadata = read_metadata(make_checkpoint(tmp_path, 7, {"best": 0.25, "best_iteration": 5}))
    assert metadata.best_validation is None


def saved(folder: Path) -> Path:
    config = RunConfig(algorithm=Fomaml())
    state = TrainState(7, MLP.of(config.network).initial(0), {})
    return save_checkpoint(folder, Checkpoint(config, state, 90, 1.0, ()))


@pytest.mark.parametrize("largest", [2**22, 100])
def test_a_flipped_bit_is_found_unless_the_network_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    monkeypatch.setattr(checkpoint, "LARGEST_CHECKED", largest)
    path = saved(tmp_path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    if largest == 100:
        assert read_metadata(path).iteration == 7
    else:
        with pytest.raises(CheckpointError, match="damaged: the digest does not match"):
            read_metadata(path)


def test_tensors_without_a_digest_are_not_read(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path, 7)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    path.write_bytes(content[:header] + b"x" * (len(content) - header))
    assert read_metadata(path).iteration == 7


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path, 7)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="not a safetensors file, or damaged"):
        read_metadata(path)


def test_a_missing_optimizer_file_is_an_error(tmp_path: Path) -> None:
    path = make_checkpoint(tmp_path, 7, {"optimizer_sha256": "0" * 64})
    with pytest.raises(CheckpointError, match=r"optimizer\.safetensors: no such file"):
        read_metadata(path)
    optimizer_path(path).touch()
    assert read_metadata(path).iteration == 7


def test_a_checkpoint_of_the_first_version_has_no_kind(tmp_path: Path) -> None:
    assert read_metadata(make_checkpoint(tmp_path, 7)).kind is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"iteration": -1},
        {"iteration": 10**30},
        {"target": "far"},
        {"best_validation": []},
        {"best_validation": {"iteration": -1, "mean": 1.0, "low": 1.0, "high": 1.0}},
        {"kind": 3},
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, metadata: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=r"damaged metadata|is not within the run"):
        read_metadata(make_checkpoint(tmp_path, 7, metadata))


def test_a_huge_declared_header_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "000000001.safetensors"
    path.write_bytes((LARGEST_HEADER + 1).to_bytes(8, "little") + b"{}")
    with pytest.raises(CheckpointError, match="not a safetensors file, or damaged"):
        read_metadata(path)


@given(st.binary(max_size=60))
def test_any_other_file_is_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, rest: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    for content in (rest, len(rest).to_bytes(8, "little") + rest):
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            read_metadata(path)


def test_json_nested_too_deep_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for deep in (b"[" * 100_000, b'{"a":' * 100_000):
        path.write_bytes(len(deep).to_bytes(8, "little") + deep)
        with pytest.raises(CheckpointError):
            read_metadata(path)
    described = json.dumps({"__metadata__": {"tui-meta": '{"a":' * 100_000}}).encode()
    path.write_bytes(len(described).to_bytes(8, "little") + described)
    with pytest.raises(CheckpointError):
        read_metadata(path)


def test_a_file_that_was_deleted_since_it_was_found_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        listed_metadata(tmp_path / "000000007.safetensors")


def test_checkpoint_names_are_selected_and_ordered_by_iteration() -> None:
    names = ["run.json", "10.safetensors", "000000009.safetensors", "9.optimizer.safetensors"]
    assert checkpoint_names(names) == ["000000009.safetensors", "10.safetensors"]
