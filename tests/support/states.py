"""Exact comparison of training states."""

from core.engines.base import TrainState


def bits(state: TrainState) -> tuple[int, bytes, dict[str, bytes]]:
    """Return all of a state as bytes."""
    moments = {name: vector.tobytes() for name, vector in state.moments.items()}
    return state.iteration, state.theta.tobytes(), moments
