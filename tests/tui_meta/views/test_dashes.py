"""Dashes have fixed places between the axes, and leave nothing out that a reader needs."""

import math
import random

import pytest

from tui_meta.views.plots.dashes import dashed
from tui_meta.views.plots.lines import Vertex

SIZE = (21, 41)
"""Dots: 20 from the first to the last of the width, 40 in the height."""

PATTERN = (3, 2)


def joined_up(*points: tuple[float, float]) -> list[Vertex]:
    return [(x, y, place > 0) for place, (x, y) in enumerate(points)]


def dots(points: list[Vertex], pattern: tuple[int, ...] = PATTERN) -> list[tuple[float, float]]:
    """Return the ends of the dashes in dots, a pair of equal ones where a dash is one dot."""
    drawn = dashed(points, pattern, SIZE)
    return [(round(20 * x, 6), round(40 * y, 6)) for x, y, _ in drawn]


def test_the_dashes_of_a_flat_line_have_their_columns_wherever_it_begins_and_ends() -> None:
    ends = [0, 2, 5, 7, 10, 12, 15, 17, 20]
    assert dots(joined_up((0.0, 0.5), (1.0, 0.5))) == [(x, 20) for x in ends]
    assert dots(joined_up((0.3, 0.5), (1.0, 0.5))) == [(6, 20), *((x, 20) for x in ends[3:])]
    backwards = dots(joined_up((1.0, 0.25), (0.3, 0.5)))
    assert [x for x, _ in backwards] == [20, 17, 15, 12, 10, 7, 6]


def test_the_dashes_of_a_steep_line_have_their_rows() -> None:
    falling, moved = (dots(joined_up((x, 1.0), (x + 0.1, 0.7))) for x in (0.2, 0.25))
    assert [y for _, y in falling] == [y for _, y in moved] == [40, 37, 35, 32, 30]


def test_a_dash_goes_on_where_a_line_bends() -> None:
    drawn = dashed(joined_up((0.0, 0.5), (0.05, 0.5), (0.1, 0.55), (0.5, 0.55)), PATTERN, SIZE)
    assert [(round(20 * x), joined) for x, _, joined in drawn] == [
        (0, False),
        (1, True),
        (2, True),
        (5, False),
        (7, True),
        (10, False),
    ]


def test_a_dash_of_one_dot_is_one_point() -> None:
    assert dots(joined_up((0.0, 0.5), (0.5, 0.5)), (1, 3)) == [(0, 20), (4, 20), (8, 20)]


@pytest.mark.parametrize("angle", range(0, 360, 15))
def test_a_line_shorter_than_its_pattern_is_drawn_whole(angle: int) -> None:
    turn = math.radians(angle)
    to = 0.5 + 0.1 * math.cos(turn), 0.5 + 0.1 * math.sin(turn)
    line = [*joined_up((0.0, 0.0), (1.0, 0.0)), *joined_up((0.5, 0.5), to)]
    assert dashed(line, (10, 10), SIZE)[-2:] == line[-2:]


def test_a_noisy_line_does_not_vanish_between_two_rows_of_dashes() -> None:
    noise = random.Random(0)
    line = joined_up(*((x / 100, (3.5 + noise.uniform(-0.3, 0.3)) / 40) for x in range(101)))
    columns = {round(20 * x) for x, _, _ in dashed(line, PATTERN, SIZE)}
    assert columns == {x for x in range(21) if x % 5 < 3}
