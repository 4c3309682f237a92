"""Who folds all that is told knows all there is, at a fraction of the bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import AnyEvent, Curve, Evaluated, Progress, Snapshot
from core.remote import delta as digest_module
from core.remote.client import _changed
from core.remote.delta import DeltaEncoder, encode_backlog, full, snapshot_fields
from core.remote.protocol import Update, to_frame, unpack_events
from tests.support.dashboard.fake_session import FakeSession
from tests.support.events import EVENTS, RUNS, as_a_row, growing_curves, snapshots


class Pacing:
    """The time that the digest sees."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Pacing:
    clock = Pacing()
    monkeypatch.setattr(digest_module, "time", clock)
    return clock


def fold(known: dict[str, Snapshot], news: Update) -> dict[str, Snapshot]:
    """``known``, with what ``news`` says of it."""
    folded = dict(known)
    for change in news.changes:
        folded[change.run] = _changed(folded.get(change.run), change)
    return {run: folded[run] for run in news.runs} if news.runs else folded


@st.composite
def sittings(draw: st.DrawFn) -> list[dict[str, Snapshot]]:
    """How some runs stand, again and again; at times they are others than before."""
    length = draw(st.integers(1, 6))
    grown = {run: draw(growing_curves(length)) for run in (*RUNS, "other-1")}
    return [
        {run: draw(snapshots(run, grown[run][at])) for run in draw(
            st.sampled_from([RUNS, RUNS[:1], RUNS[::-1], ("other-1",), (*RUNS, "other-1")])
        )}
        for at in range(length)
    ]  # fmt: skip


@given(sittings())
def test_who_folds_every_change_has_the_snapshots_of_the_session(
    sitting: list[dict[str, Snapshot]],
) -> None:
    clock, digest = Pacing(), DeltaEncoder()
    known: dict[str, Snapshot] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest_module, "time", clock)
        for current in sitting:
            clock.now += digest_module.CURVE_SECONDS
            news = digest.diff(current, list(current), 1)
            known = fold(known, news) if news else known
            assert known == current
            assert list(known) == list(current)


@given(sittings(), st.data())
def test_one_who_comes_late_or_skips_some_knows_as_much(
    sitting: list[dict[str, Snapshot]], data: st.DataObject
) -> None:
    """Everything may be told between two calls, of runs that have gone on since the last change."""
    clock, digest = Pacing(), DeltaEncoder()
    came = data.draw(st.integers(0, len(sitting) - 1))
    known: dict[str, Snapshot] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest_module, "time", clock)
        for at, current in enumerate(sitting):
            if at == came:
                known = fold({}, full(current, list(current), 1))
            clock.now += digest_module.CURVE_SECONDS
            news = digest.diff(current, list(current), 1)
            if at >= came and news:
                known = fold(known, news)
            assert at < came or known == current


@given(sittings())
def test_all_but_the_curve_is_as_new_as_the_session_at_any_time(
    sitting: list[dict[str, Snapshot]],
) -> None:
    digest = DeltaEncoder()
    known: dict[str, Snapshot] = {}
    for current in sitting:  # within one second, in which the curve is told once
        news = digest.diff(current, list(current), 1)
        known = fold(known, news) if news else known
        assert {run: snapshot_fields(one) for run, one in known.items()} == {
            run: snapshot_fields(one) for run, one in current.items()
        }


def test_what_has_not_changed_is_not_told(clock: Pacing) -> None:
    session, digest = FakeSession(), DeltaEncoder()
    assert digest.diff(session.snapshots(), ["a", "b"], 1)
    assert digest.diff(session.snapshots(), ["a", "b"], 1) is None
    session.change("fomaml-1", iteration=5)
    news = digest.diff(session.snapshots(), ["a", "b"], 1)
    assert news is not None
    (change,) = news.changes
    assert (change.run, change.fields, change.curve) == ("fomaml-1", {"iteration": 5}, None)
    assert (news.runs, news.folders, news.subscribers) == ((), (), 0)
    news = digest.diff(session.snapshots(), ["a", "elsewhere"], 2)
    assert news == Update(runs=RUNS, folders=("a", "elsewhere"), subscribers=2)


def test_a_curve_is_told_once_a_second_and_its_new_points_only(clock: Pacing) -> None:
    session, digest = FakeSession(), DeltaEncoder()
    session.change("fomaml-1", curve=Curve((1, 2), (0.1, 0.2)))
    digest.diff(session.snapshots(), [], 1)
    session.change("fomaml-1", curve=Curve((1, 2, 3), (0.1, 0.2, 0.3)))
    assert digest.diff(session.snapshots(), [], 1) is None
    clock.now += 1.0
    news = digest.diff(session.snapshots(), [], 1)
    assert news is not None
    (change,) = news.changes
    assert change.curve is not None
    assert (change.curve.start, change.curve.iterations) == (2, (3,))


def test_the_curve_of_a_run_that_ends_is_told_at_once(clock: Pacing) -> None:
    session, digest = FakeSession(), DeltaEncoder()
    digest.diff(session.snapshots(), [], 1)
    session.change("fomaml-1", state="stopped", curve=Curve((1, 2), (0.1, 0.2)))
    news = digest.diff(session.snapshots(), [], 1)
    assert news is not None
    assert news.changes[0].curve is not None


def evaluation(run: str, index: int, iteration: int = 0) -> Evaluated:
    """A periodic evaluation in full."""
    return Evaluated(
        probe="validation",
        index=index,
        amplitude=1.0,
        phase=0.0,
        support_x=(1.0,),
        support_y=(1.0,),
        query_x=(1.0, 2.0),
        before=(0.0, 0.0),
        after=(1.0, 1.0),
        losses=(2.0, 1.5, 1.0),
        training_loss=None,
        run=run,
        iteration=iteration or index,
        time=0.0,
    )


def drawn(digest: DeltaEncoder, events: list[AnyEvent]) -> list[tuple[str, int]]:
    """Run and task of those that are told in full."""
    news = digest.encode_events(events, FakeSession().snapshots())
    assert news is not None
    return [(one.run, one.index) for one in news.events if isinstance(one, Evaluated)]


def test_one_evaluation_in_two_seconds_is_told_in_full(clock: Pacing) -> None:
    digest, told = DeltaEncoder(), []
    for index in range(24):  # eight a second
        told += drawn(digest, [evaluation("fomaml-1", index)])
        clock.now += 0.125
    assert [index for _, index in told] == [0, 16]


def test_runs_are_drawn_on_the_same_tasks_though_one_is_slower(clock: Pacing) -> None:
    digest, told = DeltaEncoder(), []
    for index in range(80):
        told += drawn(digest, [evaluation("fomaml-1", index)])
        if index % 3 == 0:
            told += drawn(digest, [evaluation("reptile-1", index // 3)])
        clock.now += 0.125
    fast, slow = ({index for run, index in told if run == name} for name in RUNS)
    assert {0, 16} <= fast & slow
    assert {one for one in fast if one <= 26} <= slow


def test_the_last_evaluation_of_a_run_is_told_in_full(clock: Pacing) -> None:
    """Its end may be told later: a checkpoint is written in between."""
    digest = DeltaEncoder()
    assert drawn(digest, [evaluation("fomaml-1", 1, 49_000)])
    assert not drawn(digest, [evaluation("fomaml-1", 2, 49_500)])
    assert drawn(digest, [evaluation("fomaml-1", 3, 50_000)]) == [("fomaml-1", 3)]


def test_tasks_that_were_chosen_are_not_remembered_for_ever(
    clock: Pacing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest_module, "MOST_CHOSEN", 3)
    digest = DeltaEncoder()
    for index in range(10):
        drawn(digest, [evaluation("fomaml-1", index)])
        clock.now += 1.0
    assert not drawn(digest, [evaluation("reptile-1", 9), evaluation("reptile-1", 1)])[1:]


def test_losses_of_training_are_not_told_to_a_screen() -> None:
    progress = Progress(run="fomaml-1", iteration=1, time=0.0, loss=1.0)
    assert DeltaEncoder().encode_events([progress], FakeSession().snapshots()) is None


@given(st.lists(EVENTS.filter(lambda event: not isinstance(event, Progress)), max_size=30))
def test_a_story_in_parts_is_the_whole_story(events: list[AnyEvent]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest_module, "STORY_EVENTS", 4)
        parts = list(encode_backlog(events, past=True))
    assert all(part.past for part in parts)
    told = [event for part in parts for event in unpack_events(part)]
    assert told == [
        as_a_row(event)
        if isinstance(event, Evaluated) and event.probe == "validation" and not event.is_drawable
        else event
        for event in events
    ]


def test_a_change_is_small() -> None:
    session, digest = FakeSession(), DeltaEncoder()
    session.start()
    digest.diff(session.snapshots(), [], 1)
    session.change("fomaml-1", iteration=12_400, elapsed=3.2, rate=3_900.0, loss=0.53)
    session.change("reptile-1", iteration=18_800, elapsed=4.2, rate=3_910.0, loss=0.54)
    news = digest.diff(session.snapshots(), [], 1)
    assert news is not None
    assert len(to_frame(news)) < 250
