"""Every client can add a run, and all see it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.errors import RunFolderError
from core.events import CommandIssued
from core.remote.connection import session_status
from core.remote.protocol import Add, RemoteError, Reply
from core.session.run_requests import AddRequest
from tests.support.dashboard.fake_session import FakeSession
from tests.support.events import FOMAML, REPTILE
from tests.support.remotes import RawClient, Serving
from tests.support.runs import until

ADDED = "reptile-3"


@pytest.fixture
def request_(session: FakeSession) -> AddRequest:
    config = {**session.snapshots()[REPTILE].config, "seed": 5}
    return AddRequest(config=config, beside=REPTILE)


def test_an_added_run_reaches_all_clients_and_late_joiners(
    session: FakeSession, serving: Serving, request_: AddRequest
) -> None:
    first, second = serving.client(), serving.client()
    assert first.add(request_) == ADDED
    second.sync()
    late = serving.client()
    for client in (first, second, late):
        assert list(client.snapshots()) == [FOMAML, REPTILE, ADDED]
        assert client.snapshots() == session.snapshots()
        assert client.folders() == session.folders()
    assert [run.run for run in session_status(serving.id).runs] == [FOMAML, REPTILE, ADDED]


def test_other_clients_see_who_added_a_run(serving: Serving, request_: AddRequest) -> None:
    first, second = serving.client(), serving.client()
    first.add(request_)
    second.sync()
    (issued,) = second.events(second.first_new)
    assert isinstance(issued, CommandIssued)
    assert (issued.run, issued.command) == (ADDED, "add")
    assert not list(first.events(first.first_new))


def test_a_refusal_reports_the_reason(
    session: FakeSession, serving: Serving, request_: AddRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serving.client()
    wrong = msgspec.structs.replace(request_, config={**request_.config, "iterations": -1})
    with pytest.raises(RemoteError, match="iterations: must be a whole number from 1 to"):
        client.add(wrong)
    with pytest.raises(RemoteError, match="there is no run 'x'"):
        client.add(msgspec.structs.replace(request_, beside="x"))

    def fail(_: AddRequest) -> str:
        raise RunFolderError(Path("out"), "the disk is full", "make room")

    monkeypatch.setattr(session, "add", fail)
    with pytest.raises(RemoteError, match="out: the disk is full; make room"):
        client.add(request_)
    assert list(client.snapshots()) == [FOMAML, REPTILE]


def test_a_read_only_client_adds_no_run(
    session: FakeSession, raw: Callable[..., RawClient], request_: AddRequest
) -> None:
    one = raw(read_only=True)
    id = one.call(Add(request_))
    assert one.reply() == Reply(id, "read-only session")
    assert session.calls == ["start"]


def test_runs_that_clients_add_at_once_come_one_after_the_other(
    session: FakeSession, serving: Serving, request_: AddRequest
) -> None:
    clients = [serving.client() for _ in range(3)]
    added: list[str] = []
    adding = [
        threading.Thread(target=lambda one=client: added.append(one.add(request_)))  # type: ignore[misc]
        for client in clients
    ]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()
    assert sorted(added) == [ADDED, "reptile-4", "reptile-5"]
    assert list(session.snapshots()) == [FOMAML, REPTILE, *sorted(added)]


def test_a_dropped_client_finds_its_session_although_it_has_more_runs(
    session: FakeSession, serving: Serving, request_: AddRequest
) -> None:
    client = serving.client()
    add = session.add

    client._handle = lambda message: None  # type: ignore[method-assign]  # does not hear of it
    add(request_)
    serving.drop_all()
    until(lambda: bool(client.connection.lost))
    assert client.connection.dropped
