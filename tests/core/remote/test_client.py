"""A face whose session is out of reach, silent or false: one line, and no wait without end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from core.analysis.questions import Adapt, Live, SampledTask
from core.errors import SessionError
from core.events import Curve, Finished, Save
from core.remote import client as client_module
from core.remote import connection as link_module
from core.remote import server as server_module
from core.remote.client import LEFT, LOST, RemoteSession
from core.remote.delta import full
from core.remote.process import LaunchReply
from core.remote.protocol import (
    HEAD,
    LONGEST_REPLY,
    CurveTail,
    Done,
    Ended,
    Message,
    Rejected,
    RemoteError,
    Request,
    SessionStatus,
    SnapshotChange,
    Sync,
    Update,
    to_frame,
)
from core.session.launch import ResumeRequest
from tests.support.dashboard.fake_session import FakeSession
from tests.support.remotes import Impostor, served
from tests.support.runs import PATIENCE, until

WELCOME = to_frame(SessionStatus(id="1", name="me"))


def all_of(session: FakeSession) -> bytes:
    return to_frame(full(session.snapshots(), ["a", "b"], 1))


@pytest.fixture
def impostor() -> Iterator[Callable[..., Impostor]]:
    opened: list[Impostor] = []

    def open_one(*said: bytes, leaves: bool = False) -> Impostor:
        opened.append(Impostor(b"".join(said), leaves=leaves))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A face that waits a moment only."""
    for module in (client_module, link_module):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(client_module, "SILENCE_SECONDS", 0.05)


def test_a_session_that_is_not_there_is_named() -> None:
    with pytest.raises(RemoteError, match=r"session 3 cannot be reached \(No such file"):
        RemoteSession("3")


def test_the_refusal_of_a_session_is_passed_on(impostor: Callable[..., Impostor]) -> None:
    impostor(to_frame(Rejected("this is another version")))
    with pytest.raises(RemoteError, match=r"^this is another version$"):
        RemoteSession("1")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"", "session 1 does not answer"),
        (to_frame(Done()), "session 1 gave no welcome"),
        (WELCOME[:-1], "session 1 does not answer"),
        (WELCOME, "session 1 tells nothing of its runs"),
        (HEAD.pack(LONGEST_REPLY + 1), "session 1 sent a message of 33,554,433 bytes"),
        (HEAD.pack(1) + b"\xc1", "session 1 cannot be understood: "),
        (WELCOME + HEAD.pack(1) + b"\xc1", "session 1 cannot be understood: "),
        (WELCOME + to_frame(Update(runs=("a",))), "session 1 tells nothing of 1 runs"),
        (
            WELCOME
            + to_frame(Update(changes=(SnapshotChange("a", {"state": "paused"}),), runs=("a",))),
            "a snapshot cannot be understood: ",
        ),
        (WELCOME + to_frame(Rejected("that was all")), "that was all"),
    ],
)
@pytest.mark.usefixtures("hasty")
def test_one_that_is_no_session_is_told_apart(
    said: bytes, problem: str, impostor: Callable[..., Impostor]
) -> None:
    impostor(said)
    with pytest.raises(RemoteError) as caught:
        RemoteSession("1")
    assert str(caught.value).startswith(problem)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("said", [b"", b"\0\0", WELCOME, WELCOME[:9]])
def test_one_that_hangs_up_is_told_apart(said: bytes, impostor: Callable[..., Impostor]) -> None:
    impostor(said, leaves=True)
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
def test_a_change_to_what_is_no_snapshot_is_refused_or_passed_over(
    fields: dict[str, str | int | float | bool | None], impostor: Callable[..., Impostor]
) -> None:
    session = FakeSession()
    impostor(
        WELCOME,
        all_of(session),
        to_frame(Update(changes=(SnapshotChange("fomaml-1", fields),))),
    )
    with closing(_Closing("1")) as closing_face:
        face = closing_face.face
        if next(iter(fields)) in ("theta", "curve", "run", "surprise"):
            assert dict(face.snapshots()) == session.snapshots()
        else:
            until(lambda: bool(face.connection.lost))
            assert face.connection.lost.startswith("a snapshot cannot be understood: ")


class _Closing:
    def __init__(self, id: str) -> None:
        self.face = RemoteSession(id)

    def close(self) -> None:
        self.face.detach()


def test_a_curve_whose_points_are_no_pairs_is_refused() -> None:
    (snapshot,) = FakeSession({"fomaml": 3}).snapshots().values()
    grown = SnapshotChange("fomaml-1", {}, CurveTail(0, (1, 2), (0.5,)))
    with pytest.raises(RemoteError, match="a point of a curve is no pair"):
        client_module._changed(snapshot, grown)


@pytest.mark.parametrize("start", [-5, 0, 1, 10**9, 2**63 - 1])
def test_the_end_of_a_curve_replaces_what_was_from_there(start: int) -> None:
    (snapshot,) = FakeSession({"fomaml": 3}).snapshots().values()
    before = msgspec.structs.replace(snapshot, curve=Curve((1, 2), (0.1, 0.2)))
    after = client_module._changed(
        before, SnapshotChange("fomaml-1", {}, CurveTail(start, (9,), (0.9,)))
    )
    assert len(after.curve.iterations) == len(after.curve.losses)
    assert after.curve.iterations[-1] == 9


def test_a_session_that_dies_is_lost_and_nothing_is_asked_of_it() -> None:
    session = FakeSession()
    with served(session) as serving:
        face = serving.face()
        serving.die()
        until(lambda: bool(face.connection.lost))
        assert face.connection.lost == LOST
        assert not face.connection.ended
        face.send(Save())
        face.stop(save=True)
        for ask in (face.restart, face.sync):
            with pytest.raises(RemoteError, match=LOST):
                ask()
        assert session.sent == []


def test_one_that_waits_hears_of_the_death(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    with served(session) as serving:
        face = serving.face()
        monkeypatch.setattr(session, "restart", lambda: serving.die())
        with pytest.raises(RemoteError):
            face.restart()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("ask", ["stop", "restart", "sync"])
def test_a_session_that_hangs_is_given_up(ask: str, impostor: Callable[..., Impostor]) -> None:
    impostor(WELCOME, all_of(FakeSession()))
    face = RemoteSession("1")
    if ask == "stop":
        face.stop(save=True)
    else:
        with pytest.raises(RemoteError, match="session 1 does not answer"):
            getattr(face, ask)()
    assert face.connection.lost == "session 1 does not answer"
    assert not face.connection.ended
    face.detach()


@pytest.mark.usefixtures("hasty")
def test_a_session_that_needs_long_to_end_and_lives_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession()
    decode, stop = server_module.decode_request, session.stop
    signs: list[Request] = []

    def noted(content: bytes) -> Request:
        request = decode(content)
        if isinstance(request, Sync):
            signs.append(request)
        return request

    def slow(*, save: bool) -> None:
        until(lambda: len(signs) >= 3)
        stop(save=save)

    monkeypatch.setattr(server_module, "decode_request", noted)
    monkeypatch.setattr(session, "stop", slow)
    with served(session) as serving:
        face = serving.face()
        face.stop(save=True)
        assert face.connection.ended
        assert not face.connection.lost


@pytest.mark.usefixtures("hasty")
def test_a_session_that_takes_nothing_in_is_given_up(impostor: Callable[..., Impostor]) -> None:
    impostor(WELCOME, all_of(FakeSession()))
    face = RemoteSession("1")
    for _ in range(10**6):
        if face.connection.lost:
            break
        face.send(Save())
    assert face.connection.lost == "session 1 takes no commands"
    face.detach()


def test_who_leaves_waits_for_no_answer(impostor: Callable[..., Impostor]) -> None:
    impostor(WELCOME, all_of(FakeSession()))
    face = RemoteSession("1")
    refused: list[str] = []

    def ask() -> None:
        with pytest.raises(RemoteError) as raised:
            face.ask(Adapt(source=Live("fomaml-1"), task=SampledTask("standard", 0), updates=1))
        refused.append(str(raised.value))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    until(lambda: bool(face._asked))
    face.detach()
    asking.join(PATIENCE)
    assert refused == [LEFT]


def test_events_are_kept_though_the_session_has_ended(impostor: Callable[..., Impostor]) -> None:
    finished = Finished(run="fomaml-1", iteration=5, time=0.0)
    said: list[Message] = [Update(events=(finished,)), Ended()]
    impostor(WELCOME, all_of(FakeSession()), *map(to_frame, said))
    face = RemoteSession("1")
    until(lambda: face.connection.ended)
    assert list(face.events(0)) == [finished]
    face.detach()


def test_runs_that_were_lost_go_on_in_another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = FakeSession({"fomaml": 900}), FakeSession({"fomaml": 1_500})
    with served(first) as one, served(second) as two:
        face = one.face()
        one.die()
        until(lambda: bool(face.connection.lost))
        seen, launched = len(face.events(0)), []
        monkeypatch.setattr(
            client_module, "launch", lambda runs: launched.append(runs) or LaunchReply(id=two.id)
        )
        face.reconnect()
        assert launched == [ResumeRequest.of([Path("checkpoints/fomaml-1")])]
        assert (face.connection.lost, face.connection.id) == ("", "2")
        assert face.snapshots()["fomaml-1"].iteration == 1_500
        assert [type(event).__name__ for event in face.events(seen)] == ["Started", "Evaluated"]
        face.send(Save())
        face.sync()
        assert second.commands(Save) == [None]
        face.leave(terminated=True)  # began these
        assert second.calls == ["start", "stop save=True"]


def test_where_nothing_can_be_begun_the_runs_stay_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> LaunchReply:
        raise RemoteError("the run is in use")

    with served(FakeSession({"fomaml": 900})) as serving:
        face = serving.face()
        serving.die()
        until(lambda: bool(face.connection.lost))
        monkeypatch.setattr(client_module, "launch", fail)
        with pytest.raises(RemoteError, match="the run is in use"):
            face.reconnect()
        assert face.connection.lost == LOST
        monkeypatch.setattr(client_module, "launch", lambda _: LaunchReply(id="7"))
        with pytest.raises(RemoteError, match="session 7 cannot be reached"):
            face.reconnect()
        assert face.connection.lost


def test_one_that_was_dropped_comes_back_to_the_runs_that_train_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession()
    with served(session) as serving:
        face = serving.face()
        serving.drop_all()
        until(lambda: face.connection.dropped)
        monkeypatch.setattr(client_module, "launch", lambda _: pytest.fail("a second session"))
        session.change("fomaml-1", iteration=12_345)
        face.reconnect()
        assert not face.connection.lost
        assert face.snapshots()["fomaml-1"].iteration == 12_345
        face.send(Save())
        face.sync()
        face.leave(terminated=True)
    assert session.commands(Save) == [None]
    assert session.calls == ["start"]


def test_another_run_goes_on_in_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    session, launched = FakeSession({"fomaml": 900}), []
    begun = LaunchReply(id="2", notes=("one checkpoint is damaged",))
    monkeypatch.setattr(client_module, "launch", lambda runs: launched.append(runs) or begun)
    with served(session) as serving:
        face = serving.face()
        path = Path("checkpoints/other")
        assert face.resume_in_new_session(path) == ("2", ("one checkpoint is damaged",))
        assert launched == [ResumeRequest.of([path])]
        assert face.connection.id == serving.id
    assert session.calls == ["start"]


def test_who_may_only_look_begins_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "launch", lambda _: pytest.fail("it was begun"))
    with served(FakeSession()) as serving:
        face = serving.face(read_only=True)
        with pytest.raises(SessionError, match="read-only"):
            face.resume_in_new_session(Path("checkpoints/other"))
