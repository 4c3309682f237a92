"""Evaluation protocols: invalid ones are refused by a line, and named ones are what they say."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import ValidationSettings
from core.errors import ConfigError
from core.evaluation_protocol import (
    LARGEST_DATA,
    MOST_SHOTS,
    MOST_STEPS,
    MOST_TASKS,
    EvaluationProtocol,
    ProtocolName,
    named_protocol,
)
from core.tasks.sine import SineTasks

KINDS = [EvaluationProtocol, ValidationSettings]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shots", 0),
        ("shots", -1),
        ("shots", 2.0),
        ("shots", True),
        ("shots", MOST_SHOTS + 1),
        ("steps", ()),
        ("steps", (5, 1)),
        ("steps", (-1, 1)),
        ("steps", (1, 1)),
        ("steps", (1, 5, 5)),
        ("steps", (1.0, 2.0)),
        ("steps", (False, True)),
        ("steps", (1, MOST_STEPS + 1)),
        ("support_interval", (2.0, 1.0)),
        ("support_interval", (0.0, math.inf)),
        ("support_interval", (math.nan, 1.0)),
        ("support_interval", (1.0,)),
        ("support_interval", ("0", "1")),
        ("inner_lr", 0),
        ("inner_lr", -0.01),
        ("inner_lr", math.nan),
        ("inner_lr", math.inf),
        ("inner_lr", True),
        ("query_points", 1),
        ("query_points", MOST_SHOTS + 1),
        ("tasks", 0),
        ("tasks", MOST_TASKS + 1),
        ("seed", -1),
        ("seed", 2**63),
    ],
)
def test_an_invalid_value_is_refused_by_a_line_that_names_it(
    kind: type[EvaluationProtocol], field: str, value: Any
) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(**{field: value})
    assert str(caught.value).startswith(f"{kind.prefix}{field}: must be ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("points", ["shots", "query_points"])
def test_more_points_than_memory_are_refused_and_named_with_their_factors(points: str) -> None:
    EvaluationProtocol(tasks=1_000, **{points: LARGEST_DATA // 1_000})  # type: ignore[arg-type]
    with pytest.raises(ConfigError) as caught:
        EvaluationProtocol(tasks=1_000, **{points: LARGEST_DATA // 1_000 + 1})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"tasks * {points}: must be at most ")
    assert "\n" not in str(caught.value)


def test_values_at_their_bounds_are_valid() -> None:
    EvaluationProtocol(shots=1, steps=(0,), query_points=2, tasks=1, seed=0)
    EvaluationProtocol(support_interval=(1.0, 1.0), steps=(MOST_STEPS,), seed=2**63 - 1)
    EvaluationProtocol(shots=MOST_SHOTS, query_points=MOST_SHOTS, tasks=1)
    EvaluationProtocol(tasks=MOST_TASKS)


def test_the_family_of_a_validation_is_that_of_its_run() -> None:
    with pytest.raises(ConfigError, match=r"validation\.family: must be that of the run") as caught:
        ValidationSettings(family=SineTasks())
    assert "\n" not in str(caught.value)


def test_validation_and_evaluation_have_other_tasks() -> None:
    assert ValidationSettings().seed != EvaluationProtocol().seed


def test_the_protocols_of_the_source_are_what_they_say() -> None:
    waves = SineTasks(x=(-4.0, 6.0))
    assert named_protocol("source", waves) == EvaluationProtocol(
        shots=10,
        support_interval=None,
        steps=(1, 5, 10, 32),
        inner_lr=None,
        query_points=50,
        tasks=1_000,
        seed=0,
        family=None,
    )
    assert named_protocol("source-half-range", waves) == EvaluationProtocol(
        shots=5,
        support_interval=(1.0, 6.0),
        steps=(1, 5, 10),
        inner_lr=None,
        query_points=50,
        tasks=1_000,
        seed=0,
        family=None,
    )


@pytest.mark.parametrize(("name", "shots"), [("finn-5-shot", 5), ("finn-10-shot", 10)])
def test_the_protocols_of_finn_are_those_of_the_paper_on_any_run(
    name: ProtocolName, shots: int
) -> None:
    """Section 5.1: amplitude from [0.1, 5.0], phase from [0, pi], x from [-5, 5], alpha 0.01."""
    found = named_protocol(name, SineTasks(amplitude=(1.0, 2.0), x=(0.0, 1.0)))
    assert (found.shots, found.steps, found.inner_lr) == (shots, (1, 5, 10), 0.01)
    assert found.support_interval is None
    assert found.family == SineTasks(amplitude=(0.1, 5.0), phase=(0.0, math.pi), x=(-5.0, 5.0))


@pytest.mark.parametrize("name", get_args(ProtocolName))
def test_a_name_has_the_same_protocol_each_time(name: ProtocolName) -> None:
    assert named_protocol(name, SineTasks()) == named_protocol(name, SineTasks())


@pytest.mark.parametrize("name", ["", "finn", "SOURCE", "source\n"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        named_protocol(name, SineTasks())
    message = str(caught.value)
    assert message.startswith("protocol: must be one of ")
    assert all(known in message for known in get_args(ProtocolName))
    assert "\n" not in message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "10 support points over the whole range"),
        ({"shots": 1}, "1 support point over the whole range"),
        ({"shots": 2_500}, "2,500 support points over the whole range"),
        ({"shots": 5, "support_interval": (0.0, 5.0)}, "5 support points from [0, 5]"),
        ({"shots": 1, "support_interval": (-1.5, 0.25)}, "1 support point from [-1.5, 0.25]"),
    ],
)
def test_the_support_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    assert EvaluationProtocol(**settings).support == words


@given(st.lists(st.integers(0, MOST_STEPS), min_size=1, max_size=20, unique=True).map(sorted))
def test_reported_steps_begin_before_adaptation_and_have_each_step_once(steps: list[int]) -> None:
    protocol = EvaluationProtocol(steps=tuple(steps))
    assert protocol.reported_steps[0] == 0
    assert [step for step in protocol.reported_steps if step] == [step for step in steps if step]
    assert protocol.last_step == protocol.reported_steps[-1] == steps[-1]


def test_a_protocol_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        EvaluationProtocol().shots = 5  # type: ignore[misc]


def test_protocols_load_no_numpy() -> None:
    code = "import sys, core.evaluation_protocol; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
