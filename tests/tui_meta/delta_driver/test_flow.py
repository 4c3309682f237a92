"""How many repaints are on their way to a terminal, with a clock that stands still."""

import random
import threading
from collections import deque

import pytest

from tui_meta.delta_driver.flow import PATIENCE, QUESTION, Flow


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
        clock.now += PATIENCE / 10
    assert asked == 3  # at first, and whenever the last question was given up


def test_the_next_repaint_waits_until_the_last_one_is_shown(flow: Flow) -> None:
    assert flow.is_open
    assert flow.send() == QUESTION
    assert not flow.is_open
    flow.answer()
    assert flow.is_open


def test_the_answer_to_a_key_goes_at_once_behind_one_repaint_at_most(flow: Flow) -> None:
    flow.send()
    flow.press()
    assert flow.is_open
    flow.send()
    assert not flow.is_open
    flow.press()
    assert not flow.is_open  # it would be behind two
    flow.answer()
    assert flow.is_open


def test_a_key_lets_no_more_than_one_repaint_go_early(flow: Flow) -> None:
    flow.press()
    flow.send()
    assert not flow.is_open


def test_an_answer_that_was_lost_is_waited_for_no_longer_than_patience(
    flow: Flow, clock: Pacing
) -> None:
    flow.send()
    clock.now += PATIENCE - 1
    assert not flow.is_open
    clock.now += 1
    assert flow.is_open
    flow.send()
    assert not flow.is_open


def test_it_tells_when_the_oldest_repaint_went_that_is_not_shown(flow: Flow, clock: Pacing) -> None:
    assert flow.since is None
    first = clock.now
    flow.send()
    clock.now += 1
    flow.press()
    flow.send()
    assert flow.since == first
    flow.answer()
    assert flow.since == first + 1


@pytest.mark.parametrize(
    ("took", "gathering"), [(0.0, 0.0), (0.04, 0.0), (0.05, 0.005), (0.3, 0.03), (9.0, 0.05)]
)
def test_what_is_to_be_sent_far_away_is_gathered_for_a_moment(
    took: float, gathering: float, flow: Flow, clock: Pacing
) -> None:
    clock.now = 0.0
    flow.send()
    clock.now += took
    flow.answer()
    assert flow.gathering == pytest.approx(gathering)
    flow.end(0)
    assert flow.gathering == 0


def test_an_answer_that_nobody_asked_for_changes_nothing(flow: Flow) -> None:
    flow.answer()
    flow.send()
    assert not flow.is_open


def test_the_end_waits_for_answers_and_asks_no_more(flow: Flow) -> None:
    flow.send()
    answering = threading.Thread(target=flow.answer)
    answering.start()
    flow.end(patience=90)  # or else the test takes as long
    answering.join()
    assert flow.since is None
    assert flow.send() == ""
    assert flow.is_open


@pytest.mark.parametrize("seed", range(20))
def test_a_link_never_holds_more_than_one_repaint_before_the_answer_to_the_newest_key(
    seed: int, flow: Flow
) -> None:
    """Keys, repaints and answers come in any order, as on a link of any length."""
    chance = random.Random(seed)
    link: deque[str] = deque()
    for _ in range(2_000):
        match chance.choice(["key", "repaint", "repaint", "shown"]):
            case "key":
                flow.press()
            case "repaint" if flow.is_open:
                assert len(link) <= 1
                link.append(flow.send())
            case "shown" if link:
                assert link.popleft() == QUESTION
                flow.answer()
