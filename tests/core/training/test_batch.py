"""Runs trained in one call have the bits of the runs alone."""

import dataclasses

import numpy as np
import pytest

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.engines import make_engine
from core.errors import ConfigError
from core.models.settings import NetworkConfig
from core.training.batch import train_many


def configs(engine_name: str) -> list[RunConfig]:
    first = RunConfig(
        algorithm=Fomaml(),
        network=NetworkConfig(hidden=(8,)),
        iterations=30,
        engine=engine_name,  # type: ignore[arg-type]
    )
    return [
        first,
        dataclasses.replace(first, seed=1),
        dataclasses.replace(first, algorithm=Fomaml(inner_lr=0.01, outer_optimizer="adam")),
        dataclasses.replace(first, algorithm=Reptile()),
        dataclasses.replace(first, algorithm=Reptile(), seed=5, iterations=7),
    ]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_run_of_a_batch_has_the_bits_of_the_run_alone(engine_name: str, threads: int) -> None:
    together = train_many(configs(engine_name), threads)
    for config, result in zip(configs(engine_name), together, strict=True):
        engine = make_engine(config)
        alone = engine.advance(engine.initial_state(), config.iterations)
        assert result.state.iteration == config.iterations
        assert np.array_equal(result.state.theta, alone.state.theta)
        assert np.array_equal(result.losses, alone.losses)


def test_an_empty_batch_returns_nothing() -> None:
    assert train_many([]) == []


def test_a_batch_needs_a_thread() -> None:
    with pytest.raises(ConfigError, match="threads"):
        train_many([], -1)
