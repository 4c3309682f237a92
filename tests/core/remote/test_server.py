"""A session and its subscribers: requests arrive, or are refused with the reason."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from core.commands import AnyCommand, Evaluate, Pause, Save, Step, Stop
from core.errors import RunFolderError
from core.events import CommandIssued, Paused
from core.remote.connection import make_hello, session_status
from core.remote.protocol import (
    HEAD,
    LONGEST_NAME,
    LONGEST_REQUEST,
    LONGEST_VIEW,
    PROTOCOL,
    Add,
    Call,
    ClientMessage,
    End,
    EvaluateNext,
    Hello,
    Rejected,
    Remember,
    RemoteError,
    Reply,
    Request,
    Restart,
    Send,
    SessionStatus,
    Sync,
    to_frame,
)
from core.remote.registry import live_sessions, sessions_folder
from core.remote.subscriber import Subscriber
from core.session.run_requests import AddRequest
from core.version import VERSION
from tests.support.commands import COMMANDS
from tests.support.dashboard.fake_session import FakeSession, state
from tests.support.events import FOMAML, REPTILE, asked
from tests.support.remotes import PATIENCE, RawClient, Serving, served
from tests.support.runs import until

# Requests.


@pytest.mark.parametrize("command", COMMANDS, ids=repr)
def test_every_command_arrives(command: AnyCommand, session: FakeSession, serving: Serving) -> None:
    client = serving.client()
    client.send(command, REPTILE)
    client.send(command)
    client.sync()
    assert session.sent == [(command, REPTILE), (command, None)]


def test_commands_arrive_in_the_order_in_which_they_were_given(
    session: FakeSession, serving: Serving
) -> None:
    client = serving.client()
    for number in range(1, 200):
        client.send(Step(number))
    client.sync()
    assert [command.count for command, _ in session.sent] == list(range(1, 200))  # type: ignore[attr-defined]


def test_evaluations_are_numbered_across_subscribers(
    session: FakeSession, serving: Serving
) -> None:
    first, second = serving.client(), serving.client()
    for client in (first, second, first):
        client.evaluate("random")
        client.sync()
    assert session.sent == [(Evaluate("random", number), None) for number in range(3)]


def test_subscribers_see_the_commands_of_others_and_not_their_own(
    session: FakeSession, serving: Serving
) -> None:
    first, second = serving.client(), serving.client()
    first.send(Pause(), FOMAML)
    first.evaluate("standard")
    first.sync()
    second.sync()
    others = asked(second.events(second.first_new))
    expected = [("pause", FOMAML), *(("evaluate standard", run) for run in (FOMAML, REPTILE))]
    assert others == [(run, command) for command, run in expected]
    assert asked(first.events(0)) == []
    assert isinstance(first.events(first.first_new)[0], Paused)


def test_a_command_is_published_before_its_effect(serving: Serving) -> None:
    first, second = serving.client(), serving.client()
    first.send(Pause(), FOMAML)
    first.sync()
    second.sync()
    assert [type(event) for event in second.events(second.first_new)] == [CommandIssued, Paused]


@pytest.mark.parametrize(
    "request_",
    [Send(Stop()), EvaluateNext("random"), Restart(), End(save=True)],
    ids=repr,
)
def test_the_session_refuses_commands_of_a_read_only_client(
    request_: Request, session: FakeSession, serving: Serving, raw: Callable[..., RawClient]
) -> None:
    one = raw(read_only=True)
    id = one.call(request_)
    assert one.reply() == Reply(id, "read-only session")
    assert session.calls == ["start"]
    assert session.sent == []
    assert serving.client().connection.subscribers == 2


def test_a_read_only_client_sees_everything_and_sends_no_commands(
    session: FakeSession, serving: Serving
) -> None:
    client = serving.client(read_only=True)
    assert client.connection.read_only
    client.send(Save())
    client.sync()
    assert session.sent == []
    assert session.snapshots() == client.snapshots()
    with pytest.raises(RemoteError, match="read-only session"):
        client.restart()


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (Send(Pause(), "another"), "there is no run 'another'"),
        (EvaluateNext("random", "another"), "there is no run 'another'"),
        (Send(Pause(), "x\x1b" * 99), "there is no run "),
        (EvaluateNext("validation"), "the validation runs on its own"),
        (Send(Evaluate("validation", 0)), "the validation runs on its own"),
        (Remember({"panel": "x" * LONGEST_VIEW}), "the view is too large to store"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_an_impossible_request_is_refused_with_the_reason(
    request_: Request, problem: str, session: FakeSession, raw: Callable[..., RawClient]
) -> None:
    one = raw()
    one.call(request_)
    reported = one.reply().problem
    assert reported.startswith(problem)
    assert reported.isprintable()
    assert session.sent == []
    assert session.remembered() == {}


def test_an_invalid_request_is_refused_and_the_next_one_is_handled(
    session: FakeSession, raw: Callable[..., RawClient]
) -> None:
    one = raw()
    one.socket.sendall(HEAD.pack(1) + b"\xc1")
    refused = one.reply()
    assert refused.id == 0
    assert refused.problem.startswith("not a request: ")
    assert one.reply(one.call(Send(Save()), Sync())).problem == ""
    assert session.commands(Save) == [None]


def test_a_request_too_long_ends_the_connection(raw: Callable[..., RawClient]) -> None:
    one = raw()
    one.socket.sendall(HEAD.pack(LONGEST_REQUEST + 1))
    while (reply := one.receive()) is not None:
        last = reply
    assert last == Rejected(f"a message of {LONGEST_REQUEST + 1:,} bytes is too long")


def test_a_view_is_stored_for_the_next_client(serving: Serving) -> None:
    client = serving.client(read_only=True)
    assert client.remembered() == {}
    client.remember({"panel": "training", "enlarged": True})
    client.sync()
    assert serving.client().remembered() == {"panel": "training", "enlarged": True}


# Restart runs and ends.


def test_a_restart_reaches_all_subscribers(session: FakeSession, serving: Serving) -> None:
    first, second = serving.client(), serving.client()
    first.restart()
    second.sync()
    assert session.calls == ["start", "restart", "start"]
    assert list(first.snapshots()) == list(second.snapshots()) == ["fomaml-2", "reptile-2"]
    assert asked(second.events(second.first_new)) == [(FOMAML, "fresh"), (REPTILE, "fresh")]
    assert first.folders() == session.folders()


def test_a_failed_restart_reports_the_reason(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RunFolderError(Path("out"), "the disk is full", "make room")

    monkeypatch.setattr(session, "restart", fail)
    with pytest.raises(RemoteError, match="out: the disk is full; make room"):
        serving.client().restart()


def test_two_restarts_run_one_after_the_other(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [serving.client() for _ in range(3)]
    within, most = [0], [0]
    received = threading.Semaphore(0)

    def restart() -> None:
        within[0] += 1
        most[0] = max(most[0], within[0])
        if len(session.calls) == 1:
            session.calls.append("first")
            received.acquire()
            received.acquire()
            clients[2].sync()  # the session has had time to begin what it should not
        within[0] -= 1

    requests = serving.server._requests
    handle = requests.handle

    def record(message: ClientMessage, subscriber: Subscriber) -> None:
        if isinstance(message, Call) and isinstance(message.request, Restart):
            received.release()
        handle(message, subscriber)

    monkeypatch.setattr(session, "restart", restart)
    monkeypatch.setattr(requests, "handle", record)
    asking = [threading.Thread(target=client.restart) for client in clients[:2]]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert most == [1]


def test_an_event_of_a_run_is_sent_only_after_its_snapshot(
    session: FakeSession, raw: Callable[..., RawClient], serving: Serving
) -> None:
    """A client that handles an event finds its run."""
    one = raw(progress=True)
    one.reply(one.call(Sync()))
    session.restart()
    for run in ("fomaml-2", "reptile-2"):
        session.publish(Paused(run=run, iteration=0, time=0.0))
    one.call(Sync())
    received: list[str] = []
    while not isinstance(message := one.receive(), Reply):
        received += [f"run {run}" for run in getattr(message, "runs", ())]
        received += [event.run for event in getattr(message, "events", ())]
    assert received.index("run fomaml-2") < received.index("fomaml-2")
    assert received.index("run reptile-2") < received.index("reptile-2")


def test_a_client_that_stops_the_runs_waits_and_all_see_the_end(
    session: FakeSession, serving: Serving
) -> None:
    first, second = serving.client(), serving.client()
    first.stop(save=True)
    assert session.calls == ["start", "stop save=True"]
    assert first.connection.ended
    assert not first.connection.lost
    until(lambda: second.connection.ended)
    assert not second.connection.lost
    assert {one.state for one in first.snapshots().values()} == {"stopped"}
    assert not list(live_sessions())
    assert not list(sessions_folder().iterdir())


def test_the_last_events_are_sent(session: FakeSession, serving: Serving) -> None:
    client = serving.client()
    session.finish(FOMAML)
    serving.server.close = lambda close=serving.server.close: (session.finish(REPTILE), close())  # type: ignore[method-assign]
    client.stop(save=False)
    until(lambda: state(session, REPTILE) == "finished")
    until(lambda: len([one for one in client.snapshots().values() if one.state == "finished"]) == 2)


def test_a_session_that_ends_on_its_own_sends_the_end(serving: Serving) -> None:
    client = serving.client()
    serving.server.ended.set()
    until(lambda: client.connection.ended)
    assert not client.connection.lost


def test_a_session_that_has_ended_receives_no_calls(session: FakeSession, serving: Serving) -> None:
    client = serving.client()
    client.stop(save=False)
    client.send(Save())
    client.evaluate("random")
    with pytest.raises(RemoteError, match="session 1 has ended"):
        client.restart()
    client.stop(save=True)
    assert session.sent == []


def test_a_client_that_leaves_ends_nothing(session: FakeSession, serving: Serving) -> None:
    client, other = serving.client(), serving.client()
    client.detach()
    client.leave(terminated=True)  # not the owner
    until(lambda: other.connection.subscribers == 1)
    assert session.calls == ["start"]
    assert not client.connection.lost


def test_the_owner_ends_the_runs_when_terminated(session: FakeSession, serving: Serving) -> None:
    serving.client(owner=True).leave(terminated=True)
    assert session.calls == ["start", "stop save=True"]


def test_the_owner_leaves_the_runs_when_its_terminal_is_closed(
    session: FakeSession, serving: Serving
) -> None:
    serving.client(owner=True).leave(terminated=False)
    assert session.calls == ["start"]


# Subscribers.


def test_names_are_made_unique_printable_and_short(serving: Serving) -> None:
    names = []
    connections = [RawClient(serving.id) for _ in range(5)]
    for one, name in zip(connections, ["me", "me", "a\x1b[31m\nb", "", "x" * 500], strict=True):
        one.send(Hello(protocol=PROTOCOL, program="1", name=name))
        welcome = one.receive()
        assert isinstance(welcome, SessionStatus)
        names.append(welcome.name)
    assert names == ["me", "me #1", "a[31mb", "unknown", "x" * LONGEST_NAME]
    assert session_status(serving.id).subscribers == tuple(names)
    for one in connections:
        one.close()
    until(lambda: session_status(serving.id).subscribers == ())


def test_each_subscriber_knows_how_many_there_are(serving: Serving) -> None:
    clients = [serving.client() for _ in range(3)]
    assert clients[-1].connection.subscribers == 3
    until(lambda: all(client.connection.subscribers == 3 for client in clients))
    clients[0].detach()
    until(lambda: all(client.connection.subscribers == 2 for client in clients[1:]))


def test_a_status_request_is_answered_without_subscribing(
    session: FakeSession, serving: Serving
) -> None:
    seen = session_status(serving.id)
    assert [(run.run, run.state, run.iteration, run.target) for run in seen.runs] == [
        (FOMAML, "training", 3_000, 50_000),
        (REPTILE, "training", 2_000, 50_000),
    ]
    assert session_status(serving.id).subscribers == ()
    assert not serving.server.has_subscribers


def test_a_client_of_another_version_is_rejected_in_one_line(serving: Serving) -> None:
    with closing(RawClient(serving.id)) as one:
        one.send(Hello(protocol=PROTOCOL + 1, program="9.9"))
        assert one.receive() == Rejected(
            f"session 1 runs tui-meta {VERSION} and this is 9.9; use the version that started it, "
            f"or kill {os.getpid()}, which saves its runs"
        )
        assert one.receive() is None


def test_a_client_of_protocol_2_can_read_why_it_is_rejected(serving: Serving) -> None:
    """These two messages never change, whatever the number of the protocol is."""
    old = {"type": "hello", "protocol": 2, "program": "0.1", "look": False, "name": "me"}
    body = msgspec.msgpack.encode(old)
    with closing(RawClient(serving.id)) as one:
        one.socket.sendall(HEAD.pack(len(body)) + body)
        (length,) = HEAD.unpack(one._read(HEAD.size))
        assert msgspec.msgpack.decode(one._read(length)) == {
            "type": "unfit",
            "problem": f"session 1 runs tui-meta {VERSION} and this is 0.1; "
            f"use the version that started it, or kill {os.getpid()}, which saves its runs",
        }


def test_an_invalid_hello_is_rejected_and_the_connection_ends(serving: Serving) -> None:
    with closing(RawClient(serving.id)) as one:
        one.socket.sendall(HEAD.pack(1) + b"\x00")
        reply = one.receive()
        assert isinstance(reply, Rejected)
        assert reply.problem.startswith("not a hello: ")
        assert one.receive() is None


def test_a_client_that_sends_no_hello_is_dropped(session: FakeSession) -> None:
    with served(session, hello_seconds=0.01) as serving, closing(RawClient(serving.id)) as one:
        assert one.receive() is None


def test_clients_that_hang_up_at_once_do_no_harm(serving: Serving) -> None:
    client = serving.client()
    for said in (
        b"",
        to_frame(make_hello()),
        to_frame(make_hello())[:3],
        to_frame(make_hello(status_only=True)),
    ):
        for _ in range(5):
            with closing(RawClient(serving.id)) as one:
                one.socket.sendall(said)
    client.sync()
    until(lambda: session_status(serving.id).subscribers == (client._socket.status.name,))


# Internal errors.


def test_a_server_that_crashes_ends_the_runs_and_leaves_nothing_behind(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serving.client()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(serving.server, "_send_updates", fail)
    assert serving.server.ended.wait(PATIENCE)
    serving.server.close()
    assert not list(live_sessions())
    until(lambda: bool(client.connection.lost))


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("send", Send(Pause())),
        ("evaluate", EvaluateNext("random")),
        ("remember", Remember({})),
        ("restart", Restart()),
        ("add", Add(AddRequest(config={}, beside=FOMAML))),
    ],
)
def test_a_request_that_fails_unexpectedly_is_answered_with_the_reason(
    method: str,
    request_: Request,
    session: FakeSession,
    raw: Callable[..., RawClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("out of the blue")

    monkeypatch.setattr(session, method, failing)
    client = raw()
    problem = client.reply(client.call(request_)).problem
    assert problem.startswith("internal error in test_server.py:")
    assert "out of the blue" in problem
    assert client.reply(client.call(Sync())).problem == ""


def test_a_session_that_cannot_stop_its_runs_ends_all_the_same(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(**_: object) -> None:
        raise RuntimeError("out of the blue")

    monkeypatch.setattr(session, "stop", failing)
    client = serving.client()
    client.stop(save=True)
    assert "RuntimeError: out of the blue" in client.connection.lost
    assert serving.server.ended.wait(PATIENCE)
