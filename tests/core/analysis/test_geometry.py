"""The geometry of an iteration against autograd, an engine, and closed forms."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.analysis.answers import LARGEST_ANSWER, AnyAnswer, Traced
from core.analysis.geometry import MOST_TRACED, cosine, plane, trace
from core.analysis.theta_cache import Theta
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import TrainState
from core.errors import ConfigError, QuestionError
from core.tasks.sampler import TaskSampler
from tests.support import reference
from tests.support.live_runs import trained
from tests.support.reference import Array

ALGORITHMS = [
    Fomaml(),
    Fomaml(tasks=2, inner_steps=4, reduction="mean"),
    Reptile(),
    Reptile(tasks=3, inner_epochs=2, schedule="linear"),
    Fomaml(outer_optimizer="adam"),
    Reptile(outer_optimizer="momentum"),
]
EXACT = 1e-9
"""In float64 some thousand operations leave 1e-13."""


def theta_of(config: RunConfig, state: TrainState) -> Theta:
    return Theta(config, state.iteration, state.theta, state.moments)


def literally(config: RunConfig, state: TrainState) -> tuple[list[list[Array]], Array, Array]:
    """Paths of all tasks from theta on, and both directions, by autograd."""
    source = TaskSampler(config.tasks, config.seed, config.precision)
    data = config.algorithm.batches(source, state.iteration, 1)
    algorithm = config.algorithm
    paths, fomaml, reptile = [], [], []
    for task in range(algorithm.tasks):
        net = reference.sequential(config.network, state.theta)
        path = [reference.flat(net).copy()]
        if isinstance(algorithm, Fomaml):
            minibatches = [(data.x[0, task, 0], data.y[0, task, 0])] * algorithm.inner_steps
            query_x, query_y = data.query_x, data.query_y[0, task]
        else:
            minibatches = list(zip(data.x[0, task], data.y[0, task], strict=True))
            query_x, query_y = data.x[0, task].reshape(-1), data.y[0, task].reshape(-1)
        for x, y in minibatches:
            reference.sgd_step(net, x, y, algorithm.inner_lr)
            path.append(reference.flat(net).copy())
        loss = reference.loss_of(net, query_x, query_y)
        parts = torch.autograd.grad(loss, list(net.parameters()))
        fomaml.append(torch.cat([part.reshape(-1) for part in parts]).numpy())
        reptile.append(path[0] - path[-1])
        paths.append(path)
    return paths, np.sum(fomaml, axis=0), np.sum(reptile, axis=0)


def angle(one: Array, other: Array) -> float:
    return float(one @ other / math.sqrt((one @ one) * (other @ other)))


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_lengths_and_cosines_agree_with_autograd(algorithm: Algorithm) -> None:
    config, state = trained(algorithm=algorithm, precision="float64")
    found = trace(theta_of(config, state))
    paths, fomaml, reptile = literally(config, state)
    for path, length, distance in zip(paths, found.lengths, found.distances, strict=True):
        steps = [math.dist(a, b) for a, b in pairwise(path)]
        assert length == pytest.approx(sum(steps), rel=EXACT)
        assert distance == pytest.approx(math.dist(path[0], path[-1]), rel=EXACT)
    assert found.fomaml_reptile == pytest.approx(angle(fomaml, reptile), rel=EXACT)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
def test_the_outer_steps_are_the_next_ones_of_the_run(algorithm: Algorithm) -> None:
    config, state = trained(algorithm=algorithm, precision="float64")
    found = trace(theta_of(config, state))
    engine = make_engine(config)
    first = engine.advance(state, 1).state
    second = engine.advance(first, 1).state
    step = first.theta - state.theta
    assert found.exact
    assert found.iteration == state.iteration
    assert found.update_norm == pytest.approx(float(np.sqrt(step @ step)), rel=EXACT)
    assert found.successive == pytest.approx(angle(step, second.theta - first.theta), rel=1e-8)


def test_without_moments_the_outer_steps_are_plain_sgd() -> None:
    config, state = trained(algorithm=Fomaml(outer_optimizer="adam"), precision="float64")
    found = trace(Theta(config, state.iteration, state.theta, None))
    _, fomaml, _ = literally(config, state)
    assert not found.exact
    assert found.update_norm == pytest.approx(0.01 * float(np.sqrt(fomaml @ fomaml)), rel=EXACT)


@pytest.mark.parametrize("algorithm", ALGORITHMS[:4], ids=repr)
def test_points_are_projected_on_their_principal_plane(algorithm: Algorithm) -> None:
    config, state = trained(algorithm=algorithm, precision="float64")
    found = trace(theta_of(config, state))
    paths, *_ = literally(config, state)
    end = make_engine(config).advance(state, 1).state.theta
    points = np.array([paths[0][0], *(phi for path in paths for phi in path[1:]), end])
    centred = points - points.mean(0)
    # By the eigenvalues of the inner products, not by a decomposition of the points.
    values = np.linalg.eigvalsh(centred @ centred.T)[::-1]
    assert found.explained == pytest.approx(values[:2] / values.sum(), rel=1e-6)
    shown = np.array([(0.0, 0.0), *(point for path in found.paths for point in path), found.update])
    # The best plane loses just the variance of all other directions.
    lost = (centred**2).sum() - ((shown - shown.mean(0)) ** 2).sum()
    assert lost == pytest.approx(values[2:].sum(), abs=1e-9 * values.sum())
    # Projected points are nowhere farther apart than the points are.
    for one in range(len(points)):
        assert math.dist(shown[0], shown[one]) <= math.dist(points[0], points[one]) * (1 + 1e-9)


@given(
    places=st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=3, max_size=9),
    turn=st.integers(0, 10**6),
)
def test_points_in_a_plane_keep_their_distances(
    places: list[tuple[float, float]], turn: int
) -> None:
    basis, _ = np.linalg.qr(np.random.default_rng(turn).normal(size=(7, 2)))
    flat = np.array(places)
    shown, explained = plane(flat @ basis.T + 3.0)
    for one in range(len(places)):
        for other in range(one):
            assert math.dist(shown[one], shown[other]) == pytest.approx(
                math.dist(places[one], places[other]), abs=1e-6
            )
    if len(set(places)) > 1 and np.ptp(flat, axis=0).max() > 1e-6:
        assert sum(explained) == pytest.approx(1)
    assert shown[0].tolist() == [0, 0]
    assert (shown[-1] >= 0).all()


def test_identical_points_are_projected_on_one_point() -> None:
    shown, explained = plane(np.ones((4, 6)))
    assert shown.tolist() == [[0, 0]] * 4
    assert explained == (0, 0)


def test_the_axis_of_largest_variance_is_the_first() -> None:
    points = np.zeros((3, 5))
    points[1, 3], points[2, 1] = 4.0, 1.0
    shown, explained = plane(points)
    assert np.abs(shown[1]).argmax() == 0
    assert explained[0] > explained[1]


@given(st.lists(st.floats(-9, 9), min_size=3, max_size=3))
def test_a_cosine_is_at_most_one(values: list[float]) -> None:
    vector = np.array(values)
    found = cosine(vector, 3 * vector)
    if np.linalg.norm(vector) > 1e-100:
        assert found == pytest.approx(1)
        assert found <= 1
        assert cosine(vector, -vector) == pytest.approx(-1)


def test_a_zero_vector_has_no_cosine() -> None:
    assert cosine(np.zeros(3), np.ones(3)) is None


def test_a_trace_is_deterministic() -> None:
    config, state = trained()
    assert trace(theta_of(config, state)) == trace(theta_of(config, state))


def test_an_iteration_that_diverges_raises() -> None:
    config, state = trained(
        algorithm=Fomaml(inner_lr=1e300, inner_steps=3), iterations=0, precision="float64"
    )
    with pytest.raises(QuestionError, match="it diverges"):
        trace(theta_of(config, state))


def test_too_many_points_are_refused() -> None:
    config, state = trained(algorithm=Reptile(tasks=101), iterations=0)
    with pytest.raises(ConfigError, match="tasks x inner steps: must be"):
        trace(theta_of(config, state))


def test_the_largest_trace_keeps_its_size_limit_and_survives_encoding() -> None:
    config, state = trained(algorithm=Fomaml(tasks=MOST_TRACED), iterations=0)
    found = trace(theta_of(config, state))
    assert len(msgspec.msgpack.encode(found)) <= LARGEST_ANSWER
    for wire in (msgspec.msgpack, msgspec.json):
        assert wire.decode(wire.encode(found), type=AnyAnswer) == found


@pytest.mark.parametrize("change", [{"lengths": ()}, {"paths": ((), (), ())}])
def test_an_inconsistent_answer_is_refused(change: dict[str, object]) -> None:
    plain = msgspec.to_builtins(trace(theta_of(*trained())))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plain, **change}, Traced)
