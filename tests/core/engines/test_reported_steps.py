"""Every engine reports an adaptation after any steps, and its numbers depend on no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engines import make_engine
from core.engines.base import Adaptation, Engine, FewShotSets
from core.engines.torch.engine import TASKS_AT_ONCE
from tests.support.runs import small_config
from tests.support.strategies import configs

LAST = 12
PRECISIONS = ["float32", "float64"]
STEPS = st.lists(st.integers(0, LAST), min_size=1, unique=True).map(sorted)


def sets_of(n_tasks: int, shots: int, seed: int = 0, task_parameters: int = 2) -> FewShotSets:
    random = np.random.default_rng(seed)
    x, y = random.uniform(-5, 5, (2, n_tasks, shots, 1))
    grid = np.linspace(-5, 5, 21)[:, None]
    known = random.uniform(0.1, 5, (n_tasks, task_parameters))
    return FewShotSets(x, y, grid, random.normal(size=(n_tasks, 21, 1)), known)


def of_every_step(engine: Engine, sets: FewShotSets) -> Adaptation:
    theta = engine.initial_state().theta
    return engine.adapt(theta, sets, range(LAST + 1), 0.02, every_step=True)


@pytest.mark.parametrize("precision", PRECISIONS)
@given(data=st.data(), steps=STEPS, n_tasks=st.integers(1, 3), shots=st.integers(1, 12))
def test_losses_at_some_steps_are_those_of_an_adaptation_that_reports_all(
    engine_name: str,
    precision: str,
    data: st.DataObject,
    steps: list[int],
    n_tasks: int,
    shots: int,
) -> None:
    config = data.draw(configs(engine_name, precision))
    engine = make_engine(config)
    sets = sets_of(n_tasks, shots, task_parameters=len(config.tasks.parameters))
    some = engine.adapt(engine.initial_state().theta, sets, steps, 0.02)
    assert some.losses.tobytes() == of_every_step(engine, sets).losses[:, steps].tobytes()


@pytest.mark.parametrize("precision", PRECISIONS)
@given(data=st.data(), steps=STEPS)
def test_the_predictions_of_the_first_and_the_last_reported_step_are_kept(
    engine_name: str, precision: str, data: st.DataObject, steps: list[int]
) -> None:
    config = data.draw(configs(engine_name, precision))
    engine = make_engine(config)
    sets = sets_of(2, 5, task_parameters=len(config.tasks.parameters))
    some = engine.adapt(engine.initial_state().theta, sets, steps, 0.02)
    every = of_every_step(engine, sets).predictions
    ends = sorted({steps[0], steps[-1]})
    assert some.predictions.shape == (2, len(ends), 21, 1)
    assert some.predictions.tobytes() == every[:, ends].tobytes()
    assert some.before.tobytes() == every[:, steps[0]].tobytes()
    assert some.after.tobytes() == every[:, steps[-1]].tobytes()


@pytest.mark.parametrize("precision", PRECISIONS)
@given(data=st.data(), steps=STEPS)
def test_on_request_the_predictions_of_all_reported_steps_are_kept(
    engine_name: str, precision: str, data: st.DataObject, steps: list[int]
) -> None:
    config = data.draw(configs(engine_name, precision))
    engine = make_engine(config)
    sets = sets_of(2, 5, task_parameters=len(config.tasks.parameters))
    theta = engine.initial_state().theta
    some = engine.adapt(theta, sets, steps, 0.02, every_step=True)
    assert some.predictions.shape == (2, len(steps), 21, 1)
    assert some.predictions.tobytes() == of_every_step(engine, sets).predictions[:, steps].tobytes()
    assert some.losses.tobytes() == engine.adapt(theta, sets, steps, 0.02).losses.tobytes()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_tasks_that_are_adapted_in_parts_report_the_same_steps(
    engine_name: str, precision: str
) -> None:
    engine = make_engine(small_config(engine_name, precision=precision))
    sets = sets_of(2 * TASKS_AT_ONCE + 1, 5)
    some = engine.adapt(engine.initial_state().theta, sets, (1, 5), 0.02)
    every = of_every_step(engine, sets)
    assert some.losses.tobytes() == every.losses[:, [1, 5]].tobytes()
    assert some.predictions.tobytes() == every.predictions[:, [1, 5]].tobytes()


def test_losses_are_the_squared_errors_of_the_predictions(engine_name: str) -> None:
    engine = make_engine(small_config(engine_name, precision="float64"))
    sets = sets_of(3, 5)
    found = engine.adapt(engine.initial_state().theta, sets, (0, 2, 7), 0.02, every_step=True)
    errors = ((found.predictions - sets.query_y[:, None]) ** 2).mean((2, 3))
    assert found.losses == pytest.approx(errors, rel=1e-12)
