"""What goes over the socket arrives as it was, and nothing else is taken for a message."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import (
    AnyCommand,
    AnyEvent,
    Evaluate,
    Evaluated,
    Extend,
    Pause,
    Resume,
    Save,
    SetPace,
    Step,
    Stop,
)
from core.remote.protocol import (
    HEAD,
    NOT_A_MESSAGE,
    CurveTail,
    Done,
    End,
    Ended,
    EvaluationRow,
    Fresh,
    Hello,
    Message,
    Probe,
    Rejected,
    Remember,
    Reply,
    Request,
    RunProgress,
    Send,
    SessionStatus,
    SnapshotChange,
    Sync,
    Update,
    decode_hello,
    decode_reply,
    decode_request,
    pack_events,
    to_frame,
    unpack_events,
)
from tests.support.events import EVENTS, as_a_row

COMMANDS: list[AnyCommand] = [
    Pause(),
    Resume(),
    Step(3),
    Evaluate("compare", 2),
    Save(),
    SetPace(0.5),
    SetPace(None),
    Extend(),
    Stop(save=False),
]
REQUESTS: list[Request] = [
    *(Send(command, "fomaml-1") for command in COMMANDS),
    Send(Pause()),
    Probe("random", "reptile-1"),
    Probe("standard"),
    Fresh(7),
    End(save=True, ticket=8),
    End(save=False),
    Remember({"panel": "table", "large": True, "pinned": None}),
    Sync(9),
]
REPLIES: list[Reply] = [
    SessionStatus(
        id="1",
        name="me",
        view={"panel": "table"},
        runs=(RunProgress("fomaml-1", "training", 3, 5),),
        subscribers=("you",),
    ),
    Rejected("this is another version"),
    Update(
        rows=(EvaluationRow(0, "fomaml-1", 5, 1.0, 2, 5.0, 6.0, None),),
        changes=(
            SnapshotChange(
                "fomaml-1", {"state": "paused", "pace": None}, CurveTail(1, (2,), (0.5,))
            ),
        ),
        runs=("fomaml-1",),
        folders=("/runs/fomaml-1",),
        subscribers=2,
    ),
    Update(past=True),
    Done(),
    Done("no", 4),
    Ended(),
]


def body(message: Message) -> bytes:
    frame = to_frame(message)
    (length,) = HEAD.unpack(frame[: HEAD.size])
    assert length == len(frame) - HEAD.size
    return frame[HEAD.size :]


@pytest.mark.parametrize("request_", REQUESTS, ids=repr)
def test_every_request_arrives_as_it_was(request_: Request) -> None:
    assert decode_request(body(request_)) == request_


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_every_reply_arrives_as_it_was(reply: Reply) -> None:
    assert decode_reply(body(reply)) == reply


def test_a_greeting_arrives_as_it_was() -> None:
    hello = Hello(protocol=1, program="2", look=True, read_only=True, progress=True, name="me")
    assert decode_hello(body(hello)) == hello


@given(st.lists(EVENTS))
def test_every_event_arrives_as_it_was(events: list[AnyEvent]) -> None:
    assert decode_reply(body(Update(events=tuple(events)))) == Update(events=tuple(events))


@given(st.lists(EVENTS), st.randoms(use_true_random=False))
def test_packed_events_keep_their_order_and_those_not_drawn_are_abridged(
    events: list[AnyEvent], random: st.DataObject
) -> None:
    drawn = {id(event): random.random() < 0.5 for event in events}  # type: ignore[attr-defined]
    whole, rows = pack_events(events, lambda one: drawn[id(one)])
    expected = [
        as_a_row(event)
        if isinstance(event, Evaluated) and event.probe == "validation" and not drawn[id(event)]
        else event
        for event in events
    ]
    assert unpack_events(Update(events=whole, rows=rows)) == expected


@given(st.lists(EVENTS, max_size=4), st.lists(st.integers(-5, 2**63 - 1), max_size=4))
def test_rows_of_any_place_are_unpacked_without_harm(
    events: list[AnyEvent], places: list[int]
) -> None:
    rows = tuple(EvaluationRow(place, "x", 5, 1.0, 2, 5.0, 6.0, None) for place in places)
    assert len(unpack_events(Update(events=tuple(events), rows=rows))) <= len(events) + len(rows)


@pytest.mark.parametrize(
    "command",
    [
        {"command": "step", "count": 0},
        {"command": "step", "count": -3},
        {"command": "step", "count": 2**60},
        {"command": "evaluate", "probe": "random", "index": -1},
        {"command": "evaluate", "probe": "another", "index": 1},
        {"command": "setpace", "pace": "fast"},
        {"command": "dance"},
        {},
        None,
    ],
    ids=repr,
)
def test_a_command_that_no_run_can_obey_is_no_request(command: object) -> None:
    content = msgspec.msgpack.encode({"type": "send", "command": command})
    with pytest.raises(NOT_A_MESSAGE):
        decode_request(content)


@pytest.mark.parametrize(
    "content", [b"", b"\xc1", b"\x91" * 100_000, b"\xa3\xff\xff\xff", b"\xdf\xff\xff\xff\xff"]
)
def test_what_is_no_message_is_told_apart(content: bytes) -> None:
    for decode in (decode_hello, decode_request, decode_reply):
        with pytest.raises(NOT_A_MESSAGE):
            decode(content)
