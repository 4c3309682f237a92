"""A client whose session is out of reach, silent or false: one line, and no endless wait."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from core.analysis.questions import Adapt, Live, SampledTask
from core.commands import Pause, Save
from core.errors import SessionError
from core.events import Curve, Finished
from core.remote import client as client_module
from core.remote.client import LEFT, LOST, RemoteSession
from core.remote.delta import apply_change, full
from core.remote.launch import LaunchReply
from core.remote.protocol import (
    HEAD,
    LONGEST_REPLY,
    Call,
    ClientMessage,
    CurveTail,
    Ended,
    Message,
    Rejected,
    RemoteError,
    Reply,
    SessionStatus,
    SnapshotChange,
    Sync,
    Update,
    to_frame,
)
from core.remote.subscriber import Subscriber
from core.session.run_requests import ResumeRequest
from tests.support.dashboard.fake_session import FakeSession
from tests.support.remotes import Impostor, Serving, served
from tests.support.runs import PATIENCE, until

WELCOME = to_frame(SessionStatus(id="1", name="me"))


def all_of(session: FakeSession) -> bytes:
    return to_frame(full(session.snapshots(), ["a", "b"], 1))


@pytest.fixture
def impostor() -> Iterator[Callable[..., Impostor]]:
    opened: list[Impostor] = []

    def open_one(*data: bytes, hangs_up: bool = False) -> Impostor:
        opened.append(Impostor(b"".join(data), hangs_up=hangs_up))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


HASTY = {"reply_seconds": 0.05, "silence_seconds": 0.05}
"""Options of a client that waits only a moment."""


def test_a_missing_session_is_named() -> None:
    with pytest.raises(RemoteError, match=r"session 3 cannot be reached \(No such file"):
        RemoteSession("3")


def test_the_problem_of_a_rejected_client_is_reported(impostor: Callable[..., Impostor]) -> None:
    impostor(to_frame(Rejected("this is another version")))
    with pytest.raises(RemoteError) as caught:
        RemoteSession("1")
    assert caught.value.problem == "this is another version"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names the process of a socket")
@pytest.mark.parametrize(
    "data", [to_frame(Rejected("this is another version")), to_frame(Reply(1)), HEAD.pack(1) + b"x"]
)
def test_a_session_that_speaks_another_language_can_be_ended_by_its_process(
    data: bytes, impostor: Callable[..., Impostor]
) -> None:
    impostor(data)
    with pytest.raises(RemoteError, match=f"; kill {os.getpid()} saves its runs and ends it$"):
        RemoteSession("1")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "session 1 does not respond"),
        (to_frame(Reply(1)), "session 1 did not send its status"),
        (WELCOME[:-1], "session 1 does not respond"),
        (WELCOME, "session 1 sent no runs"),
        (HEAD.pack(LONGEST_REPLY + 1), "session 1 sent a message of 33,554,433 bytes"),
        (HEAD.pack(1) + b"\xc1", "session 1 sent an invalid message: "),
        (WELCOME + HEAD.pack(1) + b"\xc1", "session 1 sent an invalid message: "),
        (WELCOME + to_frame(Update(runs=("a",))), "session 1 sent no snapshot of 1 runs"),
        (
            WELCOME
            + to_frame(Update(changes=(SnapshotChange("a", {"state": "paused"}),), runs=("a",))),
            "invalid snapshot: ",
        ),
        (WELCOME + to_frame(Rejected("that was all")), "that was all"),
    ],
)
def test_an_invalid_session_is_reported_in_one_line(
    data: bytes, problem: str, impostor: Callable[..., Impostor]
) -> None:
    impostor(data)
    with pytest.raises(RemoteError) as caught:
        RemoteSession("1", **HASTY)
    assert str(caught.value).startswith(problem)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("data", [b"", b"\0\0", WELCOME, WELCOME[:9]])
def test_a_session_that_hangs_up_at_once_is_reported(
    data: bytes, impostor: Callable[..., Impostor]
) -> None:
    impostor(data, hangs_up=True)
    with pytest.raises(RemoteError):
        RemoteSession("1")


@pytest.mark.parametrize(
    "fields",
    [
        {"iteration": "many"},
        {"iteration": 1.5},
        {"state": "dancing"},
        {"rate": None},
        {"theta": 5},
        {"curve": 5},
        {"run": 5},
        {"surprise": 1},
    ],
    ids=repr,
)
def test_an_invalid_change_of_a_snapshot_is_rejected_or_ignored(
    fields: dict[str, str | int | float | bool | None], impostor: Callable[..., Impostor]
) -> None:
    session = FakeSession()
    impostor(
        WELCOME,
        all_of(session),
        to_frame(Update(changes=(SnapshotChange("fomaml-1", fields),))),
    )
    with closing(_Closing("1")) as closing_client:
        client = closing_client.client
        if next(iter(fields)) in ("theta", "curve", "run", "surprise"):
            assert dict(client.snapshots()) == session.snapshots()
        else:
            until(lambda: bool(client.connection.lost))
            assert client.connection.lost.startswith("invalid snapshot: ")


class _Closing:
    def __init__(self, id: str) -> None:
        self.client = RemoteSession(id)

    def close(self) -> None:
        self.client.detach()


def test_a_curve_with_unpaired_points_is_rejected() -> None:
    (snapshot,) = FakeSession({"fomaml": 3}).snapshots().values()
    grown = SnapshotChange("fomaml-1", {}, CurveTail(0, (1, 2), (0.5,)))
    with pytest.raises(RemoteError, match="a curve has more iterations or more losses"):
        apply_change(snapshot, grown)


@pytest.mark.parametrize("start", [-5, 0, 1, 10**9, 2**63 - 1])
def test_the_tail_of_a_curve_replaces_all_points_from_its_start(start: int) -> None:
    (snapshot,) = FakeSession({"fomaml": 3}).snapshots().values()
    before = msgspec.structs.replace(snapshot, curve=Curve((1, 2), (0.1, 0.2)))
    after = apply_change(before, SnapshotChange("fomaml-1", {}, CurveTail(start, (9,), (0.9,))))
    assert len(after.curve.iterations) == len(after.curve.losses)
    assert after.curve.iterations[-1] == 9


def test_a_session_that_dies_is_lost_and_receives_no_more_calls() -> None:
    session = FakeSession()
    with served(session) as serving:
        client = serving.client()
        serving.die()
        until(lambda: bool(client.connection.lost))
        assert client.connection.lost == LOST
        assert not client.connection.ended
        client.send(Save())
        client.stop(save=True)
        for ask in (client.restart, client.sync):
            with pytest.raises(RemoteError, match=LOST):
                ask()
        assert session.sent == []


def test_a_waiting_call_ends_when_the_session_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    with served(session) as serving:
        client = serving.client()
        monkeypatch.setattr(session, "restart", lambda: serving.die())
        with pytest.raises(RemoteError):
            client.restart()


@pytest.mark.parametrize("ask", ["stop", "restart", "sync"])
def test_a_session_that_hangs_is_given_up(ask: str, impostor: Callable[..., Impostor]) -> None:
    impostor(WELCOME, all_of(FakeSession()))
    client = RemoteSession("1", **HASTY)
    if ask == "stop":
        client.stop(save=True)
    else:
        with pytest.raises(RemoteError, match="session 1 does not respond"):
            getattr(client, ask)()
    assert client.connection.lost == "session 1 does not respond"
    assert not client.connection.ended
    client.detach()


def test_a_session_that_takes_long_to_end_and_is_alive_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession()
    with served(session) as serving:
        requests, stop = serving.server._requests, session.stop
        handle, signs = requests.handle, list[ClientMessage]()

        def record(message: ClientMessage, subscriber: Subscriber) -> None:
            if isinstance(message, Call) and isinstance(message.request, Sync):
                signs.append(message)
            handle(message, subscriber)

        def stop_slowly(*, save: bool) -> None:
            until(lambda: len(signs) >= 3)
            stop(save=save)

        monkeypatch.setattr(requests, "handle", record)
        monkeypatch.setattr(session, "stop", stop_slowly)
        client = serving.client(silence_seconds=0.3)
        client.stop(save=True)
        assert client.connection.ended
        assert not client.connection.lost


def test_a_session_that_accepts_no_messages_is_given_up(impostor: Callable[..., Impostor]) -> None:
    impostor(WELCOME, all_of(FakeSession()))
    client = RemoteSession("1", **HASTY)
    for _ in range(10**6):
        if client.connection.lost:
            break
        client.send(Save())
    assert client.connection.lost == "session 1 does not accept commands"
    client.detach()


def test_a_client_that_leaves_waits_for_no_answer(impostor: Callable[..., Impostor]) -> None:
    impostor(WELCOME, all_of(FakeSession()))
    client = RemoteSession("1")
    refused: list[str] = []

    def ask() -> None:
        with pytest.raises(RemoteError) as raised:
            client.ask(Adapt(source=Live("fomaml-1"), task=SampledTask("standard", 0), updates=1))
        refused.append(str(raised.value))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    until(lambda: bool(client._calls))
    client.detach()
    asking.join(PATIENCE)
    assert refused == [LEFT]


def test_a_message_that_leaving_cuts_off_is_no_sign_of_a_lost_session(
    impostor: Callable[..., Impostor], monkeypatch: pytest.MonkeyPatch
) -> None:
    impostor(WELCOME, all_of(FakeSession()))
    client = RemoteSession("1")
    send = client._socket.send

    def leave_and_send(message: Message) -> None:
        client.detach()
        send(message)

    monkeypatch.setattr(client._socket, "send", leave_and_send)
    client.send(Save())
    assert client.connection.keeps_running
    assert not client.connection.lost


def test_events_are_kept_though_the_session_has_ended(impostor: Callable[..., Impostor]) -> None:
    finished = Finished(run="fomaml-1", iteration=5, time=0.0)
    data: list[Message] = [Update(events=(finished,)), Ended()]
    impostor(WELCOME, all_of(FakeSession()), *map(to_frame, data))
    client = RemoteSession("1")
    until(lambda: client.connection.ended)
    assert list(client.events(0)) == [finished]
    client.detach()


def test_lost_runs_are_resumed_in_another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = FakeSession({"fomaml": 900}), FakeSession({"fomaml": 1_500})
    with served(first) as one, served(second) as two:
        client = one.client()
        one.die()
        until(lambda: bool(client.connection.lost))
        seen, launched = len(client.events(0)), []
        monkeypatch.setattr(
            client_module, "launch", lambda runs: launched.append(runs) or LaunchReply(id=two.id)
        )
        client.reconnect()
        assert launched == [ResumeRequest.of([Path("checkpoints/fomaml-1")])]
        assert (client.connection.lost, client.connection.id) == ("", "2")
        assert client.snapshots()["fomaml-1"].iteration == 1_500
        received = [type(event).__name__ for event in client.events(seen)]
        assert received == ["Started", "Evaluated", *["Validated"] * 3]
        client.send(Save())
        client.sync()
        assert second.commands(Save) == [None]
        client.leave(terminated=True)  # the owner of these
        assert second.calls == ["start", "stop save=True"]


def test_runs_stay_lost_where_no_session_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> LaunchReply:
        raise RemoteError("the run is in use")

    with served(FakeSession({"fomaml": 900})) as serving:
        client = serving.client()
        serving.die()
        until(lambda: bool(client.connection.lost))
        monkeypatch.setattr(client_module, "launch", fail)
        with pytest.raises(RemoteError, match="the run is in use"):
            client.reconnect()
        assert client.connection.lost == LOST
        monkeypatch.setattr(client_module, "launch", lambda _: LaunchReply(id="7"))
        with pytest.raises(RemoteError, match="session 7 cannot be reached"):
            client.reconnect()
        assert client.connection.lost


def test_a_dropped_client_reconnects_to_the_same_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession()
    with served(session) as serving:
        client = serving.client()
        serving.drop_all()
        until(lambda: client.connection.dropped)
        monkeypatch.setattr(client_module, "launch", lambda _: pytest.fail("a second session"))
        session.change("fomaml-1", iteration=12_345)
        client.reconnect()
        assert not client.connection.lost
        assert client.snapshots()["fomaml-1"].iteration == 12_345
        client.send(Save())
        client.sync()
        client.leave(terminated=True)
    assert session.commands(Save) == [None]
    assert session.calls == ["start"]


def test_another_run_is_resumed_in_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    session, launched = FakeSession({"fomaml": 900}), []
    begun = LaunchReply(id="2", notes=("one checkpoint is damaged",))
    monkeypatch.setattr(client_module, "launch", lambda runs: launched.append(runs) or begun)
    with served(session) as serving:
        client = serving.client()
        path = Path("checkpoints/other")
        assert client.resume_in_new_session(path) == ("2", ("one checkpoint is damaged",))
        assert launched == [ResumeRequest.of([path])]
        assert client.connection.id == serving.id
    assert session.calls == ["start"]


def test_a_read_only_client_starts_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "launch", lambda _: pytest.fail("it was begun"))
    with served(FakeSession()) as serving:
        client = serving.client(read_only=True)
        with pytest.raises(SessionError, match="read-only"):
            client.resume_in_new_session(Path("checkpoints/other"))


def test_a_client_that_fails_to_read_says_so(
    serving: Serving, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("out of the blue")

    client = serving.client()
    monkeypatch.setattr(client, "_handle", failing)
    session.send(Pause())
    until(lambda: bool(client.connection.lost))
    assert "out of the blue" in client.connection.lost
