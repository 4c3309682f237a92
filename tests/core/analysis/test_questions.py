"""Whatever comes over a wire: a question is sound, or it is refused by a line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.questions import (
    MOST_SOURCES,
    Adapt,
    AnyQuestion,
    Battery,
    ExplicitTask,
    Live,
    PinnedTheta,
    ReadHistory,
    SampledTask,
    Saved,
    Trace,
    Untrained,
)
from core.errors import ConfigError
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.sine import SineTasks

GIVEN = ExplicitTask((4.0, 1.0), (0.5, 1.5), (1.0, -1.0))

QUESTIONS: list[AnyQuestion] = [
    Adapt(source=Live("fomaml"), task=GIVEN, updates=32),
    Adapt(source=PinnedTheta("fomaml", 12), task=GIVEN, updates=1),
    Adapt(source=Saved("a/b.safetensors"), task=SampledTask("noisy", 3, 5), lr=0.1),
    Adapt(source=Untrained(Live("fomaml")), task=GIVEN, updates=0, lr=1e-3),
    Battery(
        sources=(Live("fomaml"), Untrained(Saved("a"))),
        protocol=EvaluationProtocol(
            tasks=100,
            shots=3,
            support_interval=(0.0, 5.0),
            steps=(0, 3),
            inner_lr=0.1,
            family=SineTasks(phase=(0.0, 3.0)),
        ),
    ),
    Trace(source=Live("fomaml")),
    ReadHistory(of=Saved("a")),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=repr)
@pytest.mark.parametrize("format", [msgspec.msgpack, msgspec.json])
def test_a_question_survives_encoding(question: AnyQuestion, format: Any) -> None:
    assert format.decode(format.encode(question), type=AnyQuestion) == question


def plain(**changes: Any) -> dict[str, Any]:
    """An ``Adapt`` as a stranger would write it."""
    task = {"task": "given", "parameters": [1.0, 0.0], "support_x": [0.0], "support_y": [1.0]}
    task.update({key: value for key, value in changes.items() if key in task})
    rest = {key: value for key, value in changes.items() if key not in task}
    source = {"source": "live", "run": "fomaml"}
    return {"question": "adapt", "source": source, "task": task, "updates": 3, **rest}


def drawn(**changes: Any) -> dict[str, Any]:
    return {**plain(), "task": {"task": "drawn", "preset": "noisy", **changes}}


def survey(sources: object = ({"source": "live", "run": "fomaml"},), **protocol: Any) -> Any:
    return {"question": "survey", "sources": sources, "protocol": protocol}


def all_settings() -> dict[str, Any]:
    """A protocol in which every setting has a value."""
    protocol = EvaluationProtocol(support_interval=(0, 1), inner_lr=0.1, family=SineTasks())
    return dict(msgspec.to_builtins(protocol))


def recall(path: str) -> dict[str, Any]:
    return {"question": "recall", "of": {"source": "saved", "path": path}}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e7, -1e300])
@pytest.mark.parametrize("field", ["parameters", "support_x", "support_y"])
def test_huge_and_non_finite_numbers_are_refused(field: str, bad: float) -> None:
    with pytest.raises(ConfigError, match=field):
        msgspec.msgpack.decode(msgspec.msgpack.encode(plain(**{field: [bad]})), type=AnyQuestion)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (plain(support_x=[], support_y=[]), "support_x"),
        (plain(support_x=[0.0] * 101, support_y=[0.0] * 101), "support_x"),
        (plain(support_x=[0.0, 1.0]), "support_y"),
        (plain(updates=-1), "updates"),
        (plain(updates=1_001), "updates"),
        (plain(updates=None), "updates"),
        (plain(lr=0.0), "lr"),
        (plain(lr=math.nan), "lr"),
        (plain(lr=math.inf), "lr"),
        (plain(source={"source": "live", "run": ""}), "run"),
        (plain(source={"source": "held", "run": "a", "iteration": -1}), "iteration"),
        (drawn(index=-1), "index"),
        (drawn(index=2**60), "index"),
        (drawn(seed=2**63), "seed"),
        (survey(sources=[]), "sources"),
        (survey(sources=[{"source": "live", "run": "a"}] * (MOST_SOURCES + 1)), "sources"),
        (survey(tasks=0), "tasks"),
        (survey(tasks=99), "tasks"),
        (survey(tasks=10_001), "tasks"),
        (survey(seed=-1), "seed"),
        (survey(steps=[]), "steps"),
        (survey(steps=[-1]), "steps"),
        (survey(steps=[1, 1]), "steps"),
        (survey(steps=[1, 101]), "steps"),
        (survey(shots=0), "shots"),
        (survey(shots=101), "shots"),
        (survey(query_points=1), "query_points"),
        (survey(query_points=101), "query_points"),
        (survey(support_interval=[2.0, 1.0]), "support_interval"),
        (survey(support_interval=[-math.inf, 1.0]), "support_interval"),
        (survey(inner_lr=-1.0), "inner_lr"),
        (survey(inner_lr=0.0), "inner_lr"),
        (survey(family={"x": [5.0, -5.0]}), "waves.x"),
        (recall("a\0b"), "path"),
        (recall("a" * 4_097), "path"),
    ],
)  # fmt: skip
def test_a_value_out_of_bounds_is_refused_with_its_field(
    question: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        msgspec.msgpack.decode(msgspec.msgpack.encode(question), type=AnyQuestion)
    assert str(caught.value).startswith(field)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "question",
    [
        plain(source={"source": "elsewhere", "run": "a"}),
        plain(source={"source": "untrained", "of": {"source": "untrained", "of": {}}}),
        plain(parameters=["4"]),
        plain(updates=2.5),
        drawn(preset="chaos"),
        survey(support_interval=1),
        survey(support_interval=[1.0]),
        survey(steps=3),
        survey(family="sine"),
        {"question": "destroy"},
        [],
        None,
    ],
)
def test_a_value_of_the_wrong_type_is_refused(question: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(question), type=AnyQuestion)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(data=st.data(), value=ANYTHING)
def test_a_question_with_an_arbitrary_field_is_valid_or_refused(
    data: st.DataObject, value: object
) -> None:
    message = data.draw(st.sampled_from([plain(), drawn(), survey(**all_settings()), recall("a")]))
    place: dict[str, Any] = message
    inner = [key for key, one in message.items() if isinstance(one, dict)]
    if inner and data.draw(st.booleans()):
        place = message[data.draw(st.sampled_from(inner))]
    place[data.draw(st.sampled_from(sorted(place)))] = value
    try:
        question = msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=AnyQuestion)
    except (ConfigError, msgspec.ValidationError):
        return
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(question), type=AnyQuestion)
    assert again == question


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(content: bytes) -> None:
    with pytest.raises((ConfigError, msgspec.DecodeError, UnicodeDecodeError)):
        msgspec.msgpack.decode(content, type=AnyQuestion)


@pytest.mark.parametrize("change", [lambda q: setattr(q, "updates", 5)])
def test_a_question_is_immutable(change: Callable[[Adapt], None]) -> None:
    with pytest.raises(AttributeError):
        change(Adapt(source=Live("a"), task=GIVEN, updates=1))
