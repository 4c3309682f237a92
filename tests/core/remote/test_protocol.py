"""Messages arrive unchanged, and nothing else is decoded as a message."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.algorithms.fomaml import Fomaml
from core.analysis.answers import Cancelled
from core.analysis.questions import Live, Trace
from core.commands import Pause
from core.config import RunConfig
from core.events import AnyEvent
from core.remote.protocol import (
    HEAD,
    NOT_A_MESSAGE,
    Add,
    Ask,
    Call,
    CallProgress,
    Cancel,
    ClientMessage,
    CurveTail,
    End,
    Ended,
    EvaluateNext,
    Hello,
    Message,
    Rejected,
    Remember,
    Reply,
    Request,
    Restart,
    RunProgress,
    Send,
    ServerMessage,
    SessionStatus,
    SnapshotChange,
    Sync,
    Update,
    decode_client_message,
    decode_hello,
    decode_server_message,
    to_frame,
)
from core.session.run_requests import AddRequest
from tests.support.commands import COMMANDS
from tests.support.events import EVENTS

REQUESTS: list[Request] = [
    *(Send(command, "fomaml-1") for command in COMMANDS),
    Send(Pause()),
    EvaluateNext("random", "reptile-1"),
    EvaluateNext("standard"),
    Restart(),
    Add(AddRequest(config=RunConfig(algorithm=Fomaml()).to_dict(), beside="fomaml-1", name="mine")),
    End(save=True),
    Remember({"panel": "table", "large": True, "pinned": None}),
    Sync(),
    Ask(Trace(source=Live("fomaml-1"))),
]
CLIENT_MESSAGES: list[ClientMessage] = [*(Call(7, request) for request in REQUESTS), Cancel(3)]
SERVER_MESSAGES: list[ServerMessage] = [
    SessionStatus(
        id="1",
        name="me",
        view={"panel": "table"},
        runs=(RunProgress("fomaml-1", "training", 3, 5),),
        subscribers=("you",),
    ),
    Rejected("this is another version"),
    Update(
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
    Reply(4),
    Reply(4, "no"),
    Reply(4, answer=Cancelled()),
    CallProgress(4, 1, 2),
    Ended(),
]


def body(message: Message) -> bytes:
    frame = to_frame(message)
    (length,) = HEAD.unpack(frame[: HEAD.size])
    assert length == len(frame) - HEAD.size
    return frame[HEAD.size :]


@pytest.mark.parametrize("message", CLIENT_MESSAGES, ids=repr)
def test_every_client_message_arrives_unchanged(message: ClientMessage) -> None:
    assert decode_client_message(body(message)) == message


@pytest.mark.parametrize("message", SERVER_MESSAGES, ids=repr)
def test_every_server_message_arrives_unchanged(message: ServerMessage) -> None:
    assert decode_server_message(body(message)) == message


def test_a_hello_arrives_unchanged() -> None:
    hello = Hello(
        protocol=1, program="2", status_only=True, read_only=True, progress=True, name="me"
    )
    assert decode_hello(body(hello)) == hello


@given(st.lists(EVENTS))
def test_every_event_arrives_unchanged(events: list[AnyEvent]) -> None:
    assert decode_server_message(body(Update(events=tuple(events)))) == Update(events=tuple(events))


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
def test_an_invalid_command_is_not_a_request(command: object) -> None:
    request = {"type": "send", "command": command}
    content = msgspec.msgpack.encode({"type": "call", "id": 1, "request": request})
    with pytest.raises(NOT_A_MESSAGE):
        decode_client_message(content)


@pytest.mark.parametrize(
    "content", [b"", b"\xc1", b"\x91" * 100_000, b"\xa3\xff\xff\xff", b"\xdf\xff\xff\xff\xff"]
)
def test_bytes_that_are_not_a_message_are_rejected(content: bytes) -> None:
    for decode in (decode_hello, decode_client_message, decode_server_message):
        with pytest.raises(NOT_A_MESSAGE):
            decode(content)
