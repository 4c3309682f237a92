"""Few-shot evaluation against a literal loop of ``torch.optim`` over tasks and steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import FewShotSets
from core.evaluation import adaptation
from core.evaluation.adaptation import few_shot, many_tasks
from core.evaluation.few_shot_tasks import (
    PROBES,
    FewShotTask,
    ManyTasks,
    ProbeName,
    draw_many,
    draw_task,
)
from core.evaluation.statistics import Statistics
from core.evaluation_protocol import EvaluationProtocol, ProtocolName, named_protocol
from core.models.settings import NetworkConfig
from core.tasks.family import QueryPoints
from core.tasks.functions import TaskFunction, query_grid
from core.tasks.sine import SineTasks
from tests.support import reference
from tests.support.reference import Array
from tests.support.strategies import SEEDS, WAVES, configs, fomamls, reptiles
from tests.support.waves import column, sine_wave

NETWORK = NetworkConfig(hidden=(12, 12))
ONE_STEP = EvaluationProtocol(steps=(1,), tasks=20, seed=5)


def config_of(engine_name: str, **settings: object) -> RunConfig:
    defaults = {"algorithm": Fomaml(), "network": NETWORK, "precision": "float64"}
    return RunConfig(engine=engine_name, **{**defaults, **settings})  # type: ignore[arg-type]


def literally(
    network: NetworkConfig, theta: Array, task: FewShotTask, grid: Array, steps: int, lr: float
) -> tuple[list[float], Array, Array]:
    """Return losses and predictions before and after, as the reference code computes them."""
    net = reference.sequential(network, theta)
    inputs = torch.tensor(grid).reshape(-1, 1)
    before = net(inputs).detach().numpy()[:, 0]
    losses = [reference.loss_of(net, grid, task.function(grid)).item()]
    for _ in range(steps):
        reference.sgd_step(net, task.support_x, task.support_y, lr)
        losses.append(reference.loss_of(net, grid, task.function(grid)).item())
    return losses, before, net(inputs).detach().numpy()[:, 0]


@given(
    data=st.data(), steps=st.integers(0, 12), shots=st.integers(1, 12), lr=st.floats(0.001, 0.05)
)
def test_few_shot_equals_a_literal_loop(
    engine_name: str, data: st.DataObject, steps: int, shots: int, lr: float
) -> None:
    config = data.draw(configs(engine_name, algorithm=st.one_of(fomamls(), reptiles())))
    engine = make_engine(config)
    theta = engine.initial_state().theta
    x = np.array(data.draw(st.lists(st.floats(-5, 5), min_size=shots, max_size=shots)))
    wave = sine_wave(data.draw(st.floats(0.1, 5)), data.draw(st.floats(0, 6.3)))
    task = FewShotTask(wave, column(x), wave(column(x)))
    found = few_shot(engine, theta, config.tasks, task, steps, lr)
    losses, before, after = literally(
        config.network, theta, task, query_grid(config.tasks), steps, lr
    )
    assert found.losses.shape == (1, steps + 1)
    # A loss of nearly 0 is a difference of numbers of order 1.
    assert found.losses[0] == pytest.approx(losses, rel=1e-9, abs=1e-14)
    assert found.before[0, :, 0] == pytest.approx(before, rel=1e-9, abs=1e-12)
    assert found.after[0, :, 0] == pytest.approx(after, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("n_tasks", [1, 3, 64, 65, 130])
def test_many_tasks_at_once_equal_one_after_the_other(engine_name: str, n_tasks: int) -> None:
    engine = make_engine(config_of(engine_name))
    theta = engine.initial_state().theta
    random = np.random.default_rng(0)
    x, y = random.uniform(-5, 5, (2, n_tasks, 10, 1))
    grid, targets = query_grid(SineTasks()), random.normal(size=(n_tasks, 50, 1))
    together = engine.adapt(theta, FewShotSets(x, y, grid, targets), range(4), 0.02)
    assert together.losses.shape == (n_tasks, 4)
    for task in (0, n_tasks // 2, n_tasks - 1):
        row = slice(task, task + 1)
        alone = engine.adapt(theta, FewShotSets(x[row], y[row], grid, targets[row]), range(4), 0.02)
        assert together.losses[row] == pytest.approx(alone.losses, rel=1e-12)
        assert together.before[row] == pytest.approx(alone.before, rel=1e-12)
        assert together.after[row] == pytest.approx(alone.after, rel=1e-12)


class Spy:
    """An engine that notes the tasks, steps and rates that it is asked for."""

    def __init__(self, config: RunConfig) -> None:
        self._engine = make_engine(config)
        self.theta = self._engine.initial_state().theta
        self.asked: list[tuple[FewShotSets, tuple[int, ...], float]] = []

    def adapt(self, theta: Array, sets: FewShotSets, steps: Sequence[int], lr: float) -> object:
        self.asked.append((sets, tuple(steps), lr))
        return self._engine.adapt(theta, sets, steps, lr)


def asked_for(
    config: RunConfig, protocol: EvaluationProtocol
) -> tuple[FewShotSets, tuple[int, ...], float]:
    """What ``many_tasks`` asks of the engine."""
    spy = Spy(config)
    many_tasks(spy, spy.theta, config, protocol)  # type: ignore[arg-type]
    (asked,) = spy.asked
    return asked


@pytest.mark.parametrize("query", ["grid", "random"])
def test_many_random_tasks_equal_a_literal_loop(engine_name: str, query: QueryPoints) -> None:
    config = config_of(engine_name)
    spy = Spy(config)
    protocol = EvaluationProtocol(steps=(1, 2, 3, 4), tasks=5, seed=7, query=query)
    losses = many_tasks(spy, spy.theta, config, protocol)  # type: ignore[arg-type]
    ((sets, _, _),) = spy.asked
    assert losses.shape == (5, 5)
    for index in range(5):
        net = reference.sequential(NETWORK, spy.theta)
        query_x = sets.query_x if query == "grid" else sets.query_x[index]
        expected = [reference.loss_of(net, query_x, sets.query_y[index]).item()]
        for _ in range(4):
            reference.sgd_step(net, sets.support_x[index], sets.support_y[index], 0.02)
            expected.append(reference.loss_of(net, query_x, sets.query_y[index]).item())
        assert losses[index] == pytest.approx(expected, rel=1e-9)


def by_autograd(
    theta: Array, x: Array, y: Array, query_x: Array, query_y: Array, steps: int, lr: float
) -> list[float]:
    """Losses before and after each step of a tanh network with NETWORK's units, in float64."""
    sizes = list(pairwise((1, *NETWORK.hidden, 1)))
    phi = torch.tensor(theta)

    def loss_at(phi: torch.Tensor, x: Array, y: Array) -> torch.Tensor:
        h, start = torch.tensor(x)[:, None], 0
        for layer, (n_in, n_out) in enumerate(sizes):
            weight = phi[start : start + n_in * n_out].reshape(n_out, n_in)
            start += n_in * n_out
            z = h @ weight.T + phi[start : start + n_out]
            start += n_out
            h = z if layer == len(sizes) - 1 else torch.tanh(z)
        return ((h[:, 0] - torch.tensor(y)) ** 2).mean()

    losses = [loss_at(phi, query_x, query_y).item()]
    for _ in range(steps):
        phi.requires_grad_()
        (gradient,) = torch.autograd.grad(loss_at(phi, x, y), phi)
        phi = phi.detach() - lr * gradient
        losses.append(loss_at(phi, query_x, query_y).item())
    return losses


def test_losses_of_a_protocol_equal_those_by_autograd(engine_name: str) -> None:
    """Five shots, and a rate that is not the run's 0.02; all by the definitions, in float64."""
    config = config_of(engine_name)
    protocol = EvaluationProtocol(shots=5, steps=(1, 5, 10), inner_lr=0.01, tasks=20, seed=3)
    theta = make_engine(config).initial_state().theta
    found = many_tasks(make_engine(config), theta, config, protocol)
    drawn = draw_many(protocol, config.tasks)
    query_x = np.linspace(-5, 5, 50)
    assert found.shape == (20, 4)
    for index in range(20):
        amplitude, phase = drawn.parameters[index]
        x = drawn.sets.support_x[index][:, 0]
        assert x.shape == (5,)
        y, query_y = (amplitude * np.sin(points + phase) for points in (x, query_x))
        losses = by_autograd(theta, x, y, query_x, query_y, 10, 0.01)
        assert found[index] == pytest.approx([losses[step] for step in (0, 1, 5, 10)], rel=1e-9)


@given(
    steps=st.lists(st.integers(0, 12), min_size=1, unique=True).map(sorted).map(tuple),
    precision=st.sampled_from(["float32", "float64"]),
)
def test_losses_at_some_steps_are_those_of_an_evaluation_of_all(
    engine_name: str, steps: tuple[int, ...], precision: str
) -> None:
    config = config_of(engine_name, precision=precision)
    engine = make_engine(config)
    theta = engine.initial_state().theta
    protocol = EvaluationProtocol(steps=steps, tasks=3)
    some = many_tasks(engine, theta, config, protocol)
    every = dataclasses.replace(protocol, steps=tuple(range(13)))
    assert protocol.reported_steps == tuple(sorted({0, *steps}))
    columns = many_tasks(engine, theta, config, every)[:, protocol.reported_steps]
    assert some.tobytes() == columns.tobytes()


def test_the_inner_rate_is_that_of_the_protocol_or_of_the_run(engine_name: str) -> None:
    config = config_of(engine_name, algorithm=Fomaml(inner_lr=0.03))
    own = dataclasses.replace(ONE_STEP, inner_lr=0.01)
    assert asked_for(config, ONE_STEP)[2] == 0.03
    assert asked_for(config, own)[2] == 0.01


def test_the_steps_are_those_of_the_protocol(engine_name: str) -> None:
    protocol = dataclasses.replace(ONE_STEP, steps=(2, 7))
    assert asked_for(config_of(engine_name), protocol)[1] == (0, 2, 7)


def test_the_family_is_that_of_the_protocol_or_of_the_run(engine_name: str) -> None:
    waves = SineTasks(amplitude=(1.0, 2.0), x=(0.0, 1.0))
    config = config_of(engine_name, tasks=waves)
    sets, _, _ = asked_for(config, ONE_STEP)
    assert 0 <= sets.support_x.min() <= sets.support_x.max() <= 1
    assert sets.query_x.tolist() == query_grid(waves).tolist()
    assert np.abs(sets.query_y).max() <= 2
    other = SineTasks(amplitude=(50.0, 50.0), phase=(0.0, 0.0), x=(10.0, 20.0))
    sets, _, _ = asked_for(config, dataclasses.replace(ONE_STEP, family=other))
    assert 10 <= sets.support_x.min() <= sets.support_x.max() <= 20
    assert sets.query_x.tolist() == query_grid(other).tolist()
    assert sets.query_y[0] == pytest.approx(50 * np.sin(sets.query_x))


@given(data=st.data(), steps=st.integers(0, 6), more=st.integers(0, 6))
def test_the_predictions_of_every_step_begin_with_those_of_fewer_steps(
    engine_name: str, data: st.DataObject, steps: int, more: int
) -> None:
    config = data.draw(configs(engine_name, data.draw(st.sampled_from(["float32", "float64"]))))
    engine = make_engine(config)
    theta = engine.initial_state().theta
    task = draw_task(config.tasks, 0, PROBES["random"], 0)
    longer = few_shot(engine, theta, config.tasks, task, steps + more, 0.02, every_step=True)
    ends = few_shot(engine, theta, config.tasks, task, steps, 0.02)
    assert longer.predictions.shape == (1, steps + more + 1, 50, 1)
    assert longer.losses[0, : steps + 1].tolist() == ends.losses[0].tolist()
    assert longer.predictions[0, 0].tolist() == ends.before[0].tolist()
    assert longer.predictions[0, steps].tolist() == ends.after[0].tolist()


@given(data=st.data())
def test_an_evaluation_leaves_theta_untouched(engine_name: str, data: st.DataObject) -> None:
    config = data.draw(configs(engine_name, data.draw(st.sampled_from(["float32", "float64"]))))
    engine = make_engine(config)
    theta = engine.initial_state().theta
    before = theta.tobytes()
    for probe in PROBES.values():
        task = draw_task(config.tasks, 0, probe, 0)
        few_shot(engine, theta, config.tasks, task, probe.steps, 0.02)
    many_tasks(engine, theta, config, EvaluationProtocol(tasks=3))
    assert theta.tobytes() == before


def test_an_evaluation_does_not_disturb_training(engine_name: str) -> None:
    config = config_of(engine_name)
    engine, other = make_engine(config), make_engine(config)
    state = expected = engine.initial_state()
    for iteration in range(20):
        task = draw_task(config.tasks, 0, PROBES["validation"], iteration)
        few_shot(engine, state.theta, config.tasks, task, 5, 0.02)
        state = engine.advance(state, 1).state
        expected = other.advance(expected, 1).state
    assert state.theta.tobytes() == expected.theta.tobytes()


def test_y_in_a_column_does_not_broadcast(engine_name: str) -> None:
    """(N, 1) against (N,) would compare every prediction with every target."""
    engine = make_engine(config_of(engine_name))
    theta = engine.initial_state().theta
    wave = sine_wave(4.0, 1.0)
    grid = query_grid(SineTasks())
    task = FewShotTask(wave, grid[:10], wave(grid[:10]))
    found = few_shot(engine, theta, SineTasks(), task, 0, 0.02)
    net = reference.sequential(NETWORK, theta)
    predicted = [net(torch.tensor(x)[None]).item() for x in grid]
    squares = [(p - wave.at(x)[0]) ** 2 for p, x in zip(predicted, grid, strict=True)]
    assert found.losses[0, 0] == pytest.approx(sum(squares) / 50, rel=1e-12)
    assert found.before.shape == found.after.shape == (1, 50, 1)


@pytest.mark.parametrize(
    ("name", "shots", "steps", "wave", "half"),
    [
        ("standard", 10, 32, sine_wave(4.0, 1.0), False),
        ("half-range", 5, 10, sine_wave(4.0, 1.0), True),
        ("compare", 5, 10, sine_wave(4.0, 1.0), True),
        ("random", 10, 32, None, False),
        ("validation", 10, 32, None, False),
    ],
)
def test_the_evaluations_are_those_of_the_reference_code(
    name: ProbeName, shots: int, steps: int, wave: TaskFunction | None, half: bool
) -> None:
    assert PROBES[name].steps == steps
    task = draw_task(SineTasks(), 0, PROBES[name], 0)
    assert len(task.support_x) == len(task.support_y) == shots
    if wave:
        assert task.function == wave
    if half:
        assert task.support_x.min() >= 0
    else:
        assert task.support_x.min() < 0


@given(waves=WAVES, seed=SEEDS, index=st.integers(0, 10**9))
def test_a_task_is_a_pure_function_of_its_arguments(
    waves: SineTasks, seed: int, index: int
) -> None:
    for draw in PROBES.values():
        first, again = (draw_task(waves, seed, draw, index) for _ in range(2))
        assert first.function == again.function
        assert first.support_x.tolist() == again.support_x.tolist()
        assert first.support_y.tolist() == first.function(first.support_x).tolist()
        low, high = waves.x
        is_half = draw.protocol == "source-half-range"
        assert first.support_x.min() >= (low + (high - low) / 2 if is_half else low) - 1e-9
        assert first.support_x.max() <= high
        if not draw.fixed:
            amplitude, phase = first.function.parameters[:2]
            assert waves.amplitude[0] <= amplitude <= waves.amplitude[1] + 1e-12
            assert waves.phase[0] <= phase <= waves.phase[1] + 1e-12


def test_successive_tasks_of_a_protocol_differ() -> None:
    for draw in PROBES.values():
        first, second = (draw_task(SineTasks(), 0, draw, index) for index in (0, 1))
        assert not np.isin(first.support_x, second.support_x).any()


def test_loss_per_step_uses_the_support_set_of_the_half_range() -> None:
    half, compare = (
        draw_task(SineTasks(), 0, PROBES[name], 3) for name in ("half-range", "compare")
    )
    assert half.support_x.tolist() == compare.support_x.tolist()


@pytest.mark.parametrize(("name", "shots"), [("source", 10), ("source-half-range", 5)])
def test_several_networks_are_compared_on_the_same_tasks(
    engine_name: str, name: ProtocolName, shots: int
) -> None:
    protocol = dataclasses.replace(named_protocol(name, SineTasks()), tasks=20, seed=5, steps=(1,))
    first, second = (asked_for(config_of(engine_name, seed=seed), protocol)[0] for seed in (1, 2))
    assert first.support_x.tolist() == second.support_x.tolist()
    assert first.query_y.tolist() == second.query_y.tolist()
    assert first.support_x.shape == (20, shots, 1)
    assert (first.support_x.min() >= 0) == (name == "source-half-range")


def test_drawn_tasks_are_the_evaluated_ones(engine_name: str) -> None:
    config = config_of(engine_name)
    engine = make_engine(config)
    theta = engine.initial_state().theta
    drawn = draw_many(ONE_STEP, SineTasks())
    wave = drawn.task(7).function
    assert drawn.sets.support_y[7].tolist() == wave(drawn.sets.support_x[7]).tolist()
    assert drawn.sets.query_y[7].tolist() == wave(drawn.sets.query_x).tolist()
    losses = many_tasks(engine, theta, config, ONE_STEP)
    assert losses.tolist() == engine.adapt(theta, drawn.sets, (0, 1), 0.02).losses.tolist()


@pytest.mark.parametrize(("tasks", "times"), [(20, 1), (2_000, 2)], ids=["few", "many"])
def test_few_tasks_are_drawn_once_for_all_networks(
    monkeypatch: pytest.MonkeyPatch, tasks: int, times: int
) -> None:
    drawn = []

    def draw(*arguments: Any) -> ManyTasks:
        drawn.append(arguments)
        return draw_many(*arguments)

    monkeypatch.setattr(adaptation, "draw_many", draw)
    protocol = EvaluationProtocol(steps=(1,), tasks=tasks, seed=9)
    for seed in (0, 1):
        config = config_of("fused", seed=seed, network=NetworkConfig(hidden=(2,)))
        engine = make_engine(config)
        many_tasks(engine, engine.initial_state().theta, config, protocol)
    assert len(drawn) == times


def test_more_tasks_begin_with_the_same_tasks(engine_name: str) -> None:
    config = config_of(engine_name)
    engine = make_engine(config)
    theta = engine.initial_state().theta
    few, more = (
        many_tasks(engine, theta, config, dataclasses.replace(ONE_STEP, tasks=n)) for n in (10, 70)
    )
    assert more[:10] == pytest.approx(few, rel=1e-12)


@given(losses=st.lists(st.floats(0, 1e6), min_size=2, max_size=50))
def test_statistics_agree_with_numpy(losses: list[float]) -> None:
    found = Statistics.of(np.array(losses))
    margin = 1.96 * np.std(losses, ddof=1) / np.sqrt(len(losses))
    assert found.n == len(losses)
    assert found.mean == pytest.approx(np.mean(losses))
    assert found.median == pytest.approx(np.median(losses))
    assert found.high - found.mean == pytest.approx(margin, abs=1e-9)
    assert found.mean - found.low == pytest.approx(margin, abs=1e-9)


def test_a_heavy_tail_separates_mean_and_median() -> None:
    found = Statistics.of(np.array([0.1] * 99 + [100.0]))
    assert (found.n, found.median) == (100, 0.1)
    assert found.mean == pytest.approx(1.099)
    assert found.low < 0.1 < found.mean < found.high


def test_the_interval_covers_the_mean_of_normal_losses_in_95_percent() -> None:
    random = np.random.default_rng(0)
    samples = [Statistics.of(random.normal(1.0, 0.5, 100)) for _ in range(1_000)]
    covered = sum(found.low <= 1.0 <= found.high for found in samples)
    # 950 of 1,000 expected, with a standard deviation of 7.
    assert 915 <= covered <= 985


def test_tasks_that_diverged_are_counted_at_each_step() -> None:
    losses = np.array([[4.0, 0.1, 0.1], [5.0, 0.2, 449.0], [4.5, 1e17, np.nan], [4.5, 9.0, np.inf]])
    found = Statistics.per_step(losses)
    assert [one.diverged for one in found] == [0, 1, 2]
    assert found[1].mean == pytest.approx(2.5e16)


def test_one_task_has_no_interval() -> None:
    found = Statistics.of(np.array([0.5]))
    assert found == Statistics(1, 0.5, 0.5, 0.5, 0.5)
