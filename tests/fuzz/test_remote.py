"""Any bytes on the socket: the session continues, and a client reports one line."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.analysis.questions import Live, Trace
from core.commands import Pause, Step, Stop
from core.events import Failed
from core.remote.client import RemoteSession
from core.remote.connection import make_hello, session_status
from core.remote.delta import encode_backlog, full
from core.remote.protocol import (
    HEAD,
    LONGEST_REQUEST,
    NOT_A_MESSAGE,
    Ask,
    Call,
    CallProgress,
    Cancel,
    Ended,
    EvaluateNext,
    Message,
    Rejected,
    Remember,
    RemoteError,
    Reply,
    Send,
    SessionStatus,
    Sync,
    Update,
    decode_client_message,
    to_frame,
)
from core.session.local import LocalSession
from tests.support.commands import COMMANDS
from tests.support.dashboard.fake_session import FakeSession
from tests.support.hostile.damage import HOSTILE_TEXT, damaged
from tests.support.remotes import Impostor, RawClient, Serving, served
from tests.support.runs import CRAWL, PATIENCE, new_plan, small_config, until
from tests.support.sessions import folder_for_sockets
from tests.support.soak import soak

MOST_MEMORY = 64 * 2**20
"""Bytes that they may make it allocate."""

VALID: Sequence[Message] = [
    make_hello(),
    *(
        Call(2, Send(command, "run"))
        for command in COMMANDS
        if not isinstance(command, Stop | Step)
    ),
    Call(3, EvaluateNext("random")),
    Call(4, Remember({"panel": "table"})),
    Call(5, Sync()),
    Call(6, Ask(Trace(source=Live("run")))),
    Cancel(6),
]

TEXTS = HOSTILE_TEXT.map(lambda text: text.encode("utf-8", "replace").decode())
WIRE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | TEXTS
    | st.binary(max_size=50),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(TEXTS, some, max_size=4),
    max_leaves=8,
)  # fmt: skip
"""Any plain value that MessagePack can encode."""

COUNTS = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, -1, 2**53, 2**62, 2**63])
NAMES = st.sampled_from(["run", "another", "", "\x1b[2J", "x" * 5_000]) | TEXTS


def call(id: object, request: dict[str, Any]) -> bytes:
    return msgspec.msgpack.encode({"type": "call", "id": id, "request": request})


HOSTILE_COMMANDS = st.one_of(
    st.builds(lambda count: {"command": "step", "count": count}, COUNTS),
    st.builds(lambda pace: {"command": "setpace", "pace": pace}, st.floats() | COUNTS),
    st.builds(
        lambda probe, index: {"command": "evaluate", "probe": probe, "index": index},
        st.sampled_from(["validation", "random", "compare", "", "x"]),
        COUNTS,
    ),
    st.sampled_from(["pause", "resume", "save", "extend", "dance"]).map(lambda c: {"command": c}),
    WIRE,
)
"""Commands of the right form with any values; none of them ends the run."""

HOSTILE_REQUESTS = st.one_of(
    st.builds(
        lambda command, run: call(1, {"type": "send", "command": command, "run": run}),
        HOSTILE_COMMANDS,
        NAMES | st.none(),
    ),
    st.builds(lambda probe, run: call(1, {"type": "probe", "probe": probe, "run": run}), NAMES,
              NAMES),
    st.builds(lambda view: call(1, {"type": "remember", "view": view}), WIRE),
    st.builds(lambda id: call(id, {"type": "sync"}), COUNTS),
    st.builds(lambda some: call(1, {"type": "ask", "question": some}), WIRE),
)  # fmt: skip

DEEP = [b"\x91" * LONGEST_REQUEST, b"\x81\xa1x" * 20_000, b"\xdd\xff\xff\xff\xff", b"\xdf" * 5]
BODIES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(VALID).flatmap(lambda message: damaged(to_frame(message)[HEAD.size :])),
    WIRE.map(msgspec.msgpack.encode),
    HOSTILE_REQUESTS,
    HOSTILE_REQUESTS.flatmap(damaged),
    st.sampled_from(DEEP),
)
"""Any content of a frame."""

FRAMES = BODIES.map(lambda body: HEAD.pack(len(body)) + body)
BROKEN = st.one_of(
    st.binary(max_size=100),
    FRAMES.flatmap(damaged),
    st.builds(lambda length, body: HEAD.pack(length) + body, st.integers(0, 2**32 - 1), BODIES),
)
"""Broken frames, after which nothing can be decoded."""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A real run that lasts, which all examples share."""
    out = tmp_path_factory.mktemp("runs")
    plan = new_plan(out, small_config(iterations=10**9, eval_interval=10**9), "run", pace=CRAWL)
    with folder_for_sockets():
        session = LocalSession([plan])
        with served(session) as serving:
            until(lambda: session.snapshots()["run"].state == "training")
            yield serving
            session.stop(save=False)


def session_of(serving: Serving) -> LocalSession:
    session = serving.server._session
    assert isinstance(session, LocalSession)
    return session


def assert_trains(serving: Serving) -> None:
    """Assert that the run obeys, and that the session sends its status."""
    session = session_of(serving)
    assert not [event for event in session.events(0) if isinstance(event, Failed)]
    with closing(RawClient(serving.id)) as raw:
        raw.send(make_hello())
        assert raw.reply(raw.call(Send(Pause()), Sync())).problem == ""
        until(lambda: session.snapshots()["run"].state == "paused")
        before = session.snapshots()["run"].iteration
        raw.call(Send(Step(1)))
        until(lambda: session.snapshots()["run"].iteration > before)
    (run,) = session_status(serving.id).runs
    assert run.run == "run"


def send(serving: Serving, frames: Sequence[bytes]) -> None:
    """Send ``frames`` to the session after a hello, and read all its replies."""
    with closing(RawClient(serving.id)) as raw:
        raw.send(make_hello())
        reading = threading.Thread(target=_receive_all, args=(raw,))
        reading.start()
        with suppress(ConnectionError):
            for frame in frames:
                raw.socket.sendall(frame)
            raw.socket.shutdown(socket.SHUT_WR)
        reading.join(PATIENCE)
        assert not reading.is_alive()


def _receive_all(raw: RawClient) -> None:
    while raw.receive() is not None:
        pass


@settings(max_examples=soak(6, 60))
@given(frames=st.lists(FRAMES, min_size=1, max_size=soak(40, 170)))
def test_the_session_survives_any_message(serving: Serving, frames: list[bytes]) -> None:
    send(serving, frames)
    assert_trains(serving)


@settings(max_examples=soak(20, 500))
@given(valid=st.lists(FRAMES, max_size=2), broken=BROKEN)
def test_the_session_survives_broken_frames(
    serving: Serving, valid: list[bytes], broken: bytes
) -> None:
    send(serving, [*valid, broken])
    assert_trains(serving)


@settings(max_examples=soak(20, 500))
@example(said=HEAD.pack(8) + b"\x81\xa4type\xa1\x00")
@given(said=BROKEN | FRAMES)
def test_the_session_survives_any_hello(serving: Serving, said: bytes) -> None:
    with closing(RawClient(serving.id)) as raw:
        with suppress(ConnectionError):
            raw.socket.sendall(said)
            raw.socket.shutdown(socket.SHUT_WR)
        for reply in iter(raw.receive, None):
            assert not isinstance(reply, Rejected) or reply.problem.isprintable()
    assert_trains(serving)


@settings(max_examples=soak(50, 2_000))
@example(body=b"\x81\xa4type\xa1\n")
@given(body=BODIES)
def test_an_invalid_request_is_refused_with_a_reason(serving: Serving, body: bytes) -> None:
    try:
        decode_client_message(body)
    except NOT_A_MESSAGE:
        pass
    else:
        return  # it is one
    with closing(RawClient(serving.id)) as raw:
        raw.send(make_hello())
        with suppress(ConnectionError):
            raw.socket.sendall(HEAD.pack(len(body)) + body)
        if len(body) > LONGEST_REQUEST:
            assert [reply for reply in iter(raw.receive, None) if isinstance(reply, Rejected)]
        else:
            said = raw.reply().problem
            assert said.startswith("not a request: ")
            assert said.isprintable()


@settings(max_examples=soak(3, 20))
@given(body=BODIES)
def test_memory_stays_bounded(serving: Serving, body: bytes) -> None:
    """However often a message comes, and whatever length it states."""
    frames = [HEAD.pack(len(body)) + body] * 50 + [HEAD.pack(2**32 - 1) + body]
    send(serving, frames)
    tracemalloc.start()
    for _ in range(5):
        send(serving, frames)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_MEMORY


def _framed(body: bytes) -> bytes:
    return HEAD.pack(len(body)) + body


def _updates() -> list[Update]:
    session = FakeSession({"fomaml": 3_000})
    session.start()
    events, _ = session.backlog()
    return [*encode_backlog(events, past=True), *encode_backlog(events, past=False),
            full(session.snapshots(), ["a"], 1)]  # fmt: skip


# Messages of a broken or false session.

REPLIES: Sequence[bytes] = [
    to_frame(SessionStatus(id="1", name="me")),
    *(to_frame(news) for news in _updates()),
    to_frame(Reply(1, "no")),
    to_frame(CallProgress(1, 2, 3)),
    to_frame(Ended()),
    to_frame(Rejected("no")),
]


@settings(max_examples=soak(60, 3_000))
@given(
    good=st.integers(0, len(REPLIES)),
    bad=st.sampled_from(REPLIES).flatmap(damaged)
    | st.sampled_from(REPLIES).flatmap(lambda frame: damaged(frame[4:]).map(_framed))
    | BROKEN
    | FRAMES,
)
def test_a_client_survives_any_session(good: int, bad: bytes) -> None:
    with (
        folder_for_sockets(),
        closing(Impostor(b"".join(REPLIES[:good]) + bad, hangs_up=True)),
    ):
        try:
            client = RemoteSession("1", reply_seconds=0.5)
        except RemoteError as error:
            assert str(error).isprintable()  # noqa: PT017  (a refusal is allowed)
            return
        client._reader.join(PATIENCE)
        assert not client._reader.is_alive()
        connection = client.connection
        assert connection.ended or (connection.lost and connection.lost.isprintable())
        assert set(client.snapshots())
        client.stop(save=True)
        client.detach()
