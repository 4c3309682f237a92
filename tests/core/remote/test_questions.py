"""Questions to runs of this process and of another: answered in parallel, and cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from core.analysis import service as answering
from core.analysis.answers import Adapted, AnyAnswer, BatteryResult, Cancelled, RunHistory, Traced
from core.analysis.callbacks import OnProgress, ignore_progress
from core.analysis.questions import (
    Adapt,
    AnyQuestion,
    Battery,
    Live,
    ReadHistory,
    SampledTask,
    Trace,
)
from core.commands import Pause
from core.errors import LabError, QuestionError
from core.evaluation_protocol import EvaluationProtocol
from core.remote.protocol import Ask, Call, RemoteError, Reply
from core.remote.requests import MOST_QUESTIONS
from core.session.api import Session
from core.session.local import LocalSession
from tests.support.dashboard.answering import Answering
from tests.support.remotes import RawClient, Serving, served
from tests.support.runs import PATIENCE, new_plan, small_config

RUN = Live("run")
ADAPT = Adapt(source=RUN, task=SampledTask("standard"), updates=2)
BATTERY = Battery(sources=(RUN,), protocol=EvaluationProtocol(tasks=100, steps=(1,)))
SHORT = [(ADAPT, Adapted), (Trace(source=RUN), Traced), (ReadHistory(of=RUN), RunHistory)]


@pytest.fixture
def in_thread() -> Iterator[Callable[..., Future[AnyAnswer]]]:
    """A function that asks in a thread."""
    with ThreadPoolExecutor(32) as threads:
        yield lambda session, *asked: threads.submit(session.ask, *asked)


class HeldBatteries:
    """Batteries that begin, and end only when they are ``released`` or cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.released = threading.Event()
        self.given_up = threading.Semaphore(0)
        self._run_battery = answering.run_battery

    def run(
        self, question: Battery, ready: object, progress: OnProgress, cancelled: Callable[[], bool]
    ) -> BatteryResult | Cancelled:
        self.begun.release()
        while not self.released.wait(0.01):
            if cancelled():
                self.given_up.release()
                return Cancelled()
        return self._run_battery(question, ready, progress, cancelled)  # type: ignore[arg-type]


@pytest.fixture
def batteries(
    monkeypatch: pytest.MonkeyPatch, in_thread: Callable[..., Future[AnyAnswer]]
) -> Iterator[HeldBatteries]:
    """Batteries that are released before ``in_thread`` waits for them."""
    held = HeldBatteries()
    monkeypatch.setattr(answering, "run_battery", held.run)
    yield held
    held.released.set()


@pytest.fixture
def answering_session(tmp_path: Path) -> Answering:
    return Answering(tmp_path / "run")


@pytest.fixture
def serving(answering_session: Answering) -> Iterator[Serving]:
    with served(answering_session) as serving:
        yield serving


@pytest.fixture(params=["in this process", "attached"])
def session(request: pytest.FixtureRequest, answering_session: Answering) -> Session:
    if request.param == "in this process":
        return answering_session
    serving: Serving = request.getfixturevalue("serving")
    return serving.client()


@pytest.mark.parametrize(("question", "kind"), SHORT, ids=lambda one: getattr(one, "__name__", ""))
def test_short_questions_are_answered_during_a_battery(
    question: AnyQuestion,
    kind: type[AnyAnswer],
    session: Session,
    batteries: HeldBatteries,
    in_thread: Callable[..., Future[AnyAnswer]],
) -> None:
    long = in_thread(session, BATTERY)
    assert batteries.begun.acquire(timeout=PATIENCE)
    assert isinstance(in_thread(session, question).result(PATIENCE), kind)
    assert not long.done()
    batteries.released.set()
    assert isinstance(long.result(PATIENCE), BatteryResult)


def test_one_battery_runs_at_a_time(
    session: Session, batteries: HeldBatteries, in_thread: Callable[..., Future[AnyAnswer]]
) -> None:
    both = [in_thread(session, BATTERY) for _ in range(2)]
    assert batteries.begun.acquire(timeout=PATIENCE)
    assert isinstance(in_thread(session, ADAPT).result(PATIENCE), Adapted)
    assert not batteries.begun.acquire(blocking=False)
    batteries.released.set()
    assert both[0].result(PATIENCE) == both[1].result(PATIENCE)


def test_a_battery_has_the_same_numbers_during_short_questions(
    session: Session, in_thread: Callable[..., Future[AnyAnswer]]
) -> None:
    alone = session.ask(BATTERY), session.ask(ADAPT)
    asked = [in_thread(session, one) for _ in range(4) for one in (BATTERY, ADAPT)]
    answers = [one.result(PATIENCE) for one in asked]
    assert answers == [*alone] * 4


def test_a_cancelled_battery_is_given_up(
    session: Session, batteries: HeldBatteries, in_thread: Callable[..., Future[AnyAnswer]]
) -> None:
    cancelled = threading.Event()
    asked = in_thread(session, BATTERY, ignore_progress, cancelled.is_set)
    assert batteries.begun.acquire(timeout=PATIENCE)
    cancelled.set()
    assert asked.result(PATIENCE) == Cancelled()


def test_progress_is_reported(session: Session) -> None:
    reported: list[tuple[int, int]] = []
    session.ask(BATTERY, lambda *progress: reported.append(progress))
    assert set(reported) <= {(100, 100)}


def test_an_unanswerable_question_is_one_line(session: Session) -> None:
    with pytest.raises(LabError, match="no such run") as caught:
        session.ask(Trace(source=Live("other")))
    assert isinstance(caught.value, QuestionError | RemoteError)


def test_the_questions_of_a_client_that_leaves_are_cancelled(
    serving: Serving, batteries: HeldBatteries, in_thread: Callable[..., Future[AnyAnswer]]
) -> None:
    client = serving.client()
    asked = in_thread(client, BATTERY)
    assert batteries.begun.acquire(timeout=PATIENCE)
    client.detach()
    assert batteries.given_up.acquire(timeout=PATIENCE)
    with pytest.raises(RemoteError):
        asked.result(PATIENCE)


def test_batteries_of_many_subscribers_delay_neither_answers_nor_the_end(
    serving: Serving,
    answering_session: Answering,
    batteries: HeldBatteries,
    in_thread: Callable[..., Future[AnyAnswer]],
) -> None:
    clients = [serving.client() for _ in range(5)]
    waiting = [in_thread(client, BATTERY) for client in clients for _ in range(MOST_QUESTIONS - 2)]
    assert batteries.begun.acquire(timeout=PATIENCE)
    assert isinstance(in_thread(clients[0], ADAPT).result(PATIENCE), Adapted)
    clients[0].send(Pause())
    clients[0].stop(save=True)
    assert answering_session.calls[-1] == "stop save=True"
    for one in waiting:
        assert one.exception(PATIENCE) or isinstance(one.result(), Cancelled)


def test_one_question_too_many_is_refused(
    raw: Callable[..., RawClient], batteries: HeldBatteries
) -> None:
    client = raw()
    last = client.call(*[Ask(BATTERY)] * MOST_QUESTIONS)
    client.send(Call(last + 1, Ask(ADAPT)), Call(1, Ask(ADAPT)))
    for id in (last + 1, 1):
        assert client.reply() == Reply(id, "too many open questions; try again")
    batteries.released.set()
    for id in range(1, last + 1):
        reply = client.reply()
        assert reply.id == id
        assert isinstance(reply.answer, BatteryResult)


def test_a_run_that_has_not_begun_cannot_be_asked(tmp_path: Path) -> None:
    local = LocalSession([new_plan(tmp_path, small_config(), "run")])
    with pytest.raises(QuestionError, match="not started yet"):
        local.ask(ADAPT)


@pytest.mark.parametrize("error", [RuntimeError, OSError, MemoryError])
def test_a_question_that_fails_unexpectedly_is_answered_with_the_reason(
    error: type[Exception],
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    in_thread: Callable[..., Future[AnyAnswer]],
) -> None:
    def failing(*_: object) -> None:
        raise error("out of the blue")

    with monkeypatch.context() as patched:
        patched.setattr(answering, "adapt", failing)
        with pytest.raises((RemoteError, error), match="out of the blue"):
            in_thread(session, ADAPT).result(PATIENCE)
    assert isinstance(in_thread(session, ADAPT).result(PATIENCE), Adapted)
