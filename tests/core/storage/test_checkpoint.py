"""Checkpoints open in plain PyTorch, are whole or absent, and every other file is refused."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.reptile import Reptile
from core.engines import make_engine
from core.errors import CheckpointError
from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from core.storage.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from core.storage.latest_checkpoint import latest_checkpoint
from core.storage.paths import optimizer_path
from tests.support.checkpoints import NETWORK, assert_refused, rewritten, trained_checkpoint
from tests.support.states import bits
from tests.support.strategies import configs


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A valid checkpoint with an optimiser's file."""
    return save_checkpoint(tmp_path, trained_checkpoint())


@given(data=st.data(), iteration=st.integers(0, 4), elapsed=st.floats(0, 1e9))
def test_a_checkpoint_is_read_back_bit_for_bit(
    engine_name: str, data: st.DataObject, iteration: int, elapsed: float
) -> None:
    config = data.draw(configs(engine_name, data.draw(st.sampled_from(["float32", "float64"]))))
    engine = make_engine(config)
    advance = engine.advance(engine.initial_state(), iteration)
    losses = tuple(advance.losses.tolist())
    saved = Checkpoint(config, advance.state, iteration + 9, elapsed, losses)
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_checkpoint(save_checkpoint(Path(folder), saved))
    assert bits(loaded.state) == bits(saved.state)
    assert loaded.state.theta.dtype == saved.state.theta.dtype
    assert (loaded.config, loaded.target, loaded.elapsed) == (config, iteration + 9, elapsed)
    assert loaded.recent_losses == losses


@pytest.mark.parametrize(
    ("activation", "layer"), [("tanh", torch.nn.Tanh), ("relu", torch.nn.ReLU)]
)
def test_plain_pytorch_loads_a_checkpoint_strictly_and_predicts_the_same(
    tmp_path: Path, activation: str, layer: type[torch.nn.Module]
) -> None:
    checkpoint = trained_checkpoint(network=NetworkConfig(activation=activation))  # type: ignore[arg-type]
    path = save_checkpoint(tmp_path, checkpoint)
    net = torch.nn.Sequential(
        torch.nn.Linear(1, 64), layer(), torch.nn.Linear(64, 64), layer(), torch.nn.Linear(64, 1)
    )
    net.load_state_dict(safetensors.torch.load_file(path), strict=True)
    grid = torch.linspace(-5, 5, 50)
    engine_input = grid[:, None].numpy()
    from core.engines.base import FewShotSets

    sets = FewShotSets(*(engine_input[None],) * 2, engine_input, engine_input[None])
    ours = make_engine(checkpoint.config).adapt(checkpoint.state.theta, sets, (0,), 0.02).before[0]
    # The same float32 sums in another order.
    assert net(grid[:, None]).detach().numpy() == pytest.approx(ours, abs=1e-5)


def test_the_optimizer_file_has_only_vectors(path: Path) -> None:
    vectors = safetensors.numpy.load_file(optimizer_path(path))
    assert {name: vector.shape for name, vector in vectors.items()} == {
        "mean": (MLP.of(NETWORK).n_parameters,),
        "variance": (MLP.of(NETWORK).n_parameters,),
    }


def test_sgd_writes_no_optimizer_file(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, trained_checkpoint(Reptile()))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_protocol_is_readable_in_the_file(path: Path) -> None:
    with safetensors.safe_open(path, "numpy") as file:
        described = json.loads(file.metadata()["tui-meta"])
    assert described["iteration"] == 7
    assert described["config"]["algorithm"]["reduction"] == "sum"
    assert described["config"]["waves"]["phase"] == [0.0, 6.283185307179586]


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_a_fault_at_any_write_leaves_the_old_checkpoint_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    old = trained_checkpoint()
    path = save_checkpoint(tmp_path, old)
    calls = 0

    def fsync(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise OSError(28, "No space left on device")

    newer = trained_checkpoint(iteration=8)
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(tmp_path, newer)
    monkeypatch.undo()
    assert bits(load_checkpoint(path).state) == bits(old.state)
    # The fourth flush is the folder's: by then the new checkpoint is there, and whole.
    assert bits(latest_checkpoint(tmp_path).checkpoint.state) == bits(
        newer.state if fails_at == 4 else old.state
    )
    assert not list(tmp_path.glob(".*"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.safetensors", "no such file")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, "cannot be read")


def test_an_empty_file_is_refused(path: Path) -> None:
    path.write_bytes(b"")
    assert_refused(path, "the file is empty")


@given(length=st.integers(0, 10**6))
def test_a_truncated_file_is_refused(length: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = save_checkpoint(Path(folder), trained_checkpoint())
        content = path.read_bytes()
        path.write_bytes(content[: length % len(content)])
        assert_refused(path, "")


@pytest.mark.parametrize(
    "content",
    [b"hello\n", b"\x80\x04\x95pickle", b"PK\x03\x04zip", b"\xff" * 64, b"\0" * 64, b"{}"],
)
def test_a_file_of_another_format_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert_refused(path, "not a safetensors file, or damaged")


def test_a_path_may_be_text(path: Path) -> None:
    assert load_checkpoint(str(path)).config == load_checkpoint(path).config


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_file_of_another_program_is_refused(path: Path, metadata: dict[str, str] | None) -> None:
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3)}, metadata))
    assert_refused(path, "not written by tui-meta")


@pytest.mark.parametrize("described", ["", "no json", "[]", "3", "null", "{}"])
def test_metadata_of_another_form_is_refused(path: Path, described: str) -> None:
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3)}, {"tui-meta": described}))
    assert_refused(path, "damaged metadata")


def test_deeply_nested_metadata_is_refused(path: Path) -> None:
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3)}, {"tui-meta": "[" * 100_000}))
    assert_refused(path, "damaged metadata")


def test_a_newer_format_is_refused(path: Path) -> None:
    rewritten(path, lambda found: found.update(format_version=2, written_by=""))
    assert_refused(path, "format 2; this version reads up to 1; install a newer tui-meta")


@pytest.mark.parametrize("key", ["iteration", "target", "config", "recent_losses", "elapsed"])
@pytest.mark.parametrize("value", [None, "x", {"a": 1}, [None]])
def test_metadata_of_a_wrong_type_is_refused(path: Path, key: str, value: object) -> None:
    rewritten(path, lambda found: found.update({key: value}))
    assert_refused(path, "")


@pytest.mark.parametrize(("iteration", "target"), [(-1, 50), (51, 50)])
def test_an_iteration_outside_the_run_is_refused(path: Path, iteration: int, target: int) -> None:
    rewritten(path, lambda found: found.update(iteration=iteration, target=target))
    assert_refused(path, f"iteration {iteration} is not within the run")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"seed": -1}, "seed: must be "),
        ({"sead": 1}, "did you mean 'seed'?"),
        ({"algorithm": {"name": "mamal"}}, "algorithm.name: must be built in or registered"),
    ],
)
def test_an_invalid_configuration_names_the_setting(
    path: Path, change: dict[str, Any], problem: str
) -> None:
    rewritten(path, lambda found: found["config"].update(change))
    assert_refused(path, problem)


def test_the_configuration_of_another_network_is_refused(path: Path) -> None:
    rewritten(path, lambda found: found["config"].update(network={"hidden": [5, 4]}))
    assert_refused(path, "'2.weight' has shape (3, 5), expected (4, 5)")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda t: t.pop("2.bias"), "tensor '2.bias' is missing"),
        (lambda t: t.update({"6.bias": np.zeros(1, "f4")}), "'6.bias' belongs to no layer"),
        (lambda t: t.update({"0.bias": np.zeros((5, 1), "f4")}), "has shape (5, 1), expected (5,)"),
        (lambda t: t.update({"0.bias": np.zeros(5, "f8")}), "float64, expected float32"),
        (lambda t: t.update({"0.bias": np.zeros(5, "i4")}), "int32, expected float32"),
        (lambda t: t.clear(), "is missing"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(
    path: Path, change: Callable[[dict[str, Any]], object], problem: str
) -> None:
    assert_refused(rewritten(path, tensors=change), problem)


def test_a_type_unknown_to_numpy_is_refused(path: Path) -> None:
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, "numpy") as file:
        metadata = file.metadata()
    halves = {name: tensor.to(torch.bfloat16) for name, tensor in tensors.items()}
    safetensors.torch.save_file(halves, path, metadata)
    assert_refused(path, "")


def test_a_missing_optimizer_file_is_refused(path: Path) -> None:
    optimizer_path(path).unlink()
    assert_refused(path, "no such file")


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_damaged_optimizer_file_is_refused(place: int, bit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = save_checkpoint(Path(folder), trained_checkpoint())
        content = bytearray(optimizer_path(path).read_bytes())
        content[place % len(content)] ^= 1 << bit
        optimizer_path(path).write_bytes(content)
        assert_refused(path, "or damaged")


def test_the_optimizer_file_of_another_checkpoint_is_refused(tmp_path: Path, path: Path) -> None:
    other = save_checkpoint(tmp_path, trained_checkpoint(iteration=8))
    optimizer_path(other).replace(optimizer_path(path))
    assert_refused(path, f"does not belong to {path.name}")


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_vectors_of_another_outer_optimizer_are_refused(path: Path, optimizer: str) -> None:
    rewritten(path, lambda found: found["config"]["algorithm"].update(outer_optimizer=optimizer))
    assert_refused(path, "")


def test_missing_vectors_of_the_outer_optimizer_are_refused(path: Path) -> None:
    rewritten(path, lambda found: found.update(optimizer_sha256=None))
    assert_refused(path, "")


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_leaves_a_valid_checkpoint(place: int, bit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = save_checkpoint(Path(folder), trained_checkpoint())
        content = bytearray(path.read_bytes())
        content[place % len(content)] ^= 1 << bit
        path.write_bytes(content)
        try:
            loaded = load_checkpoint(path)
        except CheckpointError as error:
            message = str(error)
        else:
            message = ""
            engine = make_engine(loaded.config)
            assert engine.advance(loaded.state, 1).state.iteration == loaded.state.iteration + 1
        assert len(message.splitlines()) <= 1


def test_nothing_is_unpickled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    def fail(*_: object, **__: object) -> None:
        pytest.fail("a checkpoint was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, fail)
    monkeypatch.setattr(torch, "load", fail)
    assert load_checkpoint(path).state.iteration == 7


def test_metadata_is_plain_json(path: Path) -> None:
    with safetensors.safe_open(path, "numpy") as file:
        assert msgspec.json.decode(file.metadata()["tui-meta"])["format_version"] == 1
