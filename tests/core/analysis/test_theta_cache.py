"""A theta that was seen can be held: every later question has the same one, however far it is."""

from __future__ import annotations

import dataclasses

import pytest

from core.analysis import theta_cache as holding
from core.analysis.answers import Adapted, BatteryResult
from core.analysis.questions import Adapt, AnySource, Battery, Live, PinnedTheta, SampledTask
from core.analysis.service import AnalysisService
from core.analysis.theta_sources import LiveRun
from core.engines import make_engine
from core.errors import QuestionError
from tests.support.live_runs import live, trained


class Training:
    """A run that is asked while it trains."""

    def __init__(self) -> None:
        self.config, self.state = trained()
        self.engine = make_engine(self.config)
        self.bench = AnalysisService(self.find)

    def find(self, name: str) -> LiveRun:
        return dataclasses.replace(live(self.config, self.state))

    def train(self, iterations: int = 1) -> None:
        self.state = self.engine.advance(self.state, iterations).state

    def adapted(self, source: AnySource, index: int = 0) -> Adapted:
        answer = self.bench.answer(
            Adapt(source=source, task=SampledTask("standard", index), updates=3)
        )
        assert isinstance(answer, Adapted)
        return answer


@pytest.fixture
def training() -> Training:
    return Training()


def held(answer: Adapted, run: str = "run") -> PinnedTheta:
    return PinnedTheta(run, answer.iteration)


def test_a_held_theta_is_the_one_that_was_seen(training: Training) -> None:
    seen = training.adapted(Live("run"))
    training.train()
    assert training.adapted(held(seen)) == seen
    assert training.adapted(Live("run")) != seen


def test_later_tasks_are_adapted_by_the_same_theta(training: Training) -> None:
    seen = training.adapted(Live("run"))
    then = training.adapted(Live("run"), 1)
    training.adapted(held(seen))
    training.train(50)
    assert training.adapted(held(seen), 1) == then


def test_surveys_have_the_same_theta(training: Training) -> None:
    seen = training.adapted(Live("run"))
    surveyed = training.bench.answer(Battery(sources=(Live("run"),), n_tasks=100, updates=1))
    training.train()
    again = training.bench.answer(Battery(sources=(held(seen),), n_tasks=100, updates=1))
    assert isinstance(again, BatteryResult)
    assert again == surveyed


def test_a_theta_that_nobody_saw_cannot_be_held(training: Training) -> None:
    training.adapted(Live("run"))
    for source in (PinnedTheta("run", 19), PinnedTheta("other", 20)):
        with pytest.raises(QuestionError, match="is not kept") as caught:
            training.adapted(source)
        assert "\n" not in str(caught.value)


def seen_often(training: Training, times: int) -> None:
    for _ in range(times):
        training.train()
        training.adapted(Live("run"))


def test_of_what_was_only_seen_the_newest_is_kept(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MOST_SEEN", 3 * training.state.theta.nbytes)
    training = Training()
    first = training.adapted(Live("run"))
    seen_often(training, 2)
    second = training.adapted(held(first))
    seen_often(training, 3)
    assert training.adapted(held(first)) == second
    with pytest.raises(QuestionError, match="theta of iteration 21 is not kept"):
        training.adapted(PinnedTheta("run", 21))


def test_of_what_is_held_the_least_used_goes_first(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MOST_HELD", 2 * training.state.theta.nbytes)
    monkeypatch.setattr(holding, "MOST_SEEN", training.state.theta.nbytes)
    training = Training()
    answers = []
    for _ in range(3):
        training.train()
        answers.append(training.adapted(Live("run")))
        training.adapted(held(answers[-1]))
        training.adapted(held(answers[0]))
    assert training.adapted(held(answers[0])) == answers[0]
    assert training.adapted(held(answers[2])) == answers[2]
    with pytest.raises(QuestionError, match="not kept"):
        training.adapted(held(answers[1]))


def test_a_theta_too_large_to_be_kept_is_answered_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(holding, "MOST_SEEN", 10)
    training = Training()
    seen = training.adapted(Live("run"))
    with pytest.raises(QuestionError, match="choose a checkpoint"):
        training.adapted(held(seen))
