"""A client that applies every update has the snapshots of the session, at few bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import AnyEvent, Curve, Evaluated, Progress, Snapshot
from core.remote.delta import (
    CURVE_SECONDS,
    DeltaEncoder,
    apply_change,
    encode_backlog,
    fields_of,
    full,
)
from core.remote.protocol import Update, to_frame
from tests.support.dashboard.fake_session import FakeSession
from tests.support.events import EVENTS, RUNS, growing_curves, snapshots


class Clock:
    """The time that an encoder sees."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fold(known: dict[str, Snapshot], update: Update) -> dict[str, Snapshot]:
    """Return ``known`` after ``update``."""
    folded = dict(known)
    for change in update.changes:
        folded[change.run] = apply_change(folded.get(change.run), change)
    return {run: folded[run] for run in update.runs} if update.runs else folded


@st.composite
def snapshot_sequences(draw: st.DrawFn) -> list[dict[str, Snapshot]]:
    """Draw successive snapshots of some runs, which are sometimes replaced by others."""
    length = draw(st.integers(1, 6))
    grown = {run: draw(growing_curves(length)) for run in (*RUNS, "other-1")}
    return [
        {run: draw(snapshots(run, grown[run][at])) for run in draw(
            st.sampled_from([RUNS, RUNS[:1], RUNS[::-1], ("other-1",), (*RUNS, "other-1")])
        )}
        for at in range(length)
    ]  # fmt: skip


@given(snapshot_sequences())
def test_a_client_that_applies_every_change_has_the_snapshots_of_the_session(
    sequence: list[dict[str, Snapshot]],
) -> None:
    clock = Clock()
    encoder = DeltaEncoder(clock)
    known: dict[str, Snapshot] = {}
    for current in sequence:
        clock.now += CURVE_SECONDS
        update = encoder.diff(current, list(current), 1)
        known = fold(known, update) if update else known
        assert known == current
        assert list(known) == list(current)


@given(snapshot_sequences(), st.data())
def test_a_late_joiner_or_slow_subscriber_has_the_same_snapshots(
    sequence: list[dict[str, Snapshot]], data: st.DataObject
) -> None:
    """Full snapshots may be encoded between two diffs, of runs that have changed since."""
    clock = Clock()
    encoder = DeltaEncoder(clock)
    came = data.draw(st.integers(0, len(sequence) - 1))
    known: dict[str, Snapshot] = {}
    for at, current in enumerate(sequence):
        if at == came:
            known = fold({}, full(current, list(current), 1))
        clock.now += CURVE_SECONDS
        update = encoder.diff(current, list(current), 1)
        if at >= came and update:
            known = fold(known, update)
        assert at < came or known == current


@given(snapshot_sequences())
def test_all_but_the_curve_is_as_new_as_the_session_at_any_time(
    sequence: list[dict[str, Snapshot]],
) -> None:
    encoder = DeltaEncoder()
    known: dict[str, Snapshot] = {}
    for current in sequence:  # within one second, in which a curve is sent once
        update = encoder.diff(current, list(current), 1)
        known = fold(known, update) if update else known
        assert {run: fields_of(one) for run, one in known.items()} == {
            run: fields_of(one) for run, one in current.items()
        }


def test_unchanged_fields_are_not_sent(clock: Clock) -> None:
    session, encoder = FakeSession(), DeltaEncoder(clock)
    assert encoder.diff(session.snapshots(), ["a", "b"], 1)
    assert encoder.diff(session.snapshots(), ["a", "b"], 1) is None
    session.change("fomaml-1", iteration=5)
    update = encoder.diff(session.snapshots(), ["a", "b"], 1)
    assert update is not None
    (change,) = update.changes
    assert (change.run, change.fields, change.curve) == ("fomaml-1", {"iteration": 5}, None)
    assert (update.runs, update.folders, update.subscribers) == ((), (), 0)
    update = encoder.diff(session.snapshots(), ["a", "elsewhere"], 2)
    assert update == Update(runs=RUNS, folders=("a", "elsewhere"), subscribers=2)


def test_new_points_of_a_curve_are_sent_once_a_second(clock: Clock) -> None:
    session, encoder = FakeSession(), DeltaEncoder(clock)
    session.change("fomaml-1", curve=Curve((1, 2), (0.1, 0.2)))
    encoder.diff(session.snapshots(), [], 1)
    session.change("fomaml-1", curve=Curve((1, 2, 3), (0.1, 0.2, 0.3)))
    assert encoder.diff(session.snapshots(), [], 1) is None
    clock.now += 1.0
    update = encoder.diff(session.snapshots(), [], 1)
    assert update is not None
    (change,) = update.changes
    assert change.curve is not None
    assert (change.curve.start, change.curve.iterations) == (2, (3,))


def test_the_curve_of_a_run_that_ends_is_sent_at_once(clock: Clock) -> None:
    session, encoder = FakeSession(), DeltaEncoder(clock)
    encoder.diff(session.snapshots(), [], 1)
    session.change("fomaml-1", state="stopped", curve=Curve((1, 2), (0.1, 0.2)))
    update = encoder.diff(session.snapshots(), [], 1)
    assert update is not None
    assert update.changes[0].curve is not None


def evaluation(run: str, index: int, iteration: int = 0) -> Evaluated:
    """Return a periodic evaluation in full."""
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


def drawn(encoder: DeltaEncoder, events: list[AnyEvent]) -> list[tuple[str, int]]:
    """Return run and task of the evaluations that are sent in full."""
    update = encoder.encode_events(events, FakeSession().snapshots())
    assert update is not None
    events = [event for event in update.all_events() if isinstance(event, Evaluated)]
    return [(event.run, event.index) for event in events if event.is_drawable]


def test_one_evaluation_in_two_seconds_is_sent_in_full(clock: Clock) -> None:
    encoder, sent = DeltaEncoder(clock), []
    for index in range(24):  # eight a second
        sent += drawn(encoder, [evaluation("fomaml-1", index)])
        clock.now += 0.125
    assert [index for _, index in sent] == [0, 16]


def test_runs_are_drawn_on_the_same_tasks_though_one_is_slower(clock: Clock) -> None:
    encoder, sent = DeltaEncoder(clock), []
    for index in range(80):
        sent += drawn(encoder, [evaluation("fomaml-1", index)])
        if index % 3 == 0:
            sent += drawn(encoder, [evaluation("reptile-1", index // 3)])
        clock.now += 0.125
    fast, slow = ({index for run, index in sent if run == name} for name in RUNS)
    assert {0, 16} <= fast & slow
    assert {one for one in fast if one <= 26} <= slow


def test_the_last_evaluation_of_a_run_is_sent_in_full(clock: Clock) -> None:
    """The event of its end may follow later: a checkpoint is written in between."""
    encoder = DeltaEncoder(clock)
    assert drawn(encoder, [evaluation("fomaml-1", 1, 49_000)])
    assert not drawn(encoder, [evaluation("fomaml-1", 2, 49_500)])
    assert drawn(encoder, [evaluation("fomaml-1", 3, 50_000)]) == [("fomaml-1", 3)]


def test_chosen_tasks_are_forgotten_after_a_while(
    clock: Clock,
) -> None:
    encoder = DeltaEncoder(clock, most_chosen=3)
    for index in range(10):
        drawn(encoder, [evaluation("fomaml-1", index)])
        clock.now += 1.0
    assert not drawn(encoder, [evaluation("reptile-1", 9), evaluation("reptile-1", 1)])[1:]


@given(st.lists(EVENTS))
def test_events_keep_their_order_and_only_periodic_evaluations_are_abridged(
    events: list[AnyEvent],
) -> None:
    update = DeltaEncoder().encode_events(events, {})
    expected = [event for event in events if not isinstance(event, Progress)]
    for sent, event in zip(update.all_events() if update else (), expected, strict=True):
        is_periodic = isinstance(event, Evaluated) and event.probe == "validation"
        assert sent == event or (is_periodic and sent == event.abridged())


def test_training_losses_are_not_sent_to_a_dashboard() -> None:
    progress = Progress(run="fomaml-1", iteration=1, time=0.0, loss=1.0)
    assert DeltaEncoder().encode_events([progress], FakeSession().snapshots()) is None


@given(st.lists(EVENTS.filter(lambda event: not isinstance(event, Progress)), max_size=30))
def test_a_backlog_in_parts_has_all_events(events: list[AnyEvent]) -> None:
    parts = list(encode_backlog(events, past=True, length=4))
    assert all(part.past for part in parts)
    assert [event for part in parts for event in part.all_events()] == events


def test_a_change_is_small() -> None:
    session, encoder = FakeSession(), DeltaEncoder()
    session.start()
    encoder.diff(session.snapshots(), [], 1)
    session.change("fomaml-1", iteration=12_400, elapsed=3.2, rate=3_900.0, loss=0.53)
    session.change("reptile-1", iteration=18_800, elapsed=4.2, rate=3_910.0, loss=0.54)
    update = encoder.diff(session.snapshots(), [], 1)
    assert update is not None
    assert len(to_frame(update)) < 250
