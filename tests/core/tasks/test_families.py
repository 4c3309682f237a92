"""Every task family: pure, within its ranges, the same in bulk, and trained by both engines."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.base import Algorithm
from core.algorithms.fomaml import Fomaml
from core.algorithms.maml import Maml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.engines import make_engine
from core.engines.base import sampler_of
from core.errors import ConfigError
from core.evaluation.few_shot_tasks import PRESETS, draw_many, draw_task
from core.evaluation_protocol import EvaluationProtocol
from core.models.settings import NetworkConfig
from core.tasks.counter_random import uniforms
from core.tasks.family import TaskFamily
from core.tasks.functions import TaskFunction, query_grid, usual_height
from core.tasks.harmonic import HarmonicTasks
from core.tasks.mixture import MixtureTasks
from core.tasks.polynomials import CubicTasks, LineTasks, PolynomialTasks, QuadraticTasks
from core.tasks.registry import chosen_family, decode_family
from core.tasks.sampler import TaskSampler
from core.tasks.sine import SineTasks
from core.tasks.streams import Stream
from core.tasks.surfaces import RippleTasks, SurfaceTasks
from tests.support import reference
from tests.support.states import bits
from tests.support.strategies import FAMILY_EXAMPLES, SEEDS

SMALL = NetworkConfig(hidden=(8, 8))
ANY_FAMILY = pytest.mark.parametrize("family", FAMILY_EXAMPLES, ids=lambda one: one.name)

FORMULAS = {
    LineTasks: lambda x, a, b: a * x + b,
    QuadraticTasks: lambda x, a, b, c: a * x**2 + b * x + c,
    CubicTasks: lambda x, a, b, c, d: a * x**3 + b * x**2 + c * x + d,
    PolynomialTasks: lambda x, a, b, c: a * x**2 + b * x + c,
    HarmonicTasks: lambda x, w, a1, a2, b1, b2: (
        a1 * math.sin(w * x + b1) + a2 * math.sin(2 * w * x + b2)
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plane(TaskFamily):
    """A family of two inputs, as a user may define one."""

    name = table = "plane"
    plural = "planes"
    parameters = ("a", "b")
    inputs = 2

    a: tuple[float, float] = (-1.0, 1.0)
    b: tuple[float, float] = (-1.0, 1.0)
    x: tuple[float, float] = (0.0, 5.0)

    def y(self, x: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        a, b = parameters
        return a * x[..., :1] + b * x[..., 1:]


@pytest.mark.parametrize("kind", list(FORMULAS))
def test_a_task_is_its_formula(kind: type[TaskFamily]) -> None:
    family = kind()
    parameters = family.reference
    x = np.linspace(*family.x, 7)
    expected = [FORMULAS[kind](value, *parameters) for value in x.tolist()]
    assert TaskFunction(family, parameters).at(x).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("family", "label"),
    [
        (LineTasks(), "1.50·x - 2.00"),
        (QuadraticTasks(), "1.50·x² - 2.00·x + 0.25"),
        (CubicTasks(), "1.50·x³ - 2.00·x² + 0.25·x - 1.00"),
        (PolynomialTasks(), "1.50·x² - 2.00·x + 0.25"),
    ],
)
def test_a_polynomial_is_labelled_with_its_formula(family: TaskFamily, label: str) -> None:
    parameters = (1.5, -2.0, 0.25, -1.0)[: len(family.parameters)]
    assert family.label(*parameters) == label


@ANY_FAMILY
@given(
    seed=SEEDS,
    first=st.integers(0, 2**40),
    index=st.integers(0, 8),
    noise=st.sampled_from([0.0, 0.3]),
    fixed_tasks=st.sampled_from([0, 5]),
)
def test_drawing_twice_gives_the_same_and_any_chunk_too(
    family: TaskFamily, seed: int, first: int, index: int, noise: float, fixed_tasks: int
) -> None:
    source = TaskSampler(family, seed, noise=noise, fixed_tasks=fixed_tasks)
    for draw in (
        lambda at, n: source.few_shot(at, n, 2, 3, 5),
        lambda at, n: source.few_shot(at, n, 2, 3, 5, "random"),
        lambda at, n: source.minibatches(at, n, 2, 6, 3, 2),
    ):
        chunk, alone = draw(first, 9), draw(first + index, 1)
        assert chunk.y[index].tobytes() == alone.y[0].tobytes() == draw(first, 9).y[index].tobytes()
        assert chunk.x[index].tobytes() == alone.x[0].tobytes()
        assert chunk.query_y[index].tobytes() == alone.query_y[0].tobytes()


@ANY_FAMILY
def test_bulk_data_lies_on_the_functions_of_its_tasks(family: TaskFamily) -> None:
    data = TaskSampler(family, 3, "float64").few_shot(7, 2, 3, 4, 5)
    width = family.draws + 4 * family.inputs
    draws = uniforms(3, Stream.TRAINING, 7, 2, 3 * width).reshape(2, 3, width)
    query_x = np.broadcast_to(data.query_x, (2, 3, 5, family.inputs))
    for index in np.ndindex(2, 3):
        parameters = tuple(family.values(draws[index][: family.draws]).tolist())
        function = TaskFunction(family, parameters)
        assert data.y[index][0] == pytest.approx(function(data.x[index][0]))
        assert data.query_y[index] == pytest.approx(function(query_x[index]))


@ANY_FAMILY
def test_uniform_parameters_fill_their_ranges(family: TaskFamily) -> None:
    values = family.values(uniforms(0, Stream.TRAINING, 0, 2_000, family.draws))
    assert values.shape == (2_000, len(family.parameters))
    for name, (low, high), column in zip(family.parameters, family.ranges, values.T, strict=True):
        if name == "family":
            assert set(column) == set(range(len(family.groups)))
        elif isinstance(family, HarmonicTasks) and name in ("a1", "a2"):
            # 2,000 normal numbers: standard errors of 0.02 and 0.016.
            assert abs(column.mean()) < 0.1
            assert abs(column.std() - 1) < 0.08
        else:
            assert low <= column.min() < low + 0.01 * (high - low)
            assert high - 0.01 * (high - low) < column.max() <= high


@ANY_FAMILY
def test_a_configuration_of_any_family_survives_json(family: TaskFamily) -> None:
    config = RunConfig(algorithm=Fomaml(), tasks=family)
    plain = json.loads(json.dumps(config.to_dict()))
    assert RunConfig.from_dict(plain) == config
    assert ("waves" in plain) == (family.name == "sine")
    assert ("tasks" in plain) == (family.name != "sine")


@ANY_FAMILY
@pytest.mark.parametrize("algorithm", [Fomaml(), Reptile()], ids=["fomaml", "reptile"])
def test_both_engines_train_alike_on_any_family(
    family: TaskFamily, algorithm: Fomaml | Reptile
) -> None:
    if not family.is_curve:
        pytest.skip("runs on PyTorch")
    found = []
    for engine in ("torch", "fused"):
        config = RunConfig(
            algorithm=algorithm, network=SMALL, tasks=family, engine=engine, precision="float64"
        )  # type: ignore[arg-type]
        made = make_engine(config)
        found.append(made.advance(made.initial_state(), 3).state.theta)
    assert found[0] == pytest.approx(found[1], rel=1e-9, abs=1e-12)


@ANY_FAMILY
@pytest.mark.parametrize("draw", PRESETS.values(), ids=list(PRESETS))
def test_single_tasks_of_any_family_can_be_drawn(family: TaskFamily, draw: object) -> None:
    first, again = (draw_task(family, 1, draw, 2) for _ in range(2))  # type: ignore[arg-type]
    assert first.function == again.function
    assert first.support_y.tolist() == again.support_y.tolist()
    assert first.support_x.shape[1] == family.inputs


@ANY_FAMILY
@pytest.mark.parametrize("algorithm", [Fomaml(query="random"), Maml(), Reptile()], ids=repr)
def test_the_outer_gradient_on_any_family_is_that_of_autograd(
    family: TaskFamily, algorithm: Algorithm
) -> None:
    config = RunConfig(
        algorithm=algorithm,
        network=SMALL,
        tasks=family,
        engine="torch",
        precision="float64",
        noise=0.3,
        fixed_tasks=9,
    )
    state = make_engine(config).initial_state()
    data = algorithm.batches(sampler_of(config), 0, 1).iteration(0)
    net = reference.sequential(SMALL, state.theta, family.inputs)
    loss, gradient = reference.outer_gradient(algorithm, net, *data)
    found = make_engine(config).advance(state, 1)
    assert found.losses[0] == pytest.approx(loss, rel=1e-9)
    update = (state.theta - found.state.theta) / algorithm.outer_lr
    assert reference.distance(update, gradient) < 1e-9


@ANY_FAMILY
def test_training_on_any_family_resumes_to_the_bit(family: TaskFamily) -> None:
    config = RunConfig(
        algorithm=Fomaml(outer_lr=1e-4), network=SMALL, tasks=family, noise=0.3, fixed_tasks=9
    )
    engine, again = make_engine(config), make_engine(config)
    whole = engine.advance(engine.initial_state(), 6).state
    half = engine.advance(engine.initial_state(), 2).state
    assert bits(again.advance(half, 4).state) == bits(whole)


@ANY_FAMILY
def test_usual_tasks_are_about_as_high_as_their_family(family: TaskFamily) -> None:
    drawn = draw_many(EvaluationProtocol(tasks=300), family)
    highest = float(np.abs(drawn.sets.query_y).max())
    assert usual_height(family) == pytest.approx(highest, rel=0.3)


def test_a_setting_of_a_family_is_checked() -> None:
    with pytest.raises(ConfigError, match=r"line\.slope"):
        LineTasks(slope=(1.0, -1.0))
    with pytest.raises(ConfigError, match=r"harmonic\.deviation"):
        HarmonicTasks(deviation=0.0)
    with pytest.raises(ConfigError, match=r"polynomial\.order"):
        PolynomialTasks(order=(2, 1))
    with pytest.raises(ConfigError, match="must be built in or registered"):
        RunConfig.from_dict({"algorithm": {"name": "fomaml"}, "tasks": {"name": "square"}})


def test_query_points_of_two_inputs_cover_their_square_and_do_not_change() -> None:
    grid = query_grid(Plane(), 64)
    assert grid.shape == (64, 2)
    assert grid.tolist() == query_grid(Plane(), 100)[:64].tolist()
    counts, *_ = np.histogram2d(*grid.T, bins=4, range=[(0, 5), (0, 5)])
    assert counts.min() >= 2


def test_a_family_of_two_inputs_is_trained_by_the_fused_engine_and_resumes_to_the_bit() -> None:
    config = RunConfig(algorithm=Fomaml(), network=SMALL, tasks=Plane())
    engine = make_engine(config)
    assert (engine.name, engine.note) == ("fused", "")
    start = engine.initial_state()
    whole = engine.advance(start, 6).state
    half = engine.advance(start, 2).state
    assert bits(engine.advance(half, 4).state) == bits(whole)
    assert len(whole.theta) == SMALL.parameters(inputs=2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Circle(TaskFamily):
    """A family of two outputs."""

    name = table = "circle"
    plural = "circles"
    parameters = ("radius",)
    outputs = 2

    radius: tuple[float, float] = (1.0, 2.0)
    x: tuple[float, float] = (0.0, 6.0)

    def y(self, x: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        return parameters[0] * np.concatenate([np.cos(x), np.sin(x)], axis=-1)


def test_a_family_of_two_outputs_is_trained_by_pytorch() -> None:
    engine = make_engine(RunConfig(algorithm=Fomaml(), network=SMALL, tasks=Circle()))
    reason = "PyTorch trains, as the fused engine cannot: circles have 2 outputs"
    assert (engine.name, engine.note) == ("torch", reason)
    state = engine.advance(engine.initial_state(), 2).state
    assert len(state.theta) == SMALL.parameters(outputs=2)


def test_polynomials_have_each_order_equally_often_and_half_as_large_coefficients() -> None:
    family = PolynomialTasks(order=(0, 3))
    values = family.values(uniforms(0, Stream.TRAINING, 0, 4_000, family.draws))
    orders = np.bincount((values != 0).sum(1) - 1)
    assert orders.min() > 900  # 1,000 expected, with a standard deviation of 27
    assert np.abs(values).max(0) == pytest.approx([1 / 8, 1 / 4, 1 / 2, 1], rel=0.01)
    assert family.label(0.0, 0.0, 0.5, -1.0) == "0.50·x - 1.00"
    assert family.label(0.0, 0.0, 0.0, 0.0) == "0.00"
    assert PolynomialTasks(order=(2, 2)).values(np.full((1, 4), 0.9)).all()


def test_surfaces_are_their_formulas() -> None:
    x = np.array([[1.0, 2.0]])
    assert TaskFunction(SurfaceTasks(), (0.5, -1.0))(x).item() == pytest.approx(0.5 - 4)
    assert TaskFunction(RippleTasks(), (0.1, 2.0))(x).item() == pytest.approx(2 - math.sin(0.5))
    assert SurfaceTasks().label(0.5, -1.0) == "0.50·x1² - 1.00·x2²"
    assert RippleTasks().label(0.1, -2.0) == "sin(-0.10·(x1² + x2²)) - 2.00"


MIXED = chosen_family({"tasks": "sine+line", "line": {"slope": [1.0, 1.0]}})


def test_tasks_of_a_mixture_are_of_its_families_equally_often_and_say_of_which() -> None:
    drawn = draw_many(EvaluationProtocol(tasks=1_000), MIXED)
    members = [MIXED.member(*parameters) for parameters in drawn.parameters.tolist()]
    lines = [own for one, own in members if isinstance(one, LineTasks)]
    assert 440 < len(lines) < 560  # a standard deviation of 16
    assert {slope for slope, _ in lines} == {1.0}
    assert MIXED.label(1.0, 1.0, -2.0) == "line: 1.00·x - 2.00"
    assert MIXED.label(0.0, 4.0, 1.0) == "sine: 4.00·sin(x + 1.00)"
    assert MIXED.reference_of(1) == (1.0, 1.0, 1.5)
    for number, function in ((0, lambda x: 4 * math.sin(x + 1)), (1, lambda x: 4 * x + 1)):
        found = TaskFunction(MIXED, (float(number), 4.0, 1.0)).at(np.array([0.5, 2.0]))
        assert found.tolist() == pytest.approx([function(0.5), function(2.0)])


def test_families_of_one_input_have_1_as_the_other_in_a_mixture_of_surfaces() -> None:
    settings = {name: {"x": [0.0, 5.0]} for name in ("waves", "line")}
    family = chosen_family({"tasks": "sine+line+surface", **settings})
    for data in (
        TaskSampler(family, 0).few_shot(0, 50, 2, 3, 4),
        TaskSampler(family, 0).few_shot(0, 50, 2, 3, 4, "random"),
        TaskSampler(family, 0).minibatches(0, 50, 2, 6, 3, 1),
    ):
        second = data.x[..., 1].reshape(100, -1)
        fixed = (second == 1).all(1)
        assert 40 < fixed.sum() < 90  # two of three
        assert (second[~fixed] != 1).any(1).all()
        if data.query_x.size:
            assert ((data.query_x[..., 1].reshape(100, -1) == 1).all(1) == fixed).all()


def test_a_mixture_is_named_by_its_families_and_keeps_their_settings() -> None:
    config = RunConfig(algorithm=Fomaml(), tasks=MIXED)
    plain = config.to_dict()["tasks"]
    assert plain["name"] == "sine+line"
    assert plain["line"]["slope"] == [1.0, 1.0]
    assert "frequency" not in plain["waves"]
    assert decode_family(plain, "tasks") == MIXED


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("sine+sine", "different families"),
        ("sine+square", "several with"),
        ("sine+polynomial", r"same x; waves\.x is \(-5\.0, 5\.0\), polynomial\.x"),
        ("sine+", "several with"),
    ],
)
def test_a_mixture_of_other_families_is_refused(name: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        chosen_family({"tasks": name})
    with pytest.raises(ConfigError):
        MixtureTasks(families=(SineTasks(),))
