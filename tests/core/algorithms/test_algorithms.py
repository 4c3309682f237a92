"""Every algorithm's meta-update against its definition, differentiated by ``torch.autograd``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import core.algorithms
from core.algorithms import optimizers as outer
from core.algorithms.anil import Anil
from core.algorithms.base import Algorithm, MetaBatch, Sizes
from core.algorithms.cavia import Cavia
from core.algorithms.fomaml import Fomaml
from core.algorithms.maml import Maml
from core.algorithms.metasgd import MetaSgd
from core.algorithms.oracle import Oracle
from core.algorithms.random import RandomInitialisation
from core.algorithms.registry import ALGORITHMS, DEFAULT_ALGORITHMS
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import Advance, FewShotSets, TrainState, network_of
from core.engines.fused.engine import unsupported_reason
from core.engines.torch.engine import TorchMLP
from core.errors import EngineError
from core.evaluation.adaptation import many_tasks
from core.evaluation_protocol import EvaluationProtocol
from core.experiments.specification import specification_of
from core.models.mlp import MLP
from core.models.settings import NetworkConfig
from core.tasks.polynomials import QuadraticTasks
from core.tasks.sampler import TaskSampler
from core.tasks.sine import SineTasks
from tests.support import reference
from tests.support.reference import Array
from tests.support.strategies import OPTIMIZERS, cavias, configs, fomamls, joints, mamls, reptiles

SMALL = NetworkConfig(hidden=(16, 16))

KINDS: dict[str, Callable[[st.SearchStrategy[str]], st.SearchStrategy[Algorithm]]] = {
    "fomaml-sum": lambda optimizers: fomamls(optimizers, st.just("sum")),
    "fomaml-mean": lambda optimizers: fomamls(optimizers, st.just("mean")),
    "fomaml-random": lambda optimizers: fomamls(optimizers, queries=st.just("random")),
    "reptile-sgd": reptiles,
    "reptile-adam": lambda optimizers: reptiles(optimizers, st.just("adam")),
    "maml-first": lambda optimizers: mamls(optimizers, orders=st.just("first")),
    "maml-second": lambda optimizers: mamls(optimizers, orders=st.just("second")),
    "maml-random": lambda optimizers: mamls(optimizers, queries=st.just("random")),
    "anil": lambda optimizers: mamls(optimizers, Anil),
    "metasgd": lambda optimizers: mamls(optimizers, MetaSgd),
    "cavia": lambda optimizers: cavias(optimizers),
    "joint": joints,
    "oracle": lambda optimizers: joints(optimizers, Oracle),
}
"""Searched separately: in a mixture, a run with few examples would leave some out."""


def test_every_algorithm_is_compared_with_its_definition() -> None:
    assert {kind.partition("-")[0] for kind in KINDS} == set(ALGORITHMS) - {"random"}


def random_state(config: RunConfig, seed: int, iteration: int) -> TrainState:
    """Parameters and moments as training might have left them."""
    random = np.random.default_rng(seed)
    theta = make_engine(config).initial_state().theta
    n = network_of(config).n_parameters
    theta = theta + random.normal(0, 0.3, theta.shape)
    beside = (0.02, 0.01) if isinstance(config.algorithm, MetaSgd) else (0.0, 0.5)
    theta[n:] = random.normal(*beside, theta[n:].shape)
    moments = {
        name: random.normal(0, 0.1, theta.shape)
        if name != "variance"
        else random.random(len(theta))
        for name in outer.MOMENTS[config.algorithm.outer_optimizer]
    }
    return TrainState(iteration, theta, moments)


def definition(config: RunConfig, theta: Array, iteration: int) -> tuple[float, Array]:
    """Loss and outer gradient of one meta-iteration at ``theta``, in float64."""
    source = TaskSampler(config.tasks, config.seed, config.precision)
    data = config.algorithm.batches(source, iteration, 1)
    net = reference.sequential(config.network, theta)
    beside = theta[network_of(config).n_parameters :]
    known = None if data.task_parameters is None else data.task_parameters[0]
    return reference.outer_gradient(config.algorithm, net, *data.iteration(0), beside, known)


def one_update(config: RunConfig, state: TrainState) -> Advance:
    return make_engine(config).advance(state, 1)


def rate(config: RunConfig, iteration: int) -> float:
    """The schedules, written out again."""
    algorithm = config.algorithm
    done = iteration / config.iterations
    falls = {"constant": 1.0, "linear": 1 - done, "cosine": np.cos(np.pi * done / 2) ** 2}
    return float(algorithm.outer_lr * falls[algorithm.schedule])


def moved(config: RunConfig, state: TrainState, gradient: Array) -> Array:
    """``state.theta`` after one outer step with ``gradient``, from the optimisers' papers."""
    algorithm, lr = config.algorithm, rate(config, state.iteration)
    if algorithm.outer_optimizer == "momentum":
        return state.theta - lr * (algorithm.momentum * state.moments["velocity"] + gradient)
    if algorithm.outer_optimizer == "adam":
        (b1, b2), t = algorithm.adam_betas, state.iteration + 1
        mean = (b1 * state.moments["mean"] + (1 - b1) * gradient) / (1 - b1**t)
        variance = (b2 * state.moments["variance"] + (1 - b2) * gradient**2) / (1 - b2**t)
        return state.theta - lr * mean / (np.sqrt(variance) + 1e-8)
    return state.theta - lr * gradient


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_one_meta_update_equals_the_definition_differentiated_by_autograd(
    engine_name: str, kind: str, data: st.DataObject, seed: int
) -> None:
    algorithm = data.draw(KINDS[kind](OPTIMIZERS))
    config = data.draw(configs(engine_name, algorithm=st.just(algorithm)))
    if engine_name == "fused" and unsupported_reason(config):
        pytest.skip("runs on PyTorch")
    iteration = data.draw(st.integers(0, config.iterations - 1))
    state = random_state(config, seed, iteration)
    loss, gradient = definition(config, state.theta, iteration)
    expected = moved(config, state, gradient) - state.theta
    found = one_update(config, state)
    assert found.losses[0] == pytest.approx(loss, rel=1e-9)
    # Where an update is tiny (a wave fitted already), the rounding of theta and of predictions
    # beside their targets shows in it.
    rounding = 1e-14 * float(np.abs(state.theta).max() / (np.abs(expected).max() or 1))
    error = reference.distance(found.state.theta - state.theta, expected)
    assert error <= reference.RELATIVE["float64"] + rounding


@pytest.mark.slow
@settings(max_examples=10)
@given(data=st.data())
def test_ten_iterations_equal_torch_optim(engine_name: str, data: st.DataObject) -> None:
    config = data.draw(configs(engine_name))
    config = dataclasses.replace(config, iterations=config.iterations + 10)
    state = make_engine(config).initial_state()
    theta, gradients = state.theta, []
    for iteration in range(10):
        gradients.append(definition(config, theta, iteration)[1])
        rates = [rate(config, index) for index in range(iteration + 1)]
        theta = reference.outer_steps(config.algorithm, state.theta, gradients, rates)
    found = make_engine(config).advance(state, 10).state.theta
    # Adam divides by the gradient's own size: where that is rounding alone, so is the direction.
    tolerance = 1e-6 if config.algorithm.outer_optimizer == "adam" else 1e-9
    assert reference.distance(found, theta) <= tolerance


@pytest.mark.parametrize("algorithm", [Fomaml(), Reptile()], ids=["fomaml", "reptile"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_float32_update_with_default_settings_is_the_definition_rounded(
    engine_name: str, algorithm: Fomaml | Reptile, activation: str
) -> None:
    network = NetworkConfig(activation=activation)
    config = RunConfig(algorithm=algorithm, network=network, engine=engine_name)
    state = make_engine(config).initial_state()
    _, gradient = definition(config, state.theta, 0)
    update = one_update(config, state).state.theta - state.theta
    error = reference.distance(update, -algorithm.outer_lr * gradient)
    assert error <= reference.RELATIVE["float32"]


@pytest.mark.parametrize("layer", ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight"])
@pytest.mark.parametrize("algorithm", [Fomaml(), Reptile()], ids=["fomaml", "reptile"])
def test_the_update_of_each_layer_equals_the_definition(
    engine_name: str, algorithm: Fomaml | Reptile, layer: str
) -> None:
    """A wrong first layer hides behind the others: the network still learns, a little worse."""
    config = RunConfig(algorithm=algorithm, network=SMALL, precision="float64", engine=engine_name)
    state = make_engine(config).initial_state()
    _, gradient = definition(config, state.theta, 0)
    update = one_update(config, state).state.theta - state.theta
    network = MLP.of(SMALL)
    found, expected = network.named(update)[layer], network.named(gradient)[layer]
    error = reference.distance(found, -algorithm.outer_lr * expected)
    assert error <= reference.RELATIVE["float64"]


def fomaml_update(engine_name: str, **settings: object) -> Array:
    algorithm = Fomaml(**settings)  # type: ignore[arg-type]
    config = RunConfig(algorithm=algorithm, network=SMALL, precision="float64", engine=engine_name)
    state = make_engine(config).initial_state()
    return one_update(config, state).state.theta - state.theta


def test_the_mean_over_tasks_is_the_sum_divided_by_their_number(
    engine_name: str,
) -> None:
    total = fomaml_update(engine_name, tasks=3, reduction="sum")
    mean = fomaml_update(engine_name, tasks=3, reduction="mean")
    assert reference.distance(total, 3 * mean) <= reference.RELATIVE["float64"]


def test_the_default_reduction_is_the_sum_of_the_reference_code() -> None:
    assert Fomaml().reduction == "sum"


def test_the_query_gradient_is_taken_at_the_adapted_parameters(engine_name: str) -> None:
    """At theta it would be joint training, whatever the inner learning rate."""
    assert (
        reference.distance(
            fomaml_update(engine_name, inner_lr=0.02), fomaml_update(engine_name, inner_lr=1e-9)
        )
        > 0.01
    )


def test_the_support_gradient_does_not_leak_into_the_outer_gradient(engine_name: str) -> None:
    """With an inner learning rate near zero the support set has no influence left."""
    config = RunConfig(
        algorithm=Fomaml(inner_lr=1e-12), network=SMALL, precision="float64", engine=engine_name
    )
    state = make_engine(config).initial_state()
    data = config.algorithm.batches(TaskSampler(config.tasks, 0, "float64"), 0, 1)
    net = reference.sequential(SMALL, state.theta)
    total = np.zeros_like(state.theta)
    for query_y in data.query_y[0]:
        net.zero_grad()
        reference.loss_of(net, data.query_x, query_y).backward()
        total += np.concatenate([p.grad.numpy().reshape(-1) for p in net.parameters()])
    update = one_update(config, state).state.theta - state.theta
    assert reference.distance(update, -0.01 * total) <= reference.RELATIVE["float64"]


def test_reptile_with_several_minibatches_is_not_joint_training(engine_name: str) -> None:
    """With a single step it is: only the path of several steps tells them apart."""
    algorithm = Reptile(inner_lr=0.05)
    config = RunConfig(algorithm=algorithm, network=SMALL, precision="float64", engine=engine_name)
    state = make_engine(config).initial_state()
    data = algorithm.batches(TaskSampler(config.tasks, 0, "float64"), 0, 1)
    net = reference.sequential(SMALL, state.theta)
    joint = np.zeros_like(state.theta)
    for x, y in zip(data.x[0, 0], data.y[0, 0], strict=True):
        net.zero_grad()
        reference.loss_of(net, x, y).backward()
        joint += np.concatenate([p.grad.numpy().reshape(-1) for p in net.parameters()])
    update = one_update(config, state).state.theta - state.theta
    assert data.x.shape == (1, 1, 5, 10, 1)
    assert reference.distance(update, -0.1 * 0.05 * joint) > 0.01


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_the_training_loss_is_the_mean_over_any_number_of_tasks(
    engine_name: str, name: str
) -> None:
    waves = SineTasks(amplitude=(2.0, 2.0), phase=(1.0, 1.0), x=(1.0, 1.0))
    losses = []
    for tasks in (1, 4):
        algorithm = ALGORITHMS[name](tasks=tasks)
        if engine_name == "fused" and algorithm.kernel is None:
            pytest.skip("runs on PyTorch")
        config = RunConfig(
            algorithm=algorithm, network=SMALL, tasks=waves, precision="float64", engine=engine_name
        )
        losses.append(make_engine(config).advance(make_engine(config).initial_state(), 1).losses[0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_the_defaults_are_the_settings_of_the_reference_code() -> None:
    fomaml, reptile = Fomaml(), Reptile()
    assert (fomaml.outer_lr, fomaml.inner_lr, fomaml.tasks, fomaml.shots) == (0.01, 0.02, 3, 10)
    assert (fomaml.query_points, fomaml.inner_steps) == (50, 1)
    assert (reptile.outer_lr, reptile.inner_lr, reptile.tasks) == (0.1, 0.02, 1)
    assert (reptile.points, reptile.batch_size, reptile.inner_epochs) == (50, 10, 1)
    assert {fomaml.schedule, reptile.schedule} == {"constant"}
    assert {fomaml.outer_optimizer, reptile.outer_optimizer} == {"sgd"}
    assert RunConfig(algorithm=fomaml).iterations == 50_000


def test_every_algorithm_file_is_in_the_registry() -> None:
    files = {Path(file).stem for file in Path(core.algorithms.__path__[0]).glob("*.py")}
    assert files - {"__init__", "base", "optimizers", "query", "registry"} == set(ALGORITHMS)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("sizes", [(1, 8, 8, 1), (2, 5, 3), (1, 1)])
def test_a_hessian_vector_product_is_that_of_autograd(
    activation: str, sizes: tuple[int, ...]
) -> None:
    network = MLP(sizes, activation)
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    params, vector = normal(3, network.n_parameters), normal(3, network.n_parameters)
    x, y = normal(3, 6, sizes[0]), normal(3, 6, sizes[-1])
    model = TorchMLP(network)
    found = model.hessian_vector(params, x, y, vector)
    for task in range(3):
        at = (params[task : task + 1], x[task : task + 1], y[task : task + 1])
        loss_at = lambda p: ((model.predict(p, at[1]) - at[2]) ** 2).mean()  # noqa: E731, B023
        _, expected = torch.autograd.functional.hvp(loss_at, at[0], vector[task : task + 1])
        assert reference.distance(found[task].numpy(), expected[0].numpy()) < 1e-12


@pytest.mark.parametrize("name", ["maml", "anil", "metasgd", "cavia"])
@pytest.mark.parametrize("inner_steps", [1, 3])
def test_the_second_order_gradient_is_a_central_difference_of_the_query_loss(
    name: str, inner_steps: int
) -> None:
    algorithm = ALGORITHMS[name](inner_steps=inner_steps, reduction="mean")  # type: ignore[call-arg]
    config = RunConfig(algorithm=algorithm, network=SMALL, precision="float64")
    theta = make_engine(config).initial_state().theta
    data = algorithm.batches(TaskSampler(config.tasks, 0, "float64"), 0, 1)
    batch = MetaBatch(*map(torch.from_numpy, data.iteration(0)))
    model = TorchMLP(network_of(config))

    def loss(at: Array) -> float:
        return float(algorithm.outer_gradient(model, torch.from_numpy(at), batch)[0])

    _, gradient = algorithm.outer_gradient(model, torch.from_numpy(np.array(theta)), batch)
    for direction in np.random.default_rng(0).normal(size=(5, len(theta))):
        step = 1e-5 * direction
        slope = (loss(theta + step) - loss(theta - step)) / 2e-5
        # The difference has an error of the third derivative times 1e-10, and 1e-16 / 1e-5.
        assert float(gradient.numpy() @ direction) == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_the_first_order_of_maml_is_fomaml_to_the_bit(engine_name: str) -> None:
    settings = {"network": SMALL, "engine": engine_name}
    runs = [
        RunConfig(algorithm=algorithm, **settings)  # type: ignore[arg-type]
        for algorithm in (Fomaml(inner_steps=2), Maml(inner_steps=2, order="first"))
    ]
    states = [make_engine(run).advance(make_engine(run).initial_state(), 5).state for run in runs]
    assert states[0].theta.tobytes() == states[1].theta.tobytes()


def test_anil_adapts_the_last_layer_alone_in_training_and_evaluation() -> None:
    config = RunConfig(algorithm=Anil(), network=SMALL, precision="float64", engine="torch")
    engine = make_engine(config)
    theta = engine.initial_state().theta
    model, meta = TorchMLP(network_of(config)), torch.from_numpy(np.array(theta))
    x, y = torch.randn(2, 1, 5, 1, dtype=torch.float64), torch.randn(2, 1, 5, 1).double()
    *_, phi = config.algorithm.adapt(model, meta, x, y, 3, 0.1)
    changed = (phi != meta).any(0).numpy()
    assert not changed[: -SMALL.hidden[-1] - 1].any()
    assert changed[-SMALL.hidden[-1] - 1 :].all()
    sets = FewShotSets(x[:, 0].numpy(), y[:, 0].numpy(), x[0, 0].numpy(), y[:, 0].numpy())
    found = engine.adapt(theta, sets, (0, 3), 0.1).after
    assert found.tobytes() == model.predict(phi, x[0, 0]).numpy().tobytes()


def test_meta_sgd_learns_its_inner_rates_and_evaluates_with_them() -> None:
    config = RunConfig(algorithm=MetaSgd(inner_lr=0.03), network=SMALL, precision="float64")
    engine = make_engine(config)
    start = engine.initial_state()
    n = network_of(config).n_parameters
    assert (start.theta[n:] == 0.03).all()
    after = engine.advance(start, 5).state.theta
    assert len(after) == 2 * n
    assert (after[n:] != 0.03).mean() > 0.9
    x = np.linspace(-5, 5, 10)[None, :, None]
    sets = FewShotSets(x, np.sin(x), x[0], np.sin(x))
    assert (
        engine.adapt(after, sets, (1,), 0.5).losses == engine.adapt(after, sets, (1,), 0.1).losses
    )


def test_reptile_evaluates_with_its_inner_optimizer_from_zero_moments_for_each_task() -> None:
    algorithm = Reptile(inner_optimizer="adam", inner_lr=0.01)
    config = RunConfig(algorithm=algorithm, network=SMALL, precision="float64")
    engine = make_engine(config)
    assert engine.note.endswith("no kernel for Reptile with Adam inside")
    theta = engine.initial_state().theta
    x = np.linspace([-5, -4], [4, 5], 10, axis=1)[..., None]
    losses = engine.adapt(theta, FewShotSets(x, np.sin(x), x[0], np.sin(x)), (1, 3), 0.01).losses
    for task in range(2):
        net = reference.sequential(SMALL, theta)
        optimizer = reference.inner_optimizer(algorithm, net)
        for steps in range(1, 4):
            reference.step(optimizer, net, x[task], np.sin(x[task]))
            if steps != 2:
                expected = reference.loss_of(net, x[0], np.sin(x[task])).item()
                assert losses[task, steps // 2] == pytest.approx(expected, rel=1e-9)


def test_algorithms_without_a_kernel_train_on_pytorch_and_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Maml, "kernel", None)
    engine = make_engine(RunConfig(algorithm=Maml()))
    assert engine.name == "torch"
    assert engine.note == "PyTorch trains, as the fused engine cannot: no kernel for MAML"
    with pytest.raises(EngineError, match="no kernel for MAML"):
        make_engine(RunConfig(algorithm=Maml(), engine="fused"))


def test_fomaml_and_reptile_are_trained_if_none_is_named() -> None:
    assert DEFAULT_ALGORITHMS == ("fomaml", "reptile")
    assert [run.config.algorithm.name for run in specification_of({}).expand()] == [
        *DEFAULT_ALGORITHMS
    ]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_is_learned_beside_the_network_has_the_sizes_of_its_initial_values(name: str) -> None:
    algorithm, sizes = ALGORITHMS[name](), Sizes(parameters=7, inputs=1, units=3, task_parameters=2)
    learned = algorithm.learned(sizes)
    initial = algorithm.init(sizes, np.full(sum(learned.values()), 0.25))
    assert {key: len(values) for key, values in initial.items()} == learned


def test_cavia_adapts_the_first_bias_alone_and_begins_as_a_network_with_zeros_for_context() -> None:
    config = RunConfig(algorithm=Cavia(context_inputs=3), network=SMALL, precision="float64")
    theta = make_engine(config).initial_state().theta
    model, meta = TorchMLP(network_of(config)), torch.from_numpy(np.array(theta))
    x, y = torch.randn(2, 1, 5, 1, dtype=torch.float64), torch.randn(2, 1, 5, 1).double()
    first, *_, phi = config.algorithm.adapt(model, meta, x, y, 3, 1.0)
    changed = (phi != first).any(0).numpy()
    assert first.numpy().tobytes() == theta[: network_of(config).n_parameters].tobytes() * 2
    assert np.flatnonzero(changed).tolist() == list(range(16, 32))
    given = np.abs(theta[network_of(config).n_parameters :])
    assert 0.4 < given.max() < 0.5  # PyTorch's bound for 1 + 3 inputs


def test_an_oracle_knows_the_task_and_does_not_adapt() -> None:
    algorithm = Oracle(outer_lr=0.02, tasks=10)
    config = RunConfig(algorithm=algorithm, network=SMALL, precision="float64")
    engine = make_engine(config)
    theta = engine.advance(engine.initial_state(), 300).state.theta
    losses = many_tasks(engine, theta, config, EvaluationProtocol(tasks=50, steps=(5,)))
    assert (losses[:, 0] == losses[:, 1]).all()
    assert losses.mean() < 1  # 4 without the parameters
    other = EvaluationProtocol(tasks=5)
    with pytest.raises(EngineError, match="must be given 2 parameters of each task"):
        many_tasks(engine, theta, dataclasses.replace(config, tasks=QuadraticTasks()), other)


def test_a_random_initialisation_is_never_changed(engine_name: str) -> None:
    config = RunConfig(algorithm=RandomInitialisation(), network=SMALL, engine=engine_name)
    engine = make_engine(config)
    start = engine.initial_state()
    assert engine.advance(start, 10).state.theta.tobytes() == start.theta.tobytes()
