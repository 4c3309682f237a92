"""Whatever call of a session or a client fails, users see what became of it; no thread waits."""

from __future__ import annotations

import gc
import io
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from core.analysis import service as answering
from core.analysis import theta_sources
from core.analysis.answers import AnyAnswer
from core.analysis.questions import (
    Adapt,
    AnyQuestion,
    Battery,
    Live,
    ReadHistory,
    SampledTask,
    Trace,
    Untrained,
)
from core.engines.torch.engine import TorchEngine
from core.errors import LabError
from core.evaluation_protocol import EvaluationProtocol
from core.remote import client as client_module
from core.remote.client import RemoteSession
from core.remote.protocol import RemoteError
from core.remote.registry import sessions_folder
from core.remote.server import Server
from core.session.api import Session
from tests.support.dashboard.answering import Answering
from tests.support.dashboard.fake_session import FakeSession
from tests.support.remotes import Serving, served
from tests.support.runs import PATIENCE, until
from tests.support.saboteur import PROBLEM, Call, name_of, sabotage

# Where Python's own loop of events fails, it leaves sockets and tasks behind.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True, scope="module")
def exempt() -> None:
    """What lives before these tests is not searched after each of them: it took half their time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect here what crashed servers leave open: elsewhere its warning would fail a test."""
    yield
    gc.collect()


RUN = Live("run")

QUESTIONS: dict[str, AnyQuestion] = {
    "adapt": Adapt(source=RUN, task=SampledTask("standard"), updates=2),
    "battery": Battery(
        sources=(RUN, Untrained(RUN)), protocol=EvaluationProtocol(tasks=100, steps=(1,))
    ),
    "trace": Trace(source=RUN),
    "history": ReadHistory(of=RUN),
}

ANSWERING: list[Call] = [
    *((os, name) for name in ("open", "stat", "fstat", "listdir", "close")),
    *((os, name) for name in ("getpriority", "setpriority")),
    (io, "open"),
    (TorchEngine, "adapt"),
    (theta_sources, "make_engine"),
    (theta_sources, "untrained"),
]
"""Calls of a question that leave the process, or compute."""


@pytest.fixture
def in_thread() -> Iterator[Callable[..., Future[AnyAnswer]]]:
    """A function that asks in a thread."""
    with ThreadPoolExecutor(2, "asking") as threads:
        yield lambda session, *asked: threads.submit(session.ask, *asked)


@pytest.fixture(params=["in this process", "attached"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    session = Answering(tmp_path / "run")
    if request.param == "in this process":
        yield session
        return
    with served(session) as serving:
        yield serving.client()


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("call", ANSWERING, ids=name_of)
def test_a_question_is_answered_or_refused_with_the_reason_whichever_call_fails(
    call: Call,
    question: AnyQuestion,
    asked: Session,
    in_thread: Callable[..., Future[AnyAnswer]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        saboteur = sabotage(patch, "analysis", call)
        saboteur.armed = True
        waiting = in_thread(asked, question)
        error = waiting.exception(PATIENCE)
    assert error is None or PROBLEM in str(error)
    assert in_thread(asked, question).result(PATIENCE)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError, OSError])
def test_a_question_that_fails_in_any_way_ends_nothing_else(
    error: type[BaseException], asked: Session, in_thread: Callable[..., Future[AnyAnswer]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        sabotage(patch, "analysis", (answering, "adapt"), error).armed = True
        with pytest.raises((LabError, error), match=PROBLEM):
            in_thread(asked, QUESTIONS["adapt"]).result(PATIENCE)
    assert in_thread(asked, QUESTIONS["adapt"]).result(PATIENCE)


# The thread of the server.

SERVING: list[Call] = [
    *((socket.socket, name) for name in ("accept", "recv", "send", "getsockopt", "setblocking")),
    *((os, name) for name in ("stat", "lstat", "fstat", "getuid", "getcwd", "unlink", "close")),
    *((os, name) for name in ("open", "pwrite", "mkdir", "replace")),
    (resource, "getrlimit"),
    (time, "time"),
    (time, "monotonic"),
    (Server, "_send_updates"),
]
"""Calls of the thread that serves a session."""


def attach(serving: Serving) -> None:
    serving.client().sync()


def ask(serving: Serving) -> None:
    serving._clients[0].sync()


def lose_the_socket(serving: Serving) -> None:
    (sessions_folder() / f"{serving.id}.sock").unlink()


def lose_the_folder(serving: Serving) -> None:
    lose_the_socket(serving)
    (sessions_folder() / f"{serving.id}.json").unlink()


def end(serving: Serving) -> None:
    serving.server.ended.set()


ACTS = {act.__name__: act for act in (attach, ask, lose_the_socket, lose_the_folder, end)}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("call", SERVING, ids=name_of)
def test_clients_are_served_or_lose_the_session_whichever_call_of_its_server_fails(
    call: Call, act: Callable[[Serving], None], session: FakeSession
) -> None:
    errors: list[BaseException] = []
    with served(session, on_error=errors.append, endpoint_seconds=0.2) as serving:
        client = serving.client()
        with pytest.MonkeyPatch.context() as patch:
            saboteur = sabotage(patch, "server", call)
            saboteur.armed = True
            with suppress(RemoteError):
                act(serving)
                client.sync()
            until(lambda: is_served(serving) or serving.server.ended.is_set())
        if serving.server.ended.is_set():
            until(lambda: bool(client.connection.lost or client.connection.ended))
        elif client.connection.lost and act in (attach, ask):
            assert client.connection.dropped
            client.reconnect()
            client.sync()
    assert session.calls == ["start"]
    assert all(PROBLEM in str(error) for error in errors)


def is_served(serving: Serving) -> bool:
    """Return True if another client can attach."""
    try:
        client = RemoteSession(serving.id)
        client.sync()
        client.detach()
    except RemoteError:
        return False
    return True


# The thread of a client.


@pytest.mark.parametrize(
    "call",
    [(socket.socket, "recv"), (client_module, "apply_change"), (time, "monotonic")],
    ids=name_of,
)
def test_a_client_that_fails_to_read_says_so_and_can_reconnect(
    call: Call, session: FakeSession, serving: Serving
) -> None:
    client = serving.client()
    with pytest.MonkeyPatch.context() as patch:
        sabotage(patch, "session", call).armed = True
        session.change("fomaml-1", iteration=12_400)
        until(lambda: bool(client.connection.lost))
    assert PROBLEM in client.connection.lost
    assert client.connection.dropped
    assert client.connection.keeps_running
    client.reconnect()
    client.sync()
    assert client.snapshots()["fomaml-1"].iteration == 12_400
    assert session.calls == ["start"]
