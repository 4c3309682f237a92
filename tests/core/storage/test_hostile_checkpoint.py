"""A hostile checkpoint is refused in one line, without blocking and without large memory."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from core.errors import CheckpointError, ConfigError
from core.models.settings import NetworkConfig
from core.storage.checkpoint import load_checkpoint, save_checkpoint
from core.storage.paths import optimizer_path
from tests.support.checkpoints import assert_refused, rewritten, trained_checkpoint
from tests.support.states import bits

FIRST_VERSION = Path(__file__).parents[1] / "first_version" / "000050000.safetensors"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A valid checkpoint with an optimiser's file."""
    return save_checkpoint(tmp_path, trained_checkpoint())


def test_a_pipe_is_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "7.safetensors")
    assert_refused(tmp_path / "7.safetensors", "not a regular file")


def test_an_endless_device_is_not_read(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")
    assert_refused(path, "not a regular file")


def test_a_pipe_as_the_optimizer_file_is_refused_without_blocking(path: Path) -> None:
    optimizer_path(path).unlink()
    os.mkfifo(optimizer_path(path))
    assert_refused(path, "not a regular file")


def test_a_name_with_a_null_character_is_refused() -> None:
    with pytest.raises(CheckpointError, match="null character"):
        load_checkpoint(Path("a\0b"))


def test_a_folder_as_a_checkpoint_is_refused(path: Path) -> None:
    path.unlink()
    path.mkdir()
    assert_refused(path, "Is a directory")


def test_a_file_larger_than_its_network_is_not_read(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2**32)
    tracemalloc.start()
    assert_refused(path, "larger than its network")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_an_optimizer_file_larger_than_its_network_is_not_read(path: Path) -> None:
    with optimizer_path(path).open("r+b") as file:
        file.truncate(2**32)
    tracemalloc.start()
    assert_refused(path, "larger than its network")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_an_endless_header_is_not_read(path: Path) -> None:
    path.write_bytes((2**27).to_bytes(8, "little") + b"{")
    assert_refused(path, "not a safetensors file, or damaged")


def test_a_flipped_bit_is_refused_or_changes_nothing(path: Path) -> None:
    sound, content = load_checkpoint(path), path.read_bytes()
    refused = 0
    for place in range(len(content)):
        flipped = content[place] ^ 1 << place % 8
        path.write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        try:
            found = load_checkpoint(path)
        except CheckpointError:
            refused += 1
        else:
            assert bits(found.state) == bits(sound.state), place
            assert dataclasses.replace(found, state=sound.state) == sound, place
    # What changes nothing is which key a file of an older version does not have.
    assert refused > 0.98 * len(content)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_parameters_that_are_not_finite_are_refused(path: Path, value: float) -> None:
    rewritten(path, tensors=lambda found: found["0.bias"].__setitem__(0, value))
    assert_refused(path, "its parameters are not finite")


@pytest.mark.parametrize(
    "change",
    [
        {"elapsed": -1.0},
        {"elapsed": 1e300},
        {"recent_losses": [0.5] * 5_000},
        {"iteration": 2**63, "target": 2**63},
        {"target": 2**70},
        {"format_version": 0},
        {"format_version": -1},
        {"optimizer_sha256": "x" * 100_000},
    ],
)
def test_metadata_out_of_range_is_refused(path: Path, change: dict[str, Any]) -> None:
    rewritten(path, lambda found: found.update(change))
    assert_refused(path, "damaged metadata")


def test_the_message_for_a_huge_format_number_is_short(path: Path) -> None:
    rewritten(path, lambda found: found.update(format_version=10**4_000))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert len(caught.value.problem) < 200


def test_a_newer_format_is_refused_with_the_version_to_install(path: Path) -> None:
    rewritten(path, lambda found: found.update(format_version=2, written_by="0.9.1"))
    assert_refused(path, "format 2; this version reads up to 1; install tui-meta 0.9.1")


def test_a_newer_format_cannot_inject_advice(path: Path) -> None:
    rewritten(path, lambda found: found.update(format_version=2, written_by="evil.sh | sh"))
    assert_refused(path, "install a newer tui-meta")


def test_a_checkpoint_names_the_version_that_wrote_it(path: Path) -> None:
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    metadata = msgspec.json.decode(content[8 : 8 + length])["__metadata__"]["tui-meta"]
    assert json.loads(metadata)["written_by"][0].isdigit()


def test_a_checkpoint_of_the_first_format_opens(tmp_path: Path) -> None:
    shutil.copy(FIRST_VERSION, tmp_path)
    loaded = load_checkpoint(tmp_path / FIRST_VERSION.name)
    assert (loaded.state.iteration, loaded.config.network.hidden) == (50_000, (64, 64))


def test_a_network_beyond_any_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match="parameters"):
        NetworkConfig(hidden=(16_384,) * 64)
