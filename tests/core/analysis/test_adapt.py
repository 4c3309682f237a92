"""Answers equal those of ``core.evaluation.adaptation`` bit for bit, at every step."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.adapt import adapt
from core.analysis.answers import LARGEST_ANSWER, Adapted, AnyAnswer
from core.analysis.lab_tasks import draw_preset
from core.analysis.questions import (
    MOST_POINTS,
    MOST_UPDATES,
    Adapt,
    ExplicitTask,
    Live,
    SampledTask,
)
from core.engines import make_engine
from core.errors import ConfigError
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PRESETS
from core.models.settings import NetworkConfig
from core.tasks.functions import query_grid
from tests.support.live_runs import ready, trained
from tests.support.waves import explicit_task

ANY = Live("any")
NUMBERS = st.floats(-6, 6)


@st.composite
def tasks(draw: st.DrawFn) -> ExplicitTask:
    """Any points, on the wave or not."""
    points = draw(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12))
    x, y = zip(*points, strict=True)
    return ExplicitTask((draw(NUMBERS), draw(NUMBERS)), x, y)


@given(task=tasks(), updates=st.integers(0, 12), lr=st.floats(1e-3, 0.05))
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_an_answer_equals_a_plain_evaluation_bit_for_bit(
    engine_name: str, precision: str, task: ExplicitTask, updates: int, lr: float
) -> None:
    config, state = trained(engine_name, 3, precision=precision)
    found = adapt(Adapt(source=ANY, task=task, updates=updates, lr=lr), *ready(config, state))
    few = explicit_task(task)
    expected = few_shot(make_engine(config), state.theta, config.tasks, few, updates, lr)
    grid = query_grid(config.tasks)
    assert found.losses == tuple(expected.losses[0].tolist())
    assert found.predictions[0] == tuple(expected.before[0, :, 0].tolist())
    assert found.predictions[-1] == tuple(expected.after[0, :, 0].tolist())
    assert found.query_x == tuple(grid[:, 0].tolist())
    assert found.query_y == tuple(few.function(grid)[:, 0].tolist())
    assert (found.task, found.lr, found.iteration) == (task, lr, 3)


@given(task=tasks(), fewer=st.integers(0, 8), more=st.integers(0, 8))
def test_more_steps_begin_with_the_same_steps(
    engine_name: str, task: ExplicitTask, fewer: int, more: int
) -> None:
    run = ready(*trained(engine_name, 3))
    short, long = (
        adapt(Adapt(source=ANY, task=task, updates=updates), *run)
        for updates in (fewer, fewer + more)
    )
    assert long.losses[: fewer + 1] == short.losses
    assert long.predictions[: fewer + 1] == short.predictions


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_answer_to_a_sampled_task_contains_the_task(preset: str) -> None:
    config, state = trained()
    question = Adapt(source=ANY, task=SampledTask(preset, 2, 9))  # type: ignore[arg-type]
    found = adapt(question, *ready(config, state))
    assert found.task == draw_preset(preset, 2, 9, config.tasks)  # type: ignore[arg-type]
    assert len(found.losses) == PRESETS[preset].steps + 1  # type: ignore[index]
    assert found.lr == config.algorithm.inner_lr
    again = Adapt(source=ANY, task=found.task, updates=len(found.losses) - 1)
    assert adapt(again, *ready(config, state)) == found


def test_the_steps_of_a_preset_can_be_overridden() -> None:
    question = Adapt(source=ANY, task=SampledTask("standard"), updates=3)
    assert len(adapt(question, *ready(*trained())).losses) == 4


def test_a_loss_that_diverges_is_none_and_survives_encoding(engine_name: str) -> None:
    question = Adapt(source=ANY, task=SampledTask("standard"), updates=50, lr=1e4)
    run = ready(*trained(engine_name, network=NetworkConfig(hidden=(6, 6), activation="relu")))
    found = adapt(question, *run)
    assert found.losses[0] is not None
    assert found.losses[-1] is None
    assert None in found.predictions[-1]
    for wire in (msgspec.msgpack, msgspec.json):
        assert wire.decode(wire.encode(found), type=AnyAnswer) == found


def test_the_longest_answer_keeps_its_size_limit() -> None:
    x = tuple(np.linspace(-5, 5, MOST_POINTS).tolist())
    task = ExplicitTask((4.0, 1.0), x, x)
    found = adapt(Adapt(source=ANY, task=task, updates=MOST_UPDATES), *ready(*trained("fused")))
    assert 400_000 < len(msgspec.msgpack.encode(found)) <= LARGEST_ANSWER


def test_a_network_that_would_take_too_long_is_refused() -> None:
    config, state = trained()
    one_task = dataclasses.replace(config.algorithm, tasks=1)
    network = NetworkConfig(hidden=(16_384, 16_384))
    huge = dataclasses.replace(config, network=network, algorithm=one_task)
    theta, engine = ready(config, state)
    with pytest.raises(ConfigError, match="updates: must be at most 2"):
        adapt(
            Adapt(source=ANY, task=SampledTask("standard"), updates=1_000),
            dataclasses.replace(theta, config=huge),
            engine,
        )


@pytest.mark.parametrize("change", [{"losses": ()}, {"predictions": ()}, {"query_x": (1.0,)}])
def test_an_inconsistent_answer_is_refused(change: dict[str, object]) -> None:
    found = adapt(Adapt(source=ANY, task=SampledTask("one-point")), *ready(*trained()))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**msgspec.to_builtins(found), **change}, Adapted)
