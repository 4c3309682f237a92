"""A recently used theta can be pinned: later questions use it, however far training has come."""

from __future__ import annotations

import dataclasses

import pytest

from core.analysis import theta_cache
from core.analysis.answers import Adapted, BatteryResult
from core.analysis.questions import Adapt, AnySource, Battery, Live, PinnedTheta, SampledTask
from core.analysis.service import AnalysisService
from core.analysis.theta_sources import LiveRun
from core.engines import make_engine
from core.errors import QuestionError
from core.evaluation_protocol import EvaluationProtocol
from tests.support.live_runs import live, trained


class Training:
    """A run that is queried while it trains."""

    def __init__(self) -> None:
        self.config, self.state = trained()
        self.engine = make_engine(self.config)
        self.service = AnalysisService(self.find)

    def find(self, name: str) -> LiveRun:
        return dataclasses.replace(live(self.config, self.state))

    def train(self, iterations: int = 1) -> None:
        self.state = self.engine.advance(self.state, iterations).state

    def adapted(self, source: AnySource, index: int = 0) -> Adapted:
        answer = self.service.answer(
            Adapt(source=source, task=SampledTask("standard", index), updates=3)
        )
        assert isinstance(answer, Adapted)
        return answer


@pytest.fixture
def training() -> Training:
    return Training()


def pinned(answer: Adapted, run: str = "run") -> PinnedTheta:
    return PinnedTheta(run, answer.iteration)


def test_a_pinned_theta_is_the_one_that_was_used(training: Training) -> None:
    seen = training.adapted(Live("run"))
    training.train()
    assert training.adapted(pinned(seen)) == seen
    assert training.adapted(Live("run")) != seen


def test_later_tasks_use_the_pinned_theta(training: Training) -> None:
    seen = training.adapted(Live("run"))
    then = training.adapted(Live("run"), 1)
    training.adapted(pinned(seen))
    training.train(50)
    assert training.adapted(pinned(seen), 1) == then


def test_a_battery_uses_the_pinned_theta(training: Training) -> None:
    seen = training.adapted(Live("run"))
    protocol = EvaluationProtocol(tasks=100, steps=(1,))
    battery = training.service.answer(Battery(sources=(Live("run"),), protocol=protocol))
    training.train()
    again = training.service.answer(Battery(sources=(pinned(seen),), protocol=protocol))
    assert isinstance(again, BatteryResult)
    assert again == battery


def test_a_theta_that_was_never_used_cannot_be_pinned(training: Training) -> None:
    training.adapted(Live("run"))
    for source in (PinnedTheta("run", 19), PinnedTheta("other", 20)):
        with pytest.raises(QuestionError, match="is not kept") as caught:
            training.adapted(source)
        assert "\n" not in str(caught.value)


def use_often(training: Training, times: int) -> None:
    for _ in range(times):
        training.train()
        training.adapted(Live("run"))


def test_of_recent_thetas_the_newest_are_kept(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theta_cache, "RECENT_BYTES", 3 * training.state.theta.nbytes)
    training = Training()
    first = training.adapted(Live("run"))
    use_often(training, 2)
    second = training.adapted(pinned(first))
    use_often(training, 3)
    assert training.adapted(pinned(first)) == second
    with pytest.raises(QuestionError, match="theta of iteration 21 is not kept"):
        training.adapted(PinnedTheta("run", 21))


def test_of_pinned_thetas_the_least_recently_used_is_dropped(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theta_cache, "PINNED_BYTES", 2 * training.state.theta.nbytes)
    monkeypatch.setattr(theta_cache, "RECENT_BYTES", training.state.theta.nbytes)
    training = Training()
    answers = []
    for _ in range(3):
        training.train()
        answers.append(training.adapted(Live("run")))
        training.adapted(pinned(answers[-1]))
        training.adapted(pinned(answers[0]))
    assert training.adapted(pinned(answers[0])) == answers[0]
    assert training.adapted(pinned(answers[2])) == answers[2]
    with pytest.raises(QuestionError, match="not kept"):
        training.adapted(pinned(answers[1]))


def test_a_theta_too_large_for_the_cache_is_still_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(theta_cache, "RECENT_BYTES", 10)
    training = Training()
    seen = training.adapted(Live("run"))
    with pytest.raises(QuestionError, match="choose a checkpoint"):
        training.adapted(pinned(seen))
