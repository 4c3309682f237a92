"""A session and those who watch it: what they ask arrives, and what happens is told to all."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import RunFolderError
from core.events import (
    AnyCommand,
    AnyEvent,
    Asked,
    Evaluate,
    Evaluated,
    Pause,
    Paused,
    Progress,
    Save,
    Snapshot,
    Step,
    Stepped,
    Stop,
)
from core.remote import server as server_module
from core.remote.digest import STORY_EVENTS
from core.remote.link import greeting, look
from core.remote.place import entries, sessions_folder
from core.remote.protocol import (
    HEAD,
    LONGEST_NAME,
    LONGEST_REQUEST,
    LONGEST_VIEW,
    PROTOCOL,
    Done,
    End,
    Ended,
    Fresh,
    Hello,
    Probe,
    Remember,
    RemoteError,
    Request,
    Send,
    Sync,
    Unfit,
    Welcome,
    framed,
)
from core.remote.watcher import Watcher
from core.session import LocalSession
from tests.core.remote.test_protocol import COMMANDS
from tests.core.runs import new_plan, small_config, until
from tests.remotes import Raw, Serving, served
from tests.tui_meta.fake_session import FakeSession, state

FOMAML, REPTILE = "fomaml-1", "reptile-1"


@pytest.fixture
def session() -> FakeSession:
    return FakeSession({"fomaml": 3_000, "reptile": 2_000})


@pytest.fixture
def serving(session: FakeSession) -> Iterator[Serving]:
    with served(session) as serving:
        yield serving


@pytest.fixture
def raw(serving: Serving) -> Iterator[Callable[..., Raw]]:
    opened: list[Raw] = []

    def open_one(**manner: bool) -> Raw:
        opened.append(Raw(serving.id))
        opened[-1].say(greeting(**manner))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def counted(events: Sequence[AnyEvent]) -> list[int]:
    """The numbers that events of a test carry."""
    return [event.count for event in events if isinstance(event, Stepped)]


def stepped(number: int) -> Stepped:
    return Stepped(count=number, run=FOMAML, iteration=number, time=0.0)


def asked(events: Sequence[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.run, event.command) for event in events if isinstance(event, Asked)]


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
    assert [type(event) for event in second.events(second.first_new)] == [Asked, Paused]


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
    assert serving.face().connection.watchers == 2


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
        face.fresh()


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
    assert last == Unfit(f"a message of {LONGEST_REQUEST + 1:,} bytes is too long")


def test_what_was_looked_at_is_remembered_for_the_next(serving: Serving) -> None:
    face = serving.face(read_only=True)
    assert face.remembered() == {}
    face.remember({"panel": "training", "enlarged": True})
    face.sync()
    assert serving.face().remembered() == {"panel": "training", "enlarged": True}


# Fresh runs and ends.


def test_fresh_runs_are_begun_for_all(session: FakeSession, serving: Serving) -> None:
    first, second = serving.face(), serving.face()
    first.fresh()
    second.sync()
    assert session.calls == ["start", "fresh"]
    assert list(first.snapshots()) == list(second.snapshots()) == ["fomaml-2", "reptile-2"]
    assert asked(second.events(second.first_new)) == [(FOMAML, "fresh"), (REPTILE, "fresh")]
    assert first.folders == ("checkpoints/fomaml-2", "checkpoints/reptile-2")


def test_why_there_are_no_fresh_runs_is_told(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RunFolderError(Path("out"), "the disk is full", "make room")

    monkeypatch.setattr(session, "fresh", fail)
    with pytest.raises(RemoteError, match="out: the disk is full; make room"):
        serving.face().fresh()


def test_two_who_ask_for_fresh_runs_are_served_one_after_the_other(
    session: FakeSession, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = [serving.face() for _ in range(3)]
    within, most = [0], [0]
    heard = threading.Semaphore(0)

    def fresh() -> None:
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

    monkeypatch.setattr(session, "fresh", fresh)
    monkeypatch.setattr(server_module, "decode_request", noted)
    asking = [threading.Thread(target=face.fresh) for face in faces[:2]]
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
    session.fresh()
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
    assert not list(entries())
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
        face.fresh()
    face.stop(save=True)
    assert session.sent == []


def test_one_who_leaves_ends_nothing(session: FakeSession, serving: Serving) -> None:
    face, other = serving.face(), serving.face()
    face.detach()
    face.leave(told=True)  # did not begin it
    until(lambda: other.connection.watchers == 1)
    assert session.calls == ["start"]
    assert not face.connection.lost


def test_who_began_the_runs_ends_them_when_told_to_end(
    session: FakeSession, serving: Serving
) -> None:
    serving.face(began=True).leave(told=True)
    assert session.calls == ["start", "stop save=True"]


def test_who_began_the_runs_leaves_them_when_the_terminal_is_gone(
    session: FakeSession, serving: Serving
) -> None:
    serving.face(began=True).leave(told=False)
    assert session.calls == ["start"]


# Who watches.


def test_names_are_made_unique_printable_and_short(serving: Serving) -> None:
    names = []
    connections = [Raw(serving.id) for _ in range(5)]
    for one, name in zip(connections, ["me", "me", "a\x1b[31m\nb", "", "x" * 500], strict=True):
        one.say(Hello(protocol=PROTOCOL, program="1", name=name))
        welcome = one.hear()
        assert isinstance(welcome, Welcome)
        names.append(welcome.name)
    assert names == ["me", "me #1", "a[31mb", "somebody", "x" * LONGEST_NAME]
    assert look(serving.id).watchers == tuple(names)
    for one in connections:
        one.close()
    until(lambda: look(serving.id).watchers == ())


def test_each_watcher_knows_how_many_watch(serving: Serving) -> None:
    faces = [serving.face() for _ in range(3)]
    assert faces[-1].connection.watchers == 3
    until(lambda: all(face.connection.watchers == 3 for face in faces))
    faces[0].detach()
    until(lambda: all(face.connection.watchers == 2 for face in faces[1:]))


def test_one_who_looks_is_told_how_all_stands_and_is_no_watcher(
    session: FakeSession, serving: Serving
) -> None:
    seen = look(serving.id)
    assert [(run.run, run.state, run.iteration, run.target) for run in seen.runs] == [
        (FOMAML, "training", 3_000, 50_000),
        (REPTILE, "training", 2_000, 50_000),
    ]
    assert look(serving.id).watchers == ()
    assert not serving.server.watched


def test_another_version_is_told_so_in_one_line(serving: Serving) -> None:
    with closing(Raw(serving.id)) as one:
        one.say(Hello(protocol=PROTOCOL + 1, program="9.9"))
        assert one.hear() == Unfit(
            "session 1 is of tui-meta 1.2.3 and this is 9.9; use the version that began it"
        )
        assert one.hear() is None


def test_a_greeting_that_is_none_is_answered_and_the_connection_ends(serving: Serving) -> None:
    with closing(Raw(serving.id)) as one:
        one.socket.sendall(HEAD.pack(1) + b"\x00")
        reply = one.hear()
        assert isinstance(reply, Unfit)
        assert reply.problem.startswith("this is no greeting: ")
        assert one.hear() is None


def test_one_who_says_nothing_is_dropped(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HELLO_SECONDS", 0.01)
    with closing(Raw(serving.id)) as one:
        assert one.hear() is None


def test_one_who_hangs_up_at_once_harms_nobody(serving: Serving) -> None:
    face = serving.face()
    for said in (b"", framed(greeting()), framed(greeting())[:3], framed(greeting(look=True))):
        for _ in range(5):
            with closing(Raw(serving.id)) as one:
                one.socket.sendall(said)
    face.sync()
    until(lambda: look(serving.id).watchers == (face._link.welcome.name,))


# What is told.


def test_a_face_that_comes_late_has_what_was_there_all_along(
    session: FakeSession, serving: Serving
) -> None:
    first = serving.face()
    session.send(Pause(), FOMAML)
    session.evaluate("compare")
    session.change(REPTILE, iteration=2_100, loss=0.1)
    first.sync()
    late = serving.face()
    expected = [event for event in session.events(0) if not isinstance(event, Progress)]
    assert list(late.events(0)) == expected
    assert late.snapshots() == first.snapshots() == session.snapshots()
    assert late.first_new == len(expected)
    assert late.folders == tuple(map(str, session.folders().values()))


def test_earlier_sittings_are_told(session: FakeSession) -> None:
    before = FakeSession({"reptile": 40_000})
    before.start()
    session.earlier = [
        event for event in before.events(0) if not isinstance(event, Progress)
    ] * 40  # more than one message has
    with served(session) as serving:
        face = serving.face()
        told = face.history()
    newest = [event for event in told if isinstance(event, Evaluated) and event.is_drawable]
    assert len(told) == len(session.earlier) > STORY_EVENTS
    assert [event.iteration for event in told] == [event.iteration for event in session.earlier]
    assert newest == [event for event in session.earlier if isinstance(event, Evaluated)][-50:]


def test_the_first_event_after_an_empty_story_is_new(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "start", lambda: None)
    with served(session) as serving:
        face = serving.face()
        session.say(stepped(1))
        face.sync()
        assert face.first_new == 0
        assert counted(face.events(face.first_new)) == [1]


def test_a_script_is_told_every_loss_and_a_screen_none(
    session: FakeSession, serving: Serving
) -> None:
    screen, script = serving.face(), serving.face(progress=True)
    for number in range(5):
        session.say(Progress(loss=0.5, run=FOMAML, iteration=number, time=0.0))
    session.say(stepped(1))
    screen.sync()
    script.sync()
    assert [type(event) for event in screen.events(screen.first_new)] == [Stepped]
    assert list(script.events(script.first_new)) == list(session.events(0))[-6:]


def test_the_news_come_without_being_asked_for(session: FakeSession, serving: Serving) -> None:
    face = serving.face()
    seen = len(face.events(0))
    session.say(stepped(1))
    face.wait_for_news(seen, 60.0)
    assert counted(face.events(seen)) == [1]
    session.change(FOMAML, iteration=3_333)
    until(lambda: face.snapshots()[FOMAML].iteration == 3_333)


class Unbegun:
    """A session of a real run that never begins, in which a test makes things happen."""

    def __init__(self, out: Path) -> None:
        self.local = LocalSession([new_plan(out, small_config(), FOMAML)])
        self.start = lambda: None

    def __getattr__(self, name: str) -> object:
        return getattr(self.local, name)


def test_who_comes_while_things_happen_misses_nothing_and_hears_nothing_twice(
    tmp_path: Path,
) -> None:
    unbegun, choose, numbers = Unbegun(tmp_path), random.Random(5), iter(range(10**6))
    with served(unbegun) as serving:  # type: ignore[arg-type]
        faces = []
        for _ in range(40):
            burst = [next(numbers) for _ in range(choose.randint(1, 40))]
            telling = threading.Thread(
                target=lambda burst=burst: [unbegun.local.tell(stepped(one)) for one in burst]
            )
            telling.start()
            faces.append(serving.face(progress=choose.random() < 0.5))
            telling.join()
        happened = counted(unbegun.local.events(0))
        for face in faces:
            face.sync()
            assert counted(face.events(0)) == happened


@pytest.mark.parametrize("moment", ["story", "snapshots", "history", "events", "folders"])
def test_what_happens_in_the_midst_of_a_greeting_is_told_once(moment: str, tmp_path: Path) -> None:
    unbegun = Unbegun(tmp_path)
    with served(unbegun) as serving:  # type: ignore[arg-type]
        serving.face()
        ask, asking = getattr(unbegun.local, moment), [True]

        def interrupted(*given: object, **named: object) -> object:
            before = ask(*given, **named)
            if asking:
                asking.clear()
                unbegun.local.tell(stepped(1))
            return before

        setattr(unbegun, moment, interrupted)
        face = serving.face()
        face.sync()
        assert not asking
        assert counted(face.events(0)) == [1]


def test_runs_that_train_are_told_as_they_are_logged(tmp_path: Path) -> None:
    plans = [new_plan(tmp_path, small_config(iterations=60, eval_interval=10), "run")]
    local = LocalSession(plans)
    with served(local) as serving:
        script, screen = serving.face(progress=True), serving.face()
        until(lambda: script.snapshots()["run"].state == "finished")
        late = serving.face()
        script.stop(save=True)
        own = [event for event in local.events(0) if not isinstance(event, Asked)]
        assert list(script.events(0)) == own
        for face in (screen, late):
            until(lambda face=face: face.connection.ended)
            told = [event for event in face.events(0) if not isinstance(event, Asked)]
            expected = [event for event in own if not isinstance(event, Progress)]
            assert [type(event) for event in told] == [type(event) for event in expected]
            assert [event.iteration for event in told] == [event.iteration for event in expected]
            evaluated = [event for event in told if isinstance(event, Evaluated)]
            assert evaluated[-1] in own
            assert evaluated[-1].iteration == 60
            assert face.snapshots()["run"].curve == local.snapshots()["run"].curve


def test_a_session_whose_folder_is_cleared_away_is_found_again(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "PLACE_SECONDS", server_module.TICK_SECONDS)
    face = serving.face()
    shutil.rmtree(sessions_folder())
    until(lambda: [entry.id for entry in entries()] == ["1"] and serving.place.is_there())
    assert [run.run for run in look("1").runs] == [FOMAML, REPTILE]
    face.sync()


def test_a_watcher_that_reads_nothing_is_dropped_and_the_others_go_on(
    session: FakeSession, serving: Serving, raw: Callable[..., Raw]
) -> None:
    stuck, face = raw(progress=True), serving.face()
    assert isinstance(stuck.hear(), Welcome)
    face.sync()
    assert face.connection.watchers == 2
    before = len(face.events(0))
    large = "x" * 2**16
    count = 0
    while look(serving.id).watchers != (face._link.welcome.name,):
        count += 1
        session.say(Asked(run=FOMAML, iteration=0, time=0.0, who="somebody", command=large))
        face.sync()
        assert count < 200
    assert len(face.events(0)) == before + count


def test_the_end_is_told_to_all_at_once(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are stuck, the process ends as soon as one would let it."""
    count, parting, all_part = 5, [], asyncio.Event()
    for _ in range(count):
        serving.face()

    async def part(watcher: Watcher, frame: bytes) -> None:
        parting.append(watcher.name)
        if len(parting) == count:
            all_part.set()
        await all_part.wait()
        ended.append(frame)

    ended: list[bytes] = []
    monkeypatch.setattr(Watcher, "part", part)
    serving.server.ended.set()
    serving._closing.join()
    assert ended == [framed(Ended())] * count


def test_snapshots_of_all_are_right_after_any_changes(
    session: FakeSession, serving: Serving
) -> None:
    choose, faces = random.Random(1), [serving.face()]
    for _ in range(60):
        run = choose.choice([FOMAML, REPTILE])
        session.change(run, iteration=choose.randint(0, 99), pace=choose.choice([None, 5.0]))
        if choose.random() < 0.2:
            faces.append(serving.face())
        face = choose.choice(faces)
        face.sync()
        assert _without_curve(face.snapshots()) == _without_curve(session.snapshots())


def test_what_changes_and_changes_back_around_a_greeting_is_right(
    session: FakeSession, serving: Serving
) -> None:
    """Who comes is told of a moment from which the next changes go on."""
    first = serving.face()
    first.sync()
    session.change(FOMAML, iteration=7)
    second = serving.face()
    session.change(FOMAML, iteration=3_000)
    for face in (first, second):
        face.sync()
        assert face.snapshots()[FOMAML].iteration == 3_000


def test_who_goes_before_others_heard_of_them_is_counted_no_more(serving: Serving) -> None:
    first = serving.face()
    first.sync()
    leaving, second = serving.face(), serving.face()
    leaving.detach()
    until(lambda: len(look(serving.id).watchers) == 2)
    for face in (first, second):
        face.sync()
        assert face.connection.watchers == 2


def _without_curve(snapshots: Mapping[str, Snapshot]) -> list[tuple[object, ...]]:
    return [(one.run, one.iteration, one.pace, one.state) for one in snapshots.values()]
