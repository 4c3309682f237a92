"""Single tasks and those of protocols are those that saved runs and logs refer to by number."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from core.evaluation.few_shot_tasks import (
    PRESETS,
    PROBES,
    ManyTasks,
    TaskDraw,
    draw_many,
    draw_task,
)
from core.evaluation_protocol import EvaluationProtocol, ProtocolName, named_protocol
from core.tasks.family import QueryPoints
from core.tasks.sine import SineTasks

WAVES = SineTasks(amplitude=(0.5, 3.0), phase=(0.25, 2.0), x=(-4.0, 6.0))

# Amplitude, phase, first x and last x of task number 3 of seed 7, as version 0.1 drew them.
DRAWN = {
    "validation": (1.704065057294412, 1.2326311733397266, 1.6275192494266282, -3.036949480845635),
    "random": (1.9147882161743899, 0.7534463577478296, -0.26039207519238783, 1.5914444432124224),
    "standard": (4.0, 1.0, 0.49643365680969254, 4.878886453054308),
    "half-range": (4.0, 1.0, 3.887167078531745, 3.022956703091724),
    "compare": (4.0, 1.0, 3.887167078531745, 3.022956703091724),
    "beyond-range": (4.623542030697548, 1.4424846594619554, 3.297128483103715, -0.6305511010603011),
    "noisy": (2.286695107493226, 0.3476666561578652, -2.351665060500321, 4.189028302601011),
    "one-point": (2.61907093379448, 0.4634999674757237, 4.301440928141545, 4.301440928141545),
    "contradictory": (
        0.5715259104081358,
        0.9033221939339361,
        5.790628826371641,
        0.06294584989042118,
    ),
}

# The same of task number 2 of many.
DRAWN_OF_MANY: dict[ProtocolName, tuple[float, ...]] = {
    "source": (1.1511177801787342, 0.5601869755592059, 1.491881365382155, 0.9699450122690623),
    "source-half-range": (
        2.53841420183065,
        1.68058718360444,
        4.459880162007072,
        2.5892994368814737,
    ),
}


@pytest.mark.parametrize(("name", "draw"), list({**PROBES, **PRESETS}.items()))
def test_a_task_number_keeps_its_task(name: str, draw: TaskDraw) -> None:
    task = draw_task(WAVES, 7, draw, 3)
    first, last = task.support_x[[0, -1], 0]
    assert (*task.function.parameters, first, last) == DRAWN[name]


def test_noise_keeps_its_draws() -> None:
    task = draw_task(WAVES, 7, PRESETS["noisy"], 3)
    noise = task.support_y - task.function(task.support_x)
    # Logarithm and cosine may differ in the last digit between machines.
    assert noise[0, 0] == pytest.approx(-0.6832907104269843, rel=1e-12)


def drawn_of(name: ProtocolName, **changes: Any) -> ManyTasks:
    protocol = named_protocol(name, WAVES)
    return draw_many(dataclasses.replace(protocol, **{"seed": 7, "tasks": 3, **changes}), WAVES)


@pytest.mark.parametrize("name", ["source", "source-half-range"])
def test_many_tasks_keep_their_draws(name: ProtocolName) -> None:
    drawn = drawn_of(name)
    first, last = drawn.sets.support_x[2, [0, -1], 0]
    assert (*drawn.parameters[2], first, last) == DRAWN_OF_MANY[name]


def test_many_tasks_follow_the_numbers_of_the_protocol() -> None:
    drawn = drawn_of("source", shots=3, query_points=7)
    assert drawn.sets.support_x.shape == drawn.sets.support_y.shape == (3, 3, 1)
    assert drawn.sets.query_x[:, 0].tolist() == np.linspace(-4, 6, 7).tolist()
    assert drawn.sets.query_y.shape == (3, 7, 1)


def test_random_query_points_differ_between_tasks_and_leave_support_sets_in_their_range() -> None:
    drawn = drawn_of("source", query="random", query_points=7, support_interval=(0.0, 1.0))
    assert drawn.sets.query_x.shape == drawn.sets.query_y.shape == (3, 7, 1)
    assert len(np.unique(drawn.sets.query_x)) == 21
    assert 0 <= drawn.sets.support_x.min() <= drawn.sets.support_x.max() <= 1
    assert drawn.sets.query_x.min() < 0
    function = drawn.task(2).function
    assert drawn.sets.query_y[2] == pytest.approx(function(drawn.sets.query_x[2]))
    assert drawn.sets.part(2, 1).query_x.tolist() == drawn.sets.query_x[2:].tolist()


@pytest.mark.parametrize("query", ["grid", "random"])
def test_noise_of_a_protocol_is_on_every_y_and_moves_no_point(query: QueryPoints) -> None:
    clean = drawn_of("source", query=query, tasks=100)
    noisy = drawn_of("source", query=query, tasks=100, noise=0.3)
    for points in ("support", "query"):
        x, y = (getattr(noisy.sets, f"{points}_{axis}") for axis in "xy")
        functions = [noisy.task(index).function for index in range(100)]
        at = np.broadcast_to(x, y.shape)
        errors = y - np.array([one(of) for one, of in zip(functions, at, strict=True)])
        assert errors.std() == pytest.approx(0.3, rel=0.1)
    assert noisy.sets.support_x[0].tolist() == clean.sets.support_x[0].tolist()


def test_other_shots_are_other_points() -> None:
    few, usual = drawn_of("source", shots=3), drawn_of("source")
    assert not np.array_equal(few.sets.support_x, usual.sets.support_x[:, :3])


def test_steps_and_inner_rate_do_not_change_the_tasks() -> None:
    usual, other = drawn_of("source"), drawn_of("source", steps=(0, 3), inner_lr=0.5)
    assert usual.sets.support_x.tolist() == other.sets.support_x.tolist()
    assert usual.sets.query_y.tolist() == other.sets.query_y.tolist()


def test_an_interval_holds_for_support_points_alone() -> None:
    drawn = drawn_of("source", support_interval=(5.5, 8.0), tasks=100)
    assert 5.5 <= drawn.sets.support_x.min() < 6 < drawn.sets.support_x.max() <= 8
    assert drawn.sets.query_x[:, 0].tolist() == np.linspace(-4, 6, 50).tolist()


def test_a_family_of_the_protocols_own_is_used() -> None:
    family = SineTasks(amplitude=(7.0, 8.0), phase=(3.0, 3.0), x=(10.0, 20.0))
    own, of_run = drawn_of("source", family=family), draw_many(EvaluationProtocol(), family)
    assert (own.parameters[:, 0] >= 7).all()
    assert (own.parameters[:, 1] == 3).all()
    assert own.sets.support_x.min() >= 10
    assert own.sets.query_x.tolist() == of_run.sets.query_x.tolist()
    assert own.sets.support_y == pytest.approx(
        own.parameters[:, :1, None] * np.sin(own.sets.support_x + 3)
    )


def test_tasks_of_finn_have_a_half_turn_of_phase_on_any_run() -> None:
    run = SineTasks(phase=(0.0, 2 * math.pi))
    for name, shots in (("finn-5-shot", 5), ("finn-10-shot", 10)):
        drawn = draw_many(named_protocol(name, run), run)  # type: ignore[arg-type]
        assert drawn.sets.support_x.shape == (1_000, shots, 1)
        assert 3 < drawn.parameters[:, 1].max() <= math.pi
        assert 0.1 <= drawn.parameters[:, 0].min() <= drawn.parameters[:, 0].max() <= 5
