"""A session and those who watch it: what they ask arrives, or is refused with the reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import RunFolderError
from core.events import AnyCommand, CommandIssued, Evaluate, Pause, Paused, Save, Step, Stop
from core.remote import server as server_module
from core.remote.connection import make_hello, session_status
from core.remote.protocol import (
    HEAD,
    LONGEST_NAME,
    LONGEST_REQUEST,
    LONGEST_VIEW,
    PROTOCOL,
    Done,
    End,
    Fresh,
    Hello,
    Probe,
    Rejected,
    Remember,
    RemoteError,
    Request,
    Send,
    SessionStatus,
    Sync,
    to_frame,
)
from core.remote.registry import live_sessions, sessions_folder
from tests.core.remote.test_protocol import COMMANDS
from tests.support.dashboard.fake_session import FakeSession, state
from tests.support.events import FOMAML, REPTILE, asked
from tests.support.remotes import PATIENCE, Raw, Serving
from tests.support.runs import until

# What is asked.


@pytest.mark.parametrize("command", COMMANDS, ids=repr)
def test_every_command_arrives(command: AnyCommand, session: FakeSession, serving: Serving) -> None:
    face = serving.face()
    face.send(command, REPTILE)
    face.send(command)
    face.sync()
    assert session.sent == [(command, REPTILE), (command, None)]


def test_commands_arrive_in_the_order_in_which_they_were_given(
    session: FakeSession, serving: Serving
) -> None:
    face = serving.face()
    for number in range(1, 200):
        face.send(Step(number))
    face.sync()
    assert [command.count for command, _ in session.sent] == list(range(1, 200))  # type: ignore[attr-defined]


def test_evaluations_are_numbered_for_all_who_watch(session: FakeSession, serving: Serving) -> None:
    first, second = serving.face(), serving.face()
    for face in (first, second, first):
        face.evaluate("random")
        face.sync()
    assert session.sent == [(Evaluate("random", number), None) for number in range(3)]


def test_watchers_see_the_commands_of_others_and_not_their_own(
    session: FakeSession, serving: Serving
) -> None:
    first, second = serving.face(), serving.face()
    first.send(Pause(), FOMAML)
    first.evaluate("standard")
    first.sync()
    second.sync()
    others = asked(second.events(second.first_new))
    expected = [("pause", FOMAML), *(("evaluate standard", run) for run in (FOMAML, REPTILE))]
    assert others == [(run, command) for command, run in expected]
    assert asked(first.events(0)) == []
    assert isinstance(first.events(first.first_new)[0], Paused)


def test_what_was_asked_for_is_told_before_what_came_of_it(serving: Serving) -> None:
    first, second = serving.face(), serving.face()
    first.send(Pause(), FOMAML)
    first.sync()
    second.sync()
    assert [type(event) for event in second.events(second.first_new)] == [CommandIssued, Paused]


@pytest.mark.parametrize(
    "request_", [Send(Stop()), Probe("random"), Fresh(3), End(save=True, ticket=3)], ids=repr
)
def test_one_who_may_only_look_is_refused_by_the_session(
    request_: Request, session: FakeSession, serving: Serving, raw: Callable[..., Raw]
) -> None:
    one = raw(read_only=True)
    one.say(request_)
    assert one.done() == Done("you may look only", getattr(request_, "ticket", 0))
    assert session.calls == ["start"]
    assert session.sent == []
    assert serving.face().connection.subscribers == 2


def test_a_face_that_may_only_look_sees_all_and_commands_nothing(
    session: FakeSession, serving: Serving
) -> None:
    face = serving.face(read_only=True)
    assert face.connection.read_only
    face.send(Save())
    face.sync()
    assert session.sent == []
    assert session.snapshots() == face.snapshots()
    with pytest.raises(RemoteError, match="you may look only"):
        face.restart()


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (Send(Pause(), "another"), "there is no run 'another'"),
        (Probe("random", "another"), "there is no run 'another'"),
        (Send(Pause(), "x\x1b" * 99), "there is no run "),
        (Probe("validation"), "this evaluation comes by itself"),
        (Send(Evaluate("validation", 0)), "this evaluation comes by itself"),
        (Remember({"panel": "x" * LONGEST_VIEW}), "this is too much to remember"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    request_: Request, problem: str, session: FakeSession, raw: Callable[..., Raw]
) -> None:
    one = raw()
    one.say(request_)
    said = one.done().problem
    assert said.startswith(problem)
    assert said.isprintable()
    assert session.sent == []
    assert session.view == {}


def test_what_is_no_request_is_refused_and_the_next_one_is_heard(
    session: FakeSession, raw: Callable[..., Raw]
) -> None:
    one = raw()
    one.socket.sendall(HEAD.pack(1) + b"\xc1")
    assert one.done().problem.startswith("this is no request: ")
    one.say(Send(Save()), Sync(4))
    assert one.done() == Done(ticket=4)
    assert session.commands(Save) == [None]


def test_a_request_too_long_ends_the_connection(raw: Callable[..., Raw]) -> None:
    one = raw()
    one.socket.sendall(HEAD.pack(LONGEST_REQUEST + 1))
    while (reply := one.hear()) is not None:
        last = reply
    assert last == Rejected(f"a message of {LONGEST_REQUEST + 1:,} bytes is too long")


def test_what_was_looked_at_is_remembered_for_the_next(serving: Serving) -> None:
    face = serving.face(read_only=True)
    assert face.remembered() == {}
    face.remember({"panel": "training", "enlarged": True})
    face.sync()
    assert serving.face().remembered() == {"panel": "training", "enlarged": True}


# Fresh runs and ends.


def test_fresh_runs_are_begun_for_all(session: FakeSession, serving: Serving) -> None:
    first, second = serving.face(), serving.face()
    first.restart()
    second.sync()
    assert session.calls == ["start", "restart"]
    assert list(first.snapshots()) == list(second.snapshots()) == ["fomaml-2", "reptile-2"]
    assert asked(second.events(second.first_new)) == [(FOMAML, "fresh"), (REPTILE, "fresh")]
    assert first.folders() == session.folders()


def test_why_there_are_no_fresh_runs_is_told(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RunFolderError(Path("out"), "the disk is full", "make room")

    monkeypatch.setattr(session, "restart", fail)
    with pytest.raises(RemoteError, match="out: the disk is full; make room"):
        serving.face().restart()


def test_two_who_ask_for_fresh_runs_are_served_one_after_the_other(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = [serving.face() for _ in range(3)]
    within, most = [0], [0]
    heard = threading.Semaphore(0)

    def restart() -> None:
        within[0] += 1
        most[0] = max(most[0], within[0])
        if len(session.calls) == 1:
            session.calls.append("first")
            heard.acquire()
            heard.acquire()
            faces[2].sync()  # the session has had time to begin what it should not
        within[0] -= 1

    decode = server_module.decode_request

    def noted(content: bytes) -> Request:
        request = decode(content)
        if isinstance(request, Fresh):
            heard.release()
        return request

    monkeypatch.setattr(session, "restart", restart)
    monkeypatch.setattr(server_module, "decode_request", noted)
    asking = [threading.Thread(target=face.restart) for face in faces[:2]]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert most == [1]


def test_an_event_of_a_run_is_told_only_after_its_snapshot(
    session: FakeSession, raw: Callable[..., Raw], serving: Serving
) -> None:
    """Whatever a face does with an event, it finds its run."""
    one = raw(progress=True)
    one.say(Sync(1))
    one.done()
    session.restart()
    session.say(Paused(run="fomaml-2", iteration=0, time=0.0))
    one.say(Sync(2))
    told: list[str] = []
    while not isinstance(reply := one.hear(), Done):
        told += getattr(reply, "runs", ())
        told += ["event"] * len(getattr(reply, "events", ()))
    assert told == ["fomaml-2", "reptile-2", "event"]


def test_a_face_that_stops_the_runs_waits_and_all_are_told(
    session: FakeSession, serving: Serving
) -> None:
    first, second = serving.face(), serving.face()
    first.stop(save=True)
    assert session.calls == ["start", "stop save=True"]
    assert first.connection.ended
    assert not first.connection.lost
    until(lambda: second.connection.ended)
    assert not second.connection.lost
    assert {one.state for one in first.snapshots().values()} == {"stopped"}
    assert not list(live_sessions())
    assert not list(sessions_folder().iterdir())


def test_what_happens_last_is_told(session: FakeSession, serving: Serving) -> None:
    face = serving.face()
    session.finish(FOMAML)
    serving.server.close = lambda close=serving.server.close: (session.finish(REPTILE), close())  # type: ignore[method-assign]
    face.stop(save=False)
    until(lambda: state(session, REPTILE) == "finished")
    until(lambda: len([one for one in face.snapshots().values() if one.state == "finished"]) == 2)


def test_a_session_that_ends_by_itself_says_so(serving: Serving) -> None:
    face = serving.face()
    serving.server.ended.set()
    until(lambda: face.connection.ended)
    assert not face.connection.lost


def test_nothing_is_asked_of_a_session_that_has_ended(
    session: FakeSession, serving: Serving
) -> None:
    face = serving.face()
    face.stop(save=False)
    face.send(Save())
    face.evaluate("random")
    with pytest.raises(RemoteError, match="session 1 has ended"):
        face.restart()
    face.stop(save=True)
    assert session.sent == []


def test_one_who_leaves_ends_nothing(session: FakeSession, serving: Serving) -> None:
    face, other = serving.face(), serving.face()
    face.detach()
    face.leave(terminated=True)  # did not begin it
    until(lambda: other.connection.subscribers == 1)
    assert session.calls == ["start"]
    assert not face.connection.lost


def test_who_began_the_runs_ends_them_when_told_to_end(
    session: FakeSession, serving: Serving
) -> None:
    serving.face(owner=True).leave(terminated=True)
    assert session.calls == ["start", "stop save=True"]


def test_who_began_the_runs_leaves_them_when_the_terminal_is_gone(
    session: FakeSession, serving: Serving
) -> None:
    serving.face(owner=True).leave(terminated=False)
    assert session.calls == ["start"]


# Who watches.


def test_names_are_made_unique_printable_and_short(serving: Serving) -> None:
    names = []
    connections = [Raw(serving.id) for _ in range(5)]
    for one, name in zip(connections, ["me", "me", "a\x1b[31m\nb", "", "x" * 500], strict=True):
        one.say(Hello(protocol=PROTOCOL, program="1", name=name))
        welcome = one.hear()
        assert isinstance(welcome, SessionStatus)
        names.append(welcome.name)
    assert names == ["me", "me #1", "a[31mb", "somebody", "x" * LONGEST_NAME]
    assert session_status(serving.id).subscribers == tuple(names)
    for one in connections:
        one.close()
    until(lambda: session_status(serving.id).subscribers == ())


def test_each_watcher_knows_how_many_watch(serving: Serving) -> None:
    faces = [serving.face() for _ in range(3)]
    assert faces[-1].connection.subscribers == 3
    until(lambda: all(face.connection.subscribers == 3 for face in faces))
    faces[0].detach()
    until(lambda: all(face.connection.subscribers == 2 for face in faces[1:]))


def test_one_who_looks_is_told_how_all_stands_and_is_no_watcher(
    session: FakeSession, serving: Serving
) -> None:
    seen = session_status(serving.id)
    assert [(run.run, run.state, run.iteration, run.target) for run in seen.runs] == [
        (FOMAML, "training", 3_000, 50_000),
        (REPTILE, "training", 2_000, 50_000),
    ]
    assert session_status(serving.id).subscribers == ()
    assert not serving.server.watched


def test_another_version_is_told_so_in_one_line(serving: Serving) -> None:
    with closing(Raw(serving.id)) as one:
        one.say(Hello(protocol=PROTOCOL + 1, program="9.9"))
        assert one.hear() == Rejected(
            "session 1 is of tui-meta 1.2.3 and this is 9.9; use the version that began it"
        )
        assert one.hear() is None


def test_a_greeting_that_is_none_is_answered_and_the_connection_ends(serving: Serving) -> None:
    with closing(Raw(serving.id)) as one:
        one.socket.sendall(HEAD.pack(1) + b"\x00")
        reply = one.hear()
        assert isinstance(reply, Rejected)
        assert reply.problem.startswith("this is no greeting: ")
        assert one.hear() is None


def test_one_who_says_nothing_is_dropped(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HELLO_SECONDS", 0.01)
    with closing(Raw(serving.id)) as one:
        assert one.hear() is None


def test_one_who_hangs_up_at_once_harms_nobody(serving: Serving) -> None:
    face = serving.face()
    for said in (
        b"",
        to_frame(make_hello()),
        to_frame(make_hello())[:3],
        to_frame(make_hello(look=True)),
    ):
        for _ in range(5):
            with closing(Raw(serving.id)) as one:
                one.socket.sendall(said)
    face.sync()
    until(lambda: session_status(serving.id).subscribers == (face._link.welcome.name,))


# Faults of its own.


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_fails_lets_the_runs_be_ended_and_leaves_nothing_behind(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = serving.face()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(serving.server, "_tell_news", fail)
    assert serving.server.ended.wait(PATIENCE)
    serving.server.close()
    assert not list(live_sessions())
    until(lambda: bool(face.connection.lost))
