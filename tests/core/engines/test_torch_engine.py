"""Properties of every engine: training is a function of state and number of iterations."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import MetaParameters, TrainState
from core.engines.torch.engine import choose_device
from core.errors import EngineError
from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from core.tasks.sampler import TaskSampler
from core.tasks.sine import SineTasks
from core.tasks.streams import Stream
from tests.support.states import bits, global_randomness
from tests.support.strategies import configs

PRECISIONS = st.sampled_from(["float32", "float64"])


def small(engine_name: str, **settings: object) -> RunConfig:
    defaults = {"algorithm": Fomaml(), "network": NetworkConfig(hidden=(8, 8))}
    return RunConfig(engine=engine_name, **{**defaults, **settings})  # type: ignore[arg-type]


@given(data=st.data(), precision=PRECISIONS, chunks=st.lists(st.integers(0, 12), max_size=5))
def test_the_length_of_chunks_changes_no_bit(
    engine_name: str, data: st.DataObject, precision: str, chunks: Sequence[int]
) -> None:
    engine = make_engine(data.draw(configs(engine_name, precision)))
    whole = engine.advance(engine.initial_state(), sum(chunks))
    state, losses = engine.initial_state(), []
    for n in chunks:
        part = engine.advance(state, n)
        state = part.state
        losses += part.losses.tolist()
    assert bits(state) == bits(whole.state)
    np.testing.assert_array_equal(losses, whole.losses)  # a loss may be NaN


@pytest.mark.parametrize("algorithm", [Fomaml(), Reptile()], ids=["fomaml", "reptile"])
def test_many_iterations_equal_as_many_single_ones(
    engine_name: str, algorithm: Fomaml | Reptile
) -> None:
    engine = make_engine(RunConfig(algorithm=algorithm, engine=engine_name))
    state = engine.initial_state()
    many = 200 if engine_name == "torch" else 1_000  # torch runs a loop of the same calls
    for _ in range(many):
        state = engine.advance(state, 1).state
    assert bits(state) == bits(engine.advance(engine.initial_state(), many).state)


@given(data=st.data(), precision=PRECISIONS)
def test_advance_leaves_the_given_state_untouched(
    engine_name: str, data: st.DataObject, precision: str
) -> None:
    engine = make_engine(data.draw(configs(engine_name, precision)))
    state = engine.advance(engine.initial_state(), 2).state
    before = bits(state)
    after = engine.advance(state, 3).state
    assert bits(state) == before
    assert not np.shares_memory(state.theta, after.theta)


@given(data=st.data())
def test_states_share_no_memory(engine_name: str, data: st.DataObject) -> None:
    engine = make_engine(data.draw(configs(engine_name)))
    first = engine.advance(engine.initial_state(), 2).state
    kept = bits(first)
    again = engine.advance(first, 0).state
    engine.advance(again, 3)
    assert bits(first) == kept
    vectors = [first.theta, again.theta, *first.moments.values(), *again.moments.values()]
    for index, vector in enumerate(vectors):
        assert not any(np.shares_memory(vector, other) for other in vectors[:index])


def test_a_state_cannot_be_written_to(engine_name: str) -> None:
    engine = make_engine(
        RunConfig(algorithm=Fomaml(outer_optimizer="momentum"), engine=engine_name)  # type: ignore[arg-type]
    )
    state = engine.advance(engine.initial_state(), 1).state
    for vector in (state.theta, *state.moments.values()):
        with pytest.raises(ValueError, match="read-only"):
            vector[0] = 0


@given(data=st.data())
def test_no_iterations_change_nothing(engine_name: str, data: st.DataObject) -> None:
    engine = make_engine(data.draw(configs(engine_name)))
    nothing = engine.advance(engine.initial_state(), 0)
    assert bits(nothing.state) == bits(engine.initial_state())
    assert nothing.losses.shape == (0,)


@given(data=st.data(), precision=PRECISIONS, n=st.integers(1, 5))
def test_states_and_losses_have_their_shapes_and_precision(
    engine_name: str, data: st.DataObject, precision: str, n: int
) -> None:
    config = data.draw(configs(engine_name, precision))
    engine = make_engine(config)
    advance = engine.advance(engine.initial_state(), n)
    size = MetaParameters.of(config).size
    for vector in (advance.state.theta, *advance.state.moments.values()):
        assert (vector.shape, vector.dtype.name) == ((size,), precision)
    assert (advance.losses.shape, advance.losses.dtype.name) == ((n,), "float64")
    assert advance.state.iteration == n


@given(data=st.data())
def test_an_engine_keeps_no_state_of_a_run(engine_name: str, data: st.DataObject) -> None:
    config = data.draw(configs(engine_name))
    used, fresh = make_engine(config), make_engine(config)
    state = used.initial_state()
    used.advance(state, 5)
    used.advance(used.advance(state, 2).state, 3)
    assert bits(used.advance(state, 4).state) == bits(fresh.advance(state, 4).state)


def test_no_global_random_state_is_changed(engine_name: str) -> None:
    before = global_randomness()
    engine = make_engine(small(engine_name))
    engine.advance(engine.initial_state(), 5)
    assert global_randomness() == before


def test_no_global_random_state_is_read(engine_name: str) -> None:
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        engine = make_engine(small(engine_name))
        found.append(bits(engine.advance(engine.initial_state(), 5).state))
    assert found[0] == found[1]


def test_the_seed_of_a_run_changes_what_it_learns(engine_name: str) -> None:
    found = []
    for seed in (0, 1):
        engine = make_engine(small(engine_name, seed=seed))
        start = make_engine(small(engine_name)).initial_state()
        found.append(engine.advance(start, 5).losses.tolist())
    assert found[0] != found[1]


def test_every_engine_starts_at_the_networks_initial_parameters(engine_name: str) -> None:
    config = small(engine_name, seed=3)
    state = make_engine(config).initial_state()
    assert state.theta.tobytes() == MLP.of(config.network).initial(3).tobytes()


def test_training_data_comes_from_the_training_stream(engine_name: str) -> None:
    """The loss of the first iteration is that of the tasks of stream 1, not of an evaluation's."""
    config = small(engine_name, algorithm=Reptile(batch_size=50), precision="float64")
    engine = make_engine(config)
    state = engine.initial_state()
    data = TaskSampler(config.tasks, 0, "float64", Stream.TRAINING).minibatches(0, 1, 1, 50, 50, 1)
    net = torch.nn.Sequential(
        torch.nn.Linear(1, 8),
        torch.nn.Tanh(),
        torch.nn.Linear(8, 8),
        torch.nn.Tanh(),
        torch.nn.Linear(8, 1),
    ).double()
    torch.nn.utils.vector_to_parameters(torch.tensor(state.theta), net.parameters())
    predicted = net(torch.from_numpy(data.x.reshape(-1, 1))).detach().numpy()[:, 0]
    expected = ((predicted - data.y.ravel()) ** 2).mean()
    assert engine.advance(state, 1).losses[0] == pytest.approx(expected, rel=1e-12)


def test_the_losses_fall(engine_name: str) -> None:
    config = RunConfig(
        algorithm=Fomaml(),
        tasks=SineTasks(amplitude=(2.0, 2.0), phase=(0.0, 0.0)),
        engine=engine_name,
    )
    engine = make_engine(config)
    losses = engine.advance(engine.initial_state(), 500).losses
    assert losses[-50:].mean() < 0.2 * losses[:50].mean()


def test_an_engine_uses_one_thread(engine_name: str) -> None:
    make_engine(small(engine_name))
    if engine_name == "torch":
        assert torch.get_num_threads() == 1


def test_auto_means_the_processor() -> None:
    assert choose_device("auto") == "cpu"


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_missing_device_is_a_clear_error(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(EngineError, match=f"device {device}: not found by PyTorch; use the CPU"):
        choose_device(device)


def test_is_finite_finds_any_number_that_is_not() -> None:
    ones = np.ones(3, np.float32)
    assert TrainState(0, ones, {"velocity": ones}).is_finite()
    for bad in (np.nan, np.inf, -np.inf):
        broken = np.array([1, bad, 1], np.float32)
        assert not TrainState(0, broken, {}).is_finite()
        assert not TrainState(0, ones, {"velocity": broken}).is_finite()
