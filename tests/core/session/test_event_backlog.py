"""What is kept of what happened: all of it for readers, the worth telling for those who come."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core.events import AnyEvent, Evaluated, Paused, Progress
from core.remote.protocol import LONGEST_REPLY
from core.session.event_backlog import (
    DRAWN_EVALUATIONS,
    KEPT_EVALUATIONS,
    KEPT_EVENTS,
    EventBacklog,
    EventBuffer,
)
from tests.support.events import EVENTS

POINTS = tuple(0.1 * n for n in range(200))


def evaluation(number: int, run: str = "a", probe: str = "validation") -> Evaluated:
    """As large as real ones are."""
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
        st.tuples(st.sampled_from(["tell", "a", "b", "c"]), st.integers(1, 3 * KEPT_EVENTS)),
        max_size=30,
    )
)
def test_every_reader_reads_every_event_once_and_in_order(doings: list[tuple[str, int]]) -> None:
    """Those that know of each other from the start, however far one falls behind."""
    events, told = EventBuffer(), 0
    seen = {"a": 0, "b": 0, "c": 0}
    for reader in seen:
        events.since(0, reader)
    for who, count in doings:
        if who == "tell":
            for _ in range(count):
                events.append(paused(told))
                told += 1
        else:
            news = events.since(seen[who], who)
            assert [event.iteration for event in news] == list(range(seen[who], told))
            seen[who] += len(news)
        assert events.end == told


def test_what_one_reader_has_not_read_is_kept_for_it() -> None:
    events = EventBuffer()
    events.since(0, "slow")
    count = 5 * KEPT_EVENTS
    for number in range(count):
        events.append(paused(number))
    for _ in range(3):
        events.since(count, "fast")
    assert len(events.since(0, "slow")) == count


def test_what_all_have_read_is_forgotten_in_the_end() -> None:
    events = EventBuffer()
    count = 5 * KEPT_EVENTS
    for number in range(count):
        events.append(paused(number))
    events.since(count, "a")
    events.since(count, "b")
    assert len(events.since(0, "late")) <= 2 * KEPT_EVENTS
    assert events.end == count


@given(st.lists(EVENTS, max_size=60))
def test_a_short_story_is_told_whole_and_in_order_without_the_losses(
    events: list[AnyEvent],
) -> None:
    assert EventBacklog(events).events() == [one for one in events if not isinstance(one, Progress)]


def test_older_evaluations_are_told_abridged() -> None:
    story = EventBacklog(evaluation(number) for number in range(DRAWN_EVALUATIONS + 5))
    told = story.events()
    assert told[:5] == [evaluation(number).abridged() for number in range(5)]
    assert told[5:] == [evaluation(number) for number in range(5, DRAWN_EVALUATIONS + 5)]


def test_evaluations_that_were_asked_for_do_not_crowd_out_the_periodic_ones() -> None:
    asked = [evaluation(number, probe="random") for number in range(2 * KEPT_EVENTS)]
    told = EventBacklog([evaluation(1), *asked]).events()
    assert told[0] == evaluation(1)
    assert len(told) == KEPT_EVENTS + 1
    assert [one for one in told if one.is_drawable][1:] == asked[-DRAWN_EVALUATIONS:]  # type: ignore[union-attr]


def test_each_run_has_a_story_of_its_own() -> None:
    story = EventBacklog([evaluation(0, "quiet")])
    for number in range(KEPT_EVALUATIONS + 10):
        story.add(evaluation(number, "busy"))
    told = story.events()
    assert told[0] == evaluation(0, "quiet")
    assert len(told) == KEPT_EVALUATIONS + 1


def test_evaluations_of_runs_that_are_gone_are_not_told() -> None:
    story = EventBacklog([evaluation(0, "old"), paused(1), evaluation(2, "new")])
    story.drop_all_but(["new"])
    assert story.events() == [paused(1), evaluation(2, "new")]


def test_the_longest_story_of_two_runs_is_a_small_part_of_what_may_be_sent() -> None:
    story = EventBacklog()
    for number in range(3_000):
        for run in ("a", "b"):
            story.add(evaluation(number, run))
        story.add(evaluation(number, probe="compare"))
        story.add(paused(number))
    assert len(msgspec.msgpack.encode(story.events())) < LONGEST_REPLY / 8
