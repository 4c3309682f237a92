"""What happens is told to all who watch, whenever they come: nothing is missing, nothing twice."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from core.events import CommandIssued, Evaluated, Pause, Progress, Snapshot, Stepped
from core.remote import server as server_module
from core.remote.connection import session_status
from core.remote.delta import STORY_EVENTS
from core.remote.protocol import Ended, SessionStatus, to_frame
from core.remote.registry import live_sessions, sessions_folder
from core.remote.subscriber import Subscriber
from core.session.local import LocalSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.events import FOMAML, REPTILE, counted, stepped
from tests.support.remotes import Raw, Serving, served
from tests.support.runs import new_plan, small_config, until


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
    assert late.folders() == session.folders()


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
    face.wait_for_events(seen, 60.0)
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
        own = [event for event in local.events(0) if not isinstance(event, CommandIssued)]
        assert list(script.events(0)) == own
        for face in (screen, late):
            until(lambda face=face: face.connection.ended)
            told = [event for event in face.events(0) if not isinstance(event, CommandIssued)]
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
    until(lambda: [entry.id for entry in live_sessions()] == ["1"] and serving.place.is_there())
    assert [run.run for run in session_status("1").runs] == [FOMAML, REPTILE]
    face.sync()


def test_a_watcher_that_reads_nothing_is_dropped_and_the_others_go_on(
    session: FakeSession, serving: Serving, raw: Callable[..., Raw]
) -> None:
    stuck, face = raw(progress=True), serving.face()
    assert isinstance(stuck.hear(), SessionStatus)
    face.sync()
    assert face.connection.subscribers == 2
    before = len(face.events(0))
    large = "x" * 2**16
    count = 0
    while session_status(serving.id).subscribers != (face._link.welcome.name,):
        count += 1
        session.say(CommandIssued(run=FOMAML, iteration=0, time=0.0, who="somebody", command=large))
        face.sync()
        assert count < 200
    assert len(face.events(0)) == before + count


def test_the_end_is_told_to_all_at_once(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are stuck, the process ends as soon as one would let it."""
    count, parting, all_part = 5, [], asyncio.Event()
    for _ in range(count):
        serving.face()

    async def part(watcher: Subscriber, frame: bytes) -> None:
        parting.append(watcher.name)
        if len(parting) == count:
            all_part.set()
        await all_part.wait()
        ended.append(frame)

    ended: list[bytes] = []
    monkeypatch.setattr(Subscriber, "part", part)
    serving.server.ended.set()
    serving._closing.join()
    assert ended == [to_frame(Ended())] * count


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
    until(lambda: len(session_status(serving.id).subscribers) == 2)
    for face in (first, second):
        face.sync()
        assert face.connection.subscribers == 2


def _without_curve(snapshots: Mapping[str, Snapshot]) -> list[tuple[object, ...]]:
    return [(one.run, one.iteration, one.pace, one.state) for one in snapshots.values()]
