"""Questions to runs of this process and of another: answered beside each other, and given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from core.remote.questions import MOST_QUESTIONS

from core.analysis import service as answering
from core.analysis.answers import Adapted, AnyAnswer, BatteryResult, Cancelled, RunHistory, Traced
from core.analysis.battery import OnProgress
from core.analysis.questions import (
    Adapt,
    AnyQuestion,
    Battery,
    Live,
    ReadHistory,
    SampledTask,
    Trace,
)
from core.analysis.service import AnalysisService, ignore_progress, never_cancelled
from core.errors import LabError, QuestionError
from core.events import Pause
from core.remote.protocol import Answered, Ask, RemoteError
from core.session.api import Session
from core.session.local import LocalSession
from tests.support.dashboard.fake_session import FakeSession
from tests.support.live_runs import live, trained
from tests.support.remotes import Raw, Serving, served
from tests.support.run_folders import make_run
from tests.support.runs import PATIENCE, new_plan, small_config

RUN = Live("run")
ADAPT = Adapt(source=RUN, task=SampledTask("standard"), updates=2)
SURVEY = Battery(sources=(RUN,), n_tasks=100, updates=1)
SHORT = [(ADAPT, Adapted), (Trace(source=RUN), Traced), (ReadHistory(of=RUN), RunHistory)]


@pytest.fixture
def beside() -> Iterator[Callable[..., Future[AnyAnswer]]]:
    """Asks in a thread."""
    with ThreadPoolExecutor(32) as threads:
        yield lambda session, *asked: threads.submit(session.ask, *asked)


class HeldSurveys:
    """Surveys that begin, and are done only when they are ``released`` or not wanted any more."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.released = threading.Event()
        self.given_up = threading.Semaphore(0)
        self._survey = answering.run_battery

    def survey(
        self, question: Battery, ready: object, progress: OnProgress, cancelled: Callable[[], bool]
    ) -> BatteryResult | Cancelled:
        self.begun.release()
        while not self.released.wait(0.01):
            if cancelled():
                self.given_up.release()
                return Cancelled()
        return self._survey(question, ready, progress, cancelled)  # type: ignore[arg-type]


@pytest.fixture
def surveys(
    monkeypatch: pytest.MonkeyPatch, beside: Callable[..., Future[AnyAnswer]]
) -> Iterator[HeldSurveys]:
    """They end before ``beside``, which waits for them."""
    held = HeldSurveys()
    monkeypatch.setattr(answering, "run_battery", held.survey)
    yield held
    held.released.set()


class Answering(FakeSession):
    """A session with the bench of one small run that stands still."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        run = live(*trained(), make_run(folder))
        self.local = LocalSession([])
        self.local._bench = AnalysisService({"run": run}.get)

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        return self.local.ask(question, progress, cancelled)


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
    return serving.face()


@pytest.mark.parametrize(("question", "kind"), SHORT, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_short_is_answered_while_a_survey_is_made(
    question: AnyQuestion,
    kind: type[AnyAnswer],
    session: Session,
    surveys: HeldSurveys,
    beside: Callable[..., Future[AnyAnswer]],
) -> None:
    long = beside(session, SURVEY)
    assert surveys.begun.acquire(timeout=PATIENCE)
    assert isinstance(beside(session, question).result(PATIENCE), kind)
    assert not long.done()
    surveys.released.set()
    assert isinstance(long.result(PATIENCE), BatteryResult)


def test_one_survey_is_made_at_a_time(
    session: Session, surveys: HeldSurveys, beside: Callable[..., Future[AnyAnswer]]
) -> None:
    both = [beside(session, SURVEY) for _ in range(2)]
    assert surveys.begun.acquire(timeout=PATIENCE)
    assert isinstance(beside(session, ADAPT).result(PATIENCE), Adapted)
    assert not surveys.begun.acquire(blocking=False)
    surveys.released.set()
    assert both[0].result(PATIENCE) == both[1].result(PATIENCE)


def test_a_survey_beside_short_questions_has_the_numbers_of_one_alone(
    session: Session, beside: Callable[..., Future[AnyAnswer]]
) -> None:
    alone = session.ask(SURVEY), session.ask(ADAPT)
    asked = [beside(session, one) for _ in range(4) for one in (SURVEY, ADAPT)]
    answers = [one.result(PATIENCE) for one in asked]
    assert answers == [*alone] * 4


def test_a_survey_that_nobody_wants_is_given_up(
    session: Session, surveys: HeldSurveys, beside: Callable[..., Future[AnyAnswer]]
) -> None:
    unwanted = threading.Event()
    asked = beside(session, SURVEY, ignore_progress, unwanted.is_set)
    assert surveys.begun.acquire(timeout=PATIENCE)
    unwanted.set()
    assert asked.result(PATIENCE) == Cancelled()


def test_progress_is_told(session: Session) -> None:
    told: list[tuple[int, int]] = []
    session.ask(SURVEY, lambda *progress: told.append(progress))
    assert set(told) <= {(100, 100)}


def test_what_cannot_be_answered_is_one_line(session: Session) -> None:
    with pytest.raises(LabError, match="no such run") as caught:
        session.ask(Trace(source=Live("other")))
    assert isinstance(caught.value, QuestionError | RemoteError)


def test_who_leaves_gives_up_what_it_asked(
    serving: Serving, surveys: HeldSurveys, beside: Callable[..., Future[AnyAnswer]]
) -> None:
    face = serving.face()
    asked = beside(face, SURVEY)
    assert surveys.begun.acquire(timeout=PATIENCE)
    face.detach()
    assert surveys.given_up.acquire(timeout=PATIENCE)
    with pytest.raises(RemoteError):
        asked.result(PATIENCE)


def test_surveys_of_many_watchers_hold_up_neither_answers_nor_the_end(
    serving: Serving,
    answering_session: Answering,
    surveys: HeldSurveys,
    beside: Callable[..., Future[AnyAnswer]],
) -> None:
    faces = [serving.face() for _ in range(5)]
    waiting = [beside(face, SURVEY) for face in faces for _ in range(MOST_QUESTIONS - 2)]
    assert surveys.begun.acquire(timeout=PATIENCE)
    assert isinstance(beside(faces[0], ADAPT).result(PATIENCE), Adapted)
    faces[0].send(Pause())
    faces[0].stop(save=True)
    assert answering_session.calls[-1] == "stop save=True"
    for one in waiting:
        assert one.exception(PATIENCE) or isinstance(one.result(), Cancelled)


def test_one_question_too_many_is_refused(raw: Callable[..., Raw], surveys: HeldSurveys) -> None:
    watcher = raw()
    watcher.say(*(Ask(number, SURVEY) for number in range(MOST_QUESTIONS)))
    watcher.say(Ask(MOST_QUESTIONS, ADAPT), Ask(0, ADAPT))
    for number in (MOST_QUESTIONS, 0):
        refused = answered(watcher)
        assert (refused.number, refused.problem) == (number, "too many questions wait; try again")
    surveys.released.set()
    for number in range(MOST_QUESTIONS):
        done = answered(watcher)
        assert done.number == number
        assert isinstance(done.answer, BatteryResult)


def answered(watcher: Raw) -> Answered:
    """The next answer to a question."""
    while not isinstance(reply := watcher.hear(), Answered):
        assert reply is not None, "the session hung up"
    return reply


def test_the_service_of_runs_that_train_answers(tmp_path: Path) -> None:
    local = LocalSession([new_plan(tmp_path, small_config(), "run")])
    with pytest.raises(QuestionError, match="not started yet"):
        local.ask(ADAPT)
