"""Limits of repaints in transit, with a clock that the tests set."""

import random
import threading
from collections import deque

import pytest

from tui_meta.delta_driver.flow import ANSWER_TIMEOUT, QUERY, Flow


class Pacing:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Pacing:
    return Pacing()


@pytest.fixture
def flow(clock: Pacing) -> Flow:
    """Of a terminal that has answered."""
    flow = Flow(clock)
    flow.send()
    flow.answer()
    return flow


def test_a_terminal_that_never_answers_is_not_waited_for(clock: Pacing) -> None:
    flow = Flow(clock)
    asked = 0
    for _ in range(25):
        assert flow.is_open
        assert flow.since is None
        asked += bool(flow.send())
        clock.now += ANSWER_TIMEOUT / 10
    assert asked == 3  # at first, and whenever the last question was given up


def test_the_next_repaint_waits_until_the_last_one_is_shown(flow: Flow) -> None:
    assert flow.is_open
    assert flow.send() == QUERY
    assert not flow.is_open
    flow.answer()
    assert flow.is_open


def test_the_repaint_after_a_key_waits_for_at_most_one_before_it(flow: Flow) -> None:
    flow.send()
    flow.expect_repaint()
    assert flow.is_open
    flow.send()
    assert not flow.is_open
    flow.expect_repaint()
    assert not flow.is_open  # it would be behind two
    flow.answer()
    assert flow.is_open


def test_a_key_lets_only_one_repaint_pass_early(flow: Flow) -> None:
    flow.expect_repaint()
    flow.send()
    assert not flow.is_open


def test_a_lost_answer_is_waited_for_until_the_timeout(flow: Flow, clock: Pacing) -> None:
    flow.send()
    clock.now += ANSWER_TIMEOUT - 1
    assert not flow.is_open
    clock.now += 1
    assert flow.is_open
    flow.send()
    assert not flow.is_open


def test_since_is_the_time_of_the_oldest_repaint_not_shown(flow: Flow, clock: Pacing) -> None:
    assert flow.since is None
    first = clock.now
    flow.send()
    clock.now += 1
    flow.expect_repaint()
    flow.send()
    assert flow.since == first
    flow.answer()
    assert flow.since == first + 1


@pytest.mark.parametrize(
    ("took", "gathering"), [(0.0, 0.0), (0.04, 0.0), (0.05, 0.005), (0.3, 0.03), (9.0, 0.05)]
)
def test_changes_for_a_remote_terminal_are_gathered_for_a_moment(
    took: float, gathering: float, flow: Flow, clock: Pacing
) -> None:
    clock.now = 0.0
    flow.send()
    clock.now += took
    flow.answer()
    assert flow.gathering == pytest.approx(gathering)
    flow.end(0)
    assert flow.gathering == 0


def test_an_unexpected_answer_changes_nothing(flow: Flow) -> None:
    flow.answer()
    flow.send()
    assert not flow.is_open


def test_ending_waits_for_answers_and_stops_querying(flow: Flow) -> None:
    flow.send()
    answering = threading.Thread(target=flow.answer)
    answering.start()
    flow.end(timeout=90)  # or else the test takes as long
    answering.join()
    assert flow.since is None
    assert flow.send() == ""
    assert flow.is_open


@pytest.mark.parametrize("seed", range(20))
def test_a_link_holds_at_most_one_repaint_before_the_one_after_a_key(seed: int, flow: Flow) -> None:
    """Keys, repaints and answers come in any order, as on a link of any length."""
    chance = random.Random(seed)
    link: deque[str] = deque()
    for _ in range(2_000):
        match chance.choice(["key", "repaint", "repaint", "shown"]):
            case "key":
                flow.expect_repaint()
            case "repaint" if flow.is_open:
                assert len(link) <= 1
                link.append(flow.send())
            case "shown" if link:
                assert link.popleft() == QUERY
                flow.answer()
