"""Events in bounded memory: all of them for readers, condensed for late joiners."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core.events import AnyEvent, Evaluated, Paused, Progress
from core.remote.protocol import LONGEST_REPLY
from core.session.event_backlog import (
    DRAWN_EVALUATIONS,
    KEPT_EVENTS,
    EventBacklog,
    EventBuffer,
)
from tests.support.events import EVENTS

POINTS = tuple(0.1 * n for n in range(200))


def evaluation(number: int, run: str = "a", probe: str = "validation") -> Evaluated:
    """Return an evaluation as large as real ones."""
    return Evaluated(
        probe=probe,  # type: ignore[arg-type]
        index=number,
        amplitude=1.0,
        phase=0.0,
        support_x=POINTS[:10],
        support_y=POINTS[:10],
        query_x=POINTS,
        before=POINTS,
        after=POINTS,
        losses=POINTS[:33],
        training_loss=None,
        run=run,
        iteration=number,
        time=0.0,
    )


def paused(number: int) -> Paused:
    return Paused(run="a", iteration=number, time=0.0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["append", "a", "b", "c"]), st.integers(1, 3 * KEPT_EVENTS)),
        max_size=30,
    )
)
def test_every_reader_reads_every_event_once_and_in_order(actions: list[tuple[str, int]]) -> None:
    """All readers are known from the start, however far one falls behind."""
    events, total = EventBuffer(), 0
    seen = {"a": 0, "b": 0, "c": 0}
    for reader in seen:
        events.since(0, reader)
    for reader, count in actions:
        if reader == "append":
            for _ in range(count):
                events.append(paused(total))
                total += 1
        else:
            new = events.since(seen[reader], reader)
            assert [event.iteration for event in new] == list(range(seen[reader], total))
            seen[reader] += len(new)
        assert events.end == total


def test_events_that_a_reader_has_not_read_are_kept() -> None:
    events = EventBuffer()
    events.since(0, "slow")
    count = 5 * KEPT_EVENTS
    for number in range(count):
        events.append(paused(number))
    for _ in range(3):
        events.since(count, "fast")
    assert len(events.since(0, "slow")) == count


def test_events_that_all_have_read_are_forgotten_in_the_end() -> None:
    events = EventBuffer()
    count = 5 * KEPT_EVENTS
    for number in range(count):
        events.append(paused(number))
    events.since(count, "a")
    events.since(count, "b")
    assert len(events.since(0, "late")) <= 2 * KEPT_EVENTS
    assert events.end == count


@given(st.lists(EVENTS, max_size=60))
def test_a_short_backlog_is_complete_and_in_order_without_the_losses(
    events: list[AnyEvent],
) -> None:
    assert EventBacklog(events).events() == [one for one in events if not isinstance(one, Progress)]


def test_older_evaluations_are_abridged() -> None:
    backlog = EventBacklog(evaluation(number) for number in range(DRAWN_EVALUATIONS + 5))
    events = backlog.events()
    assert events[:5] == [evaluation(number).abridged() for number in range(5)]
    assert events[5:] == [evaluation(number) for number in range(5, DRAWN_EVALUATIONS + 5)]


def test_requested_evaluations_do_not_crowd_out_the_periodic_ones() -> None:
    requested = [evaluation(number, probe="random") for number in range(2 * KEPT_EVENTS)]
    events = EventBacklog([evaluation(1), *requested]).events()
    assert events[0] == evaluation(1)
    assert len(events) == KEPT_EVENTS + 1
    assert [one for one in events if one.is_drawable][1:] == requested[-DRAWN_EVALUATIONS:]  # type: ignore[union-attr]


def test_each_run_has_its_own_periodic_evaluations() -> None:
    backlog = EventBacklog([evaluation(0, "quiet")])
    for number in range(KEPT_EVENTS + 10):
        backlog.add(evaluation(number, "busy"))
    events = backlog.events()
    assert events[0] == evaluation(0, "quiet")
    assert len(events) == KEPT_EVENTS + 1


def test_evaluations_of_dropped_runs_are_forgotten() -> None:
    backlog = EventBacklog([evaluation(0, "old"), paused(1), evaluation(2, "new")])
    backlog.drop_all_but(["new"])
    assert backlog.events() == [paused(1), evaluation(2, "new")]


def test_the_longest_backlog_of_two_runs_is_a_small_part_of_a_message() -> None:
    backlog = EventBacklog()
    for number in range(3_000):
        for run in ("a", "b"):
            backlog.add(evaluation(number, run))
        backlog.add(evaluation(number, probe="compare"))
        backlog.add(paused(number))
    assert len(msgspec.msgpack.encode(backlog.events())) < LONGEST_REPLY / 8
