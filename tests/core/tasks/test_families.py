"""Every task family: pure, within its ranges, the same in bulk, and trained by both engines."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.engines import make_engine
from core.errors import ConfigError
from core.evaluation.few_shot_tasks import PRESETS, draw_many, draw_task
from core.evaluation_protocol import EvaluationProtocol
from core.models.settings import NetworkConfig
from core.tasks.counter_random import uniforms
from core.tasks.family import TaskFamily
from core.tasks.functions import TaskFunction, query_grid, usual_height
from core.tasks.harmonic import HarmonicTasks
from core.tasks.polynomials import CubicTasks, LineTasks, QuadraticTasks
from core.tasks.registry import FAMILIES
from core.tasks.sampler import TaskSampler
from core.tasks.sine import SineTasks
from core.tasks.streams import Stream
from tests.support.states import bits
from tests.support.strategies import SEEDS

SMALL = NetworkConfig(hidden=(8, 8))
ANY_FAMILY = pytest.mark.parametrize(
    "family",
    [*(kind() for kind in FAMILIES.values()), SineTasks(frequency=(0.8, 1.2))],
    ids=str,
)

FORMULAS = {
    LineTasks: lambda x, a, b: a * x + b,
    QuadraticTasks: lambda x, a, b, c: a * x**2 + b * x + c,
    CubicTasks: lambda x, a, b, c, d: a * x**3 + b * x**2 + c * x + d,
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
    draws = uniforms(3, Stream.TRAINING, 7, 2, 3 * (family.draws + 4)).reshape(2, 3, -1)
    for index in np.ndindex(2, 3):
        parameters = tuple(family.values(draws[index][: family.draws]).tolist())
        function = TaskFunction(family, parameters)
        assert data.y[index][0] == pytest.approx(function(data.x[index][0]))
        assert data.query_y[index] == pytest.approx(function(data.query_x))


@ANY_FAMILY
def test_uniform_parameters_fill_their_ranges(family: TaskFamily) -> None:
    values = family.values(uniforms(0, Stream.TRAINING, 0, 2_000, family.draws))
    assert values.shape == (2_000, len(family.parameters))
    for name, (low, high), column in zip(family.parameters, family.ranges, values.T, strict=True):
        if isinstance(family, HarmonicTasks) and name in ("a1", "a2"):
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
    assert first.support_x.shape[1] == 1


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
    with pytest.raises(ConfigError, match="one of sine, line"):
        RunConfig.from_dict({"algorithm": {"name": "fomaml"}, "tasks": {"name": "square"}})


def test_query_points_of_two_inputs_cover_their_square_and_do_not_change() -> None:
    grid = query_grid(Plane(), 64)
    assert grid.shape == (64, 2)
    assert grid.tolist() == query_grid(Plane(), 100)[:64].tolist()
    counts, *_ = np.histogram2d(*grid.T, bins=4, range=[(0, 5), (0, 5)])
    assert counts.min() >= 2


def test_a_family_of_two_inputs_is_trained_by_pytorch_and_resumes_to_the_bit() -> None:
    config = RunConfig(algorithm=Fomaml(), network=SMALL, tasks=Plane())
    engine = make_engine(config)
    assert (engine.name, engine.note.partition(":")[0]) == (
        "torch",
        "PyTorch trains, as the fused engine cannot",
    )
    start = engine.initial_state()
    whole = engine.advance(start, 6).state
    half = engine.advance(start, 2).state
    assert bits(engine.advance(half, 4).state) == bits(whole)
    assert len(whole.theta) == SMALL.parameters(inputs=2)
