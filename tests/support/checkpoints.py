"""Checkpoints to test with: trained, or changed into invalid ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import TrainState, network_of
from core.errors import CheckpointError
from core.models.settings import NetworkConfig
from core.storage.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

NETWORK = NetworkConfig(hidden=(5, 3))


def trained_checkpoint(
    algorithm: Fomaml | Reptile | None = None, iteration: int = 7, **settings: Any
) -> Checkpoint:
    """A checkpoint of a small network, trained to ``iteration``."""
    chosen = algorithm or Fomaml(outer_optimizer="adam")
    config = RunConfig(algorithm=chosen, **{"network": NETWORK, "iterations": 50, **settings})
    engine = make_engine(config)
    state = engine.advance(engine.initial_state(), iteration).state
    return Checkpoint(config, state, 50, 1.25, (0.5, 0.25))


def rewritten(
    path: Path,
    metadata: Callable[[dict[str, Any]], object] = lambda found: None,
    tensors: Callable[[dict[str, Any]], object] = lambda found: None,
) -> Path:
    """Change metadata and tensors of the file ``path`` in place with the given functions."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    described = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["tui-meta"])
    found = safetensors.numpy.load(content)
    metadata(described)
    tensors(found)
    path.write_bytes(safetensors.numpy.save(found, {"tui-meta": json.dumps(described)}))
    return path


def assert_refused(path: Path, problem: str) -> None:
    """Assert that loading fails with one line that names the file and the problem."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert problem in message
    assert path.parent.name in message
    assert "; " in message


def untrained_file(
    folder: Path, algorithm: Fomaml | Reptile, iteration: int = 7, **settings: Any
) -> Path:
    """Save the checkpoint of an untrained network in a run folder."""
    config = RunConfig(algorithm=algorithm, network=NetworkConfig(hidden=(6, 6)), **settings)
    theta = network_of(config).initial(config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    state = TrainState(iteration, theta, {})
    return save_checkpoint(folder, Checkpoint(config, state, config.iterations, 1.0, ()))
