"""What an answer may cost where nobody can stop it."""

from __future__ import annotations

from core.errors import ConfigError
from core.models.mlp import MLP
from core.models.settings import NetworkConfig

MOST_WORK = 5 * 10**11
"""Multiply-adds of one call of an engine, which cannot be cancelled: some ten seconds."""


def require_affordable(network: NetworkConfig, field: str, count: int, points: int) -> None:
    """Refuse ``count`` passes of ``points`` points through ``network`` that take too long.

    A gradient costs about three passes. Raises ``ConfigError``, which says how many are possible.
    """
    once = MLP.of(network).n_parameters * points
    most = MOST_WORK // once
    if count > most:
        parameters = MLP.of(network).n_parameters
        raise ConfigError(field, count, f"must be at most {most:,} with {parameters:,} parameters")
