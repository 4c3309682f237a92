"""The verdict at the end of all runs, without a terminal."""

from collections.abc import Sequence

import msgspec
import pytest

from core.analysis.answers import Cancelled
from core.analysis.questions import Live, Untrained
from core.events import Snapshot
from tests.support.dashboard.canned import surveyed
from tests.support.dashboard.watch_state import snapshots_of, started_session, watch_state
from tui_meta.views.text import cells, plain
from tui_meta.views.watch.verdict import Verdict, judge, verdict_questions

TITLES = ("FOMAML", "Reptile")


def verdict() -> Verdict:
    runs = snapshots_of(started_session(fomaml=50_000, reptile=50_000))
    return judged(runs, TITLES)


def judged(runs: Sequence[Snapshot], titles: Sequence[str]) -> Verdict:
    found = judge(runs, titles, surveyed)
    assert isinstance(found, Verdict)
    return found


def many() -> Verdict:
    """The verdict on ten runs, the last of which is the best."""
    pair = snapshots_of(started_session(fomaml=50_000, reptile=50_000))
    runs = [pair[index % 2] for index in range(10)]
    shown = judged(runs, [f"run-{index}" for index in range(10)])
    *sources, untrained = shown.result.sources
    result = msgspec.structs.replace(shown.result, sources=(*sources[::-1], untrained))
    return Verdict(runs, shown.titles, result)


def test_the_question_is_the_source_s_protocol_on_a_thousand_tasks() -> None:
    (question,) = verdict_questions(snapshots_of(started_session()))
    protocol = question.protocol
    assert (protocol.tasks, protocol.shots, protocol.last_step) == (1_000, 10, 32)
    live = [Live("fomaml-1"), Live("reptile-1")]
    assert question.sources == (*live, Untrained(live[0]))


def test_many_runs_are_asked_about_in_parts_on_the_same_tasks() -> None:
    runs = [
        msgspec.structs.replace(one, run=f"run-{number}")
        for number in range(20)
        for one in snapshots_of(started_session())
    ]
    questions = verdict_questions(runs)
    assert [len(one.sources) for one in questions] == [17, 17, 9]
    assert len({one.protocol for one in questions}) == 1
    verdict = judged(runs, [one.run for one in runs])
    assert len(verdict.result.sources) == 41
    assert judge(runs, [one.run for one in runs], lambda _: Cancelled()) == Cancelled()


def test_losses_the_difference_and_both_budgets_are_named() -> None:
    losses, difference, budgets = (plain(one).rstrip() for one in verdict().lines(140, 3))
    assert losses == (
        "1,000 tasks, 10 points, 32 steps: FOMAML 0.0500 ± 0.0050 · Reptile 0.150 ± 0.015 · "
        "untrained 0.450"
    )
    assert "FOMAML's loss is lower" in difference
    assert budgets == (
        "used: FOMAML 50,000 iterations, 300,000 gradient evaluations · "
        "Reptile 50,000 iterations, 250,000 gradient evaluations"
    )
    assert "used: " in plain(verdict().lines(140, 2)[1])


def test_short_budgets_are_for_narrow_screens_and_many_runs() -> None:
    _, budgets = (plain(one).rstrip() for one in verdict().lines(80, 2))
    assert budgets == "gradient evaluations in 50,000 iterations: FOMAML 300,000 · Reptile 250,000"
    _, budgets = (plain(one).rstrip() for one in many().lines(80, 2))
    assert budgets == "used by each: 50,000 iterations, 250,000 to 300,000 gradient evaluations"


def test_of_many_runs_the_best_are_named_as_far_as_there_is_room() -> None:
    narrow, wide = (plain(many().lines(width, 1)[0]).rstrip() for width in (80, 120))
    assert narrow == "1,000 tasks, best of 10: run-9 0.0500 ± 0.0050 · untrained 2952"
    assert "run-9 0.0500 ± 0.0050 · run-8 0.150 ± 0.015 · run-7 0.450 · run-6 1.35 · untr" in wide


def test_the_inner_rate_of_the_untrained_network_is_named_where_rates_differ() -> None:
    shown = verdict()
    other = msgspec.structs.replace(shown.result.sources[1], lr=0.05)
    sources = (shown.result.sources[0], other, shown.result.sources[2])
    result = msgspec.structs.replace(shown.result, sources=sources)
    (losses,) = Verdict(shown.runs, TITLES, result).lines(140, 1)
    assert plain(losses).rstrip().endswith("untrained (inner 0.02) 0.450")


@pytest.mark.parametrize("width", [1, 40, 80, 120, 200])
@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_the_verdict_fits_any_size(width: int, rows: int) -> None:
    lines = verdict().lines(width, rows)
    assert len(lines) == rows
    assert {cells(one) for one in lines} <= {width}


def test_diverged_tasks_are_counted() -> None:
    shown = verdict()
    bad = msgspec.structs.replace(
        shown.result.sources[0], mean=None, low=None, high=None, diverged=3
    )
    result = msgspec.structs.replace(shown.result, sources=(bad, *shown.result.sources[1:]))
    (losses,) = Verdict(shown.runs, TITLES, result).lines(140, 1)
    assert "FOMAML 3 diverged, median 0.0300 · Reptile" in plain(losses)
    finite = msgspec.structs.replace(bad, mean=2e14, low=1e14, high=3e14)
    result = msgspec.structs.replace(shown.result, sources=(finite, *shown.result.sources[1:]))
    (losses,) = Verdict(shown.runs, TITLES, result).lines(140, 1)
    assert ", 3 diverged · Reptile" in plain(losses)


def test_the_verdict_is_asked_for_once_and_again_after_more_training() -> None:
    session = started_session()
    state = watch_state(session)

    def to_judge() -> list[str]:
        state.dashboard.update((), session.snapshots())
        runs = session.snapshots().values()
        return [one.run for one in state.verdicts.runs_to_judge(runs)]

    assert to_judge() == []
    session.finish("fomaml-1")
    assert to_judge() == []
    session.diverge("reptile-1")
    assert to_judge() == ["fomaml-1"]
    assert to_judge() == []
    session.change("fomaml-1", state="training")
    assert to_judge() == []
    session.finish("fomaml-1")
    assert to_judge() == ["fomaml-1"]
