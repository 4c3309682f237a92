"""Every subscriber receives every event once, whenever it joins."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from core.commands import Pause
from core.events import (
    AnyEvent,
    CommandIssued,
    Evaluated,
    Progress,
    Saved,
    Snapshot,
    Stepped,
    Validated,
)
from core.remote.connection import session_status
from core.remote.delta import BACKLOG_EVENTS
from core.remote.protocol import Ended, Message, SessionStatus
from core.remote.registry import live_sessions, sessions_folder
from core.remote.server import TICK_SECONDS
from core.remote.subscriber import Subscriber
from core.session.local import LocalSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.events import FOMAML, REPTILE, counted, stepped
from tests.support.remotes import RawClient, Serving, served
from tests.support.runs import new_plan, small_config, until


def test_a_late_joiner_has_everything_that_happened_before(
    session: FakeSession, serving: Serving
) -> None:
    first = serving.client()
    session.send(Pause(), FOMAML)
    session.evaluate("compare")
    session.change(REPTILE, iteration=2_100, loss=0.1)
    first.sync()
    late = serving.client()
    expected = [event for event in session.events(0) if not isinstance(event, Progress)]
    assert list(late.events(0)) == expected
    assert late.snapshots() == first.snapshots() == session.snapshots()
    assert late.first_new == len(expected)
    assert late.folders() == session.folders()


def test_events_before_a_resume_are_sent(session: FakeSession) -> None:
    before = FakeSession({"reptile": 40_000})
    before.start()
    session.earlier = [
        event for event in before.events(0) if not isinstance(event, Progress)
    ] * 40  # more than one message has
    with served(session) as serving:
        client = serving.client()
        received = client.history()
    newest = [event for event in received if isinstance(event, Evaluated) and event.is_drawable]
    assert len(received) == len(session.earlier) > BACKLOG_EVENTS
    assert [event.iteration for event in received] == [event.iteration for event in session.earlier]
    assert newest == [event for event in session.earlier if isinstance(event, Evaluated)][-50:]


def test_the_first_event_after_an_empty_backlog_is_new(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "start", lambda: None)
    with served(session) as serving:
        client = serving.client()
        session.publish(stepped(1))
        client.sync()
        assert client.first_new == 0
        assert counted(client.events(client.first_new)) == [1]


def test_a_script_receives_every_loss_and_a_dashboard_none(
    session: FakeSession, serving: Serving
) -> None:
    screen, script = serving.client(), serving.client(progress=True)
    for number in range(5):
        session.publish(Progress(loss=0.5, run=FOMAML, iteration=number, time=0.0))
    session.publish(stepped(1))
    screen.sync()
    script.sync()
    assert [type(event) for event in screen.events(screen.first_new)] == [Stepped]
    assert list(script.events(script.first_new)) == list(session.events(0))[-6:]


def test_updates_arrive_without_a_request(session: FakeSession, serving: Serving) -> None:
    client = serving.client()
    seen = len(client.events(0))
    session.publish(stepped(1))
    client.wait_for_events(seen, 60.0)
    assert counted(client.events(seen)) == [1]
    session.change(FOMAML, iteration=3_333)
    until(lambda: client.snapshots()[FOMAML].iteration == 3_333)


class Unbegun:
    """A session of a real run that never begins; the test publishes its events."""

    def __init__(self, out: Path) -> None:
        self.local = LocalSession([new_plan(out, small_config(), FOMAML)])
        self.start = lambda: None

    def __getattr__(self, name: str) -> object:
        return getattr(self.local, name)


def test_a_client_that_joins_amid_events_receives_each_once(
    tmp_path: Path,
) -> None:
    unbegun, choose, numbers = Unbegun(tmp_path), random.Random(5), iter(range(10**6))
    with served(unbegun) as serving:  # type: ignore[arg-type]
        clients = []
        for _ in range(40):
            burst = [next(numbers) for _ in range(choose.randint(1, 40))]
            publishing = threading.Thread(
                target=lambda burst=burst: [unbegun.local.publish(stepped(one)) for one in burst]
            )
            publishing.start()
            clients.append(serving.client(progress=choose.random() < 0.5))
            publishing.join()
        happened = counted(unbegun.local.events(0))
        for client in clients:
            client.sync()
            assert counted(client.events(0)) == happened


@pytest.mark.parametrize("moment", ["backlog", "snapshots", "history", "events", "folders"])
def test_an_event_during_a_hello_is_received_once(moment: str, tmp_path: Path) -> None:
    unbegun = Unbegun(tmp_path)
    with served(unbegun) as serving:  # type: ignore[arg-type]
        serving.client()
        ask, asking = getattr(unbegun.local, moment), [True]

        def interrupted(*given: object, **named: object) -> object:
            before = ask(*given, **named)
            if asking:
                asking.clear()
                unbegun.local.publish(stepped(1))
            return before

        setattr(unbegun, moment, interrupted)
        client = serving.client()
        client.sync()
        assert not asking
        assert counted(client.events(0)) == [1]


def shown(events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """What every dashboard receives: no commands of others, losses, or saves for the history."""
    hidden = (CommandIssued, Progress)
    return [
        event
        for event in events
        if not (isinstance(event, hidden) or (isinstance(event, Saved) and event.kind == "history"))
    ]


def test_real_runs_are_sent_as_they_are_logged(tmp_path: Path) -> None:
    plans = [new_plan(tmp_path, small_config(iterations=60, eval_interval=10), "run")]
    local = LocalSession(plans)
    with served(local) as serving:
        script, screen = serving.client(progress=True), serving.client()
        until(lambda: script.snapshots()["run"].state == "finished")
        late = serving.client()
        script.stop(save=True)
        own = [event for event in local.events(0) if not isinstance(event, CommandIssued)]
        assert list(script.events(0)) == own
        for client in (screen, late):
            until(lambda client=client: client.connection.ended)
            received = shown(client.events(0))
            expected = shown(own)
            assert [type(event) for event in received] == [type(event) for event in expected]
            assert [event.iteration for event in received] == [
                event.iteration for event in expected
            ]
            evaluated = [event for event in received if isinstance(event, Evaluated)]
            assert evaluated[-1] in own
            assert evaluated[-1].iteration == 60
            validated = [event for event in received if isinstance(event, Validated)]
            assert validated == [event for event in own if isinstance(event, Validated)]
            assert [event.iteration for event in validated] == [0, 60]
            assert client.snapshots()["run"].curve == local.snapshots()["run"].curve


def test_a_session_whose_folder_was_removed_is_found_again(session: FakeSession) -> None:
    with served(session, endpoint_seconds=TICK_SECONDS) as serving:
        client = serving.client()
        shutil.rmtree(sessions_folder())
        until(
            lambda: [entry.id for entry in live_sessions()] == ["1"] and serving.endpoint.exists()
        )
        assert [run.run for run in session_status("1").runs] == [FOMAML, REPTILE]
        client.sync()


def test_a_subscriber_that_reads_nothing_is_dropped_and_others_continue(
    session: FakeSession, serving: Serving, raw: Callable[..., RawClient]
) -> None:
    stuck, client = raw(progress=True), serving.client()
    assert isinstance(stuck.receive(), SessionStatus)
    client.sync()
    assert client.connection.subscribers == 2
    before = len(client.events(0))
    large = "x" * 2**16
    count = 0
    while session_status(serving.id).subscribers != (client._socket.status.name,):
        count += 1
        session.publish(
            CommandIssued(run=FOMAML, iteration=0, time=0.0, who="other", command=large)
        )
        client.sync()
        assert count < 200
    assert len(client.events(0)) == before + count


def test_all_subscribers_are_closed_at_once(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many stuck subscribers delay the end of the process no longer than one."""
    count, closing, all_closing = 5, [], asyncio.Event()
    for _ in range(count):
        serving.client()

    async def close(subscriber: Subscriber, message: Message) -> None:
        closing.append(subscriber.name)
        if len(closing) == count:
            all_closing.set()
        await all_closing.wait()
        ended.append(message)

    ended: list[Message] = []
    monkeypatch.setattr(Subscriber, "close", close)
    serving.server.ended.set()
    serving._closing.join()
    assert ended == [Ended()] * count


def test_all_clients_have_the_right_snapshots_after_any_changes(
    session: FakeSession, serving: Serving
) -> None:
    choose, clients = random.Random(1), [serving.client()]
    for _ in range(60):
        run = choose.choice([FOMAML, REPTILE])
        session.change(run, iteration=choose.randint(0, 99), pace=choose.choice([None, 5.0]))
        if choose.random() < 0.2:
            clients.append(serving.client())
        client = choose.choice(clients)
        client.sync()
        assert _without_curve(client.snapshots()) == _without_curve(session.snapshots())


def test_a_change_that_is_undone_around_a_hello_is_right(
    session: FakeSession, serving: Serving
) -> None:
    """A late joiner starts from the snapshots that the next changes build on."""
    first = serving.client()
    first.sync()
    session.change(FOMAML, iteration=7)
    second = serving.client()
    session.change(FOMAML, iteration=3_000)
    for client in (first, second):
        client.sync()
        assert client.snapshots()[FOMAML].iteration == 3_000


def test_a_client_that_leaves_at_once_is_not_counted(serving: Serving) -> None:
    first = serving.client()
    first.sync()
    leaving, second = serving.client(), serving.client()
    leaving.detach()
    until(lambda: len(session_status(serving.id).subscribers) == 2)
    for client in (first, second):
        client.sync()
        assert client.connection.subscribers == 2


def _without_curve(snapshots: Mapping[str, Snapshot]) -> list[tuple[object, ...]]:
    return [(one.run, one.iteration, one.pace, one.state) for one in snapshots.values()]
