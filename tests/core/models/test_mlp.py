"""The network's parameters: initialisation and layout."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given

from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from tests.support import reference
from tests.support.strategies import NETWORKS, SEEDS


def test_the_default_network_is_that_of_the_reference_code() -> None:
    network = MLP.of(NetworkConfig())
    assert network == MLP((1, 64, 64, 1), "tanh")
    assert network.n_parameters == 4_353


@given(config=NETWORKS)
def test_names_and_shapes_match_torch_sequential(config: NetworkConfig) -> None:
    network = MLP.of(config)
    net = reference.sequential(config, np.zeros(network.n_parameters))
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    assert network.shapes == shapes
    assert list(network.shapes) == list(shapes)


@given(config=NETWORKS, seed=SEEDS)
def test_the_flat_vector_has_the_order_of_pytorchs_parameters(
    config: NetworkConfig, seed: int
) -> None:
    network = MLP.of(config)
    theta = network.initial(seed, "float64")
    net = reference.sequential(config, theta)
    named = network.named(theta)
    assert all(named[name].tolist() == tensor.tolist() for name, tensor in net.state_dict().items())


@given(config=NETWORKS, seed=SEEDS)
def test_flat_is_the_inverse_of_named(config: NetworkConfig, seed: int) -> None:
    network = MLP.of(config)
    theta = network.initial(seed)
    assert network.flat(network.named(theta)).tobytes() == theta.tobytes()


@given(config=NETWORKS, seed=SEEDS)
def test_initial_parameters_stay_within_the_bound_of_their_layer(
    config: NetworkConfig, seed: int
) -> None:
    network = MLP.of(dataclasses.replace(config, init="torch"))
    tensors = network.named(network.initial(seed))
    for layer, n_in in enumerate(network.sizes[:-1]):
        for part in ("weight", "bias"):
            assert np.abs(tensors[f"{2 * layer}.{part}"]).max() <= np.float32(n_in**-0.5)


@pytest.mark.parametrize("name", MLP().shapes)
def test_initial_parameters_are_distributed_like_those_of_torch_linear(name: str) -> None:
    """Standard deviation of many draws against PyTorch's own: bound / sqrt(3)."""
    network = MLP()
    drawn = np.concatenate(
        [network.named(network.initial(seed))[name].ravel() for seed in range(99)]
    )
    n_in, n_out = dict(zip("024", ((1, 64), (64, 64), (64, 1)), strict=True))[name[0]]
    torch.manual_seed(0)
    own = [getattr(torch.nn.Linear(n_in, n_out), name[2:]).detach().ravel() for _ in range(99)]
    assert drawn.std() == pytest.approx(torch.cat(own).std().item(), rel=0.2)
    assert abs(drawn.mean()) < 5 * drawn.std() / len(drawn) ** 0.5


def test_the_seed_decides_the_initial_parameters() -> None:
    first, again, other = (MLP().initial(seed) for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert not np.isin(first, other).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_parameters_have_the_requested_precision(dtype: str) -> None:
    assert MLP().initial(0, dtype).dtype.name == dtype


def test_both_precisions_start_at_the_same_parameters() -> None:
    assert MLP().initial(0, "float64").astype("float32").tobytes() == MLP().initial(0).tobytes()


def test_normal_weights_are_truncated_at_two_deviations_and_biases_are_0() -> None:
    network = MLP.of(NetworkConfig(init="normal", init_deviation=0.01))
    tensors = [network.named(network.initial(seed, "float64")) for seed in range(9)]
    weights = np.concatenate([one[f"{layer}.weight"].ravel() for one in tensors for layer in "024"])
    assert all((one[f"{layer}.bias"] == 0).all() for one in tensors for layer in "024")
    assert 0.0199 < np.abs(weights).max() <= 0.02
    # 38,000 numbers; the deviation of a normal one of at most two deviations is 0.88 of them.
    assert weights.std() == pytest.approx(0.0088, rel=0.02)
    assert abs(weights.mean()) < 5 * weights.std() / len(weights) ** 0.5
    assert len(np.unique(weights)) == len(weights)


def test_the_seed_decides_normal_weights() -> None:
    network = MLP.of(NetworkConfig(init="normal"))
    first, again, other = (network.initial(seed) for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert not np.isin(first[first != 0], other).any()
