"""Exact comparison of training states, and of the global random generators."""

import random

import numpy as np
import torch

from core.engines.base import TrainState


def bits(state: TrainState) -> tuple[int, bytes, dict[str, bytes]]:
    """Return all of a state as bytes."""
    moments = {name: vector.tobytes() for name, vector in state.moments.items()}
    return state.iteration, state.theta.tobytes(), moments


def global_randomness() -> list[object]:
    """Return the states of all global random generators."""
    _, keys, *rest = np.random.get_state()
    return [torch.get_rng_state().tolist(), keys.tolist(), rest, random.getstate()]
