"""What is asked when: once, one at a time for each source, and again when theta has moved on."""

from __future__ import annotations

from core.analysis.answers import Adapted
from core.analysis.questions import (
    Adapt,
    AnySource,
    ExplicitTask,
    Live,
    PinnedTheta,
    SampledTask,
    Saved,
)
from tui_meta.views.lab.pending_queries import PendingQueries
from tui_meta.views.time_machine.answer_cache import MOST_KEPT, AnswerCache

RUN = Live("run")


def question(index: int = 0, source: AnySource = RUN) -> Adapt:
    return Adapt(source=source, task=SampledTask("standard", index), updates=0)


def answer(iteration: int = 0) -> Adapted:
    return Adapted(
        iteration=iteration,
        task=ExplicitTask((1.0, 0.0), (0.0,), (0.0,)),
        lr=0.1,
        query_x=(0.0,),
        query_y=(0.0,),
        losses=(1.0,),
        predictions=((0.0,),),
    )


def test_a_question_is_asked_once() -> None:
    asking, wanted = PendingQueries(), {"a": question(), "b": question()}
    assert asking.due(wanted) == wanted
    assert asking.due(wanted) == {}
    asking.answered("a", answer())
    assert asking.waits
    asking.answered("b", answer())
    assert not asking.waits
    assert asking.due(wanted) == {}


def test_a_newer_question_waits_for_the_open_one() -> None:
    asking = PendingQueries()
    asking.due({"a": question()})
    assert asking.due({"a": question(1)}) == {}
    asking.answered("a", answer())
    assert asking.due({"a": question(2)}) == {"a": question(2)}


def test_answers_to_another_question_are_not_shown_for_this_one() -> None:
    asking = PendingQueries()
    asking.due({"a": question()})
    asking.answered("a", answer())
    assert asking.answers({"a": question()}) == {"a": answer()}
    for other in (question(1), question(0, Saved("path"))):
        asking.due({"a": other})
        assert asking.answers({"a": other}) == {"a": None}


def test_a_theta_that_is_held_has_answered_as_the_live_one() -> None:
    asking = PendingQueries()
    asking.due({"a": question()})
    asking.answered("a", answer(5))
    assert asking.seen() == {"a": 5}
    held = question(0, PinnedTheta("run", 5))
    assert asking.answers({"a": held}) == {"a": answer(5)}
    for other in (
        question(0, PinnedTheta("run", 6)),
        question(0, PinnedTheta("b", 5)),
        question(1, held.source),
    ):
        assert asking.answers({"a": other}) == {"a": None}
    assert asking.due({"a": held}) == {"a": held}
    asking.answered("a", answer(5))
    assert asking.answers({"a": question()}) == {"a": answer(5)}


def test_a_live_theta_is_asked_again_when_it_has_moved_on() -> None:
    asking, wanted = PendingQueries(), {"a": question(), "b": question(0, Saved("path"))}
    asking.due(wanted)
    asking.answered("a", answer(5))
    asking.answered("b", answer(5))
    assert asking.due(wanted, {"run": 5}) == {}
    assert asking.due(wanted, {"run": 6}) == {"a": question()}
    assert asking.answers(wanted)["a"] == answer(5)


def test_what_was_refused_is_asked_again_only_with_the_theta_to_come() -> None:
    asking, wanted = PendingQueries(), {"a": question(), "b": question(0, Saved("path"))}
    asking.due(wanted)
    asking.refused("a")
    asking.refused("b")
    assert asking.due(wanted) == {}
    assert asking.due(wanted, {"run": 1}) == {"a": question()}


def test_a_visit_is_asked_for_once_and_kept() -> None:
    visits = AnswerCache()
    assert visits.due(question())
    assert not visits.due(question())
    visits.store(question(), answer())
    assert not visits.due(question())
    assert visits.answer(question()) == answer()


def test_a_question_asked_again_before_its_answer_is_sent_again() -> None:
    visits = AnswerCache()
    assert visits.due(question(0))
    assert visits.due(question(1))
    assert visits.due(question(0))


def test_a_checkpoint_that_is_gone_is_not_asked_for_again() -> None:
    visits = AnswerCache()
    visits.due(question())
    visits.store(question(), None)
    assert not visits.due(question())
    assert visits.answer(question()) is None


def test_only_the_latest_visits_are_kept() -> None:
    visits = AnswerCache()
    for index in range(MOST_KEPT):
        visits.due(question(index))
        visits.store(question(index), answer(index))
    assert visits.answer(question(0)) == answer(0)
    visits.due(question(MOST_KEPT))
    visits.store(question(MOST_KEPT), answer())
    assert visits.answer(question(0)) == answer(0)
    assert visits.due(question(1))
