"""Lines of charts, cut into dashes."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from tui_meta.views.plots.lines import Vertex

Pattern = tuple[int, ...]
"""How many dots are drawn and left out by turns."""


def dashed(points: Iterable[Vertex], pattern: Pattern, size: tuple[int, int]) -> list[Vertex]:
    """Cut a line into dashes at fixed places: those of what does not move stay where they are.

    Dots are counted from the left edge of the axes, or from the lower one in the steep parts of
    what rises or falls by a whole pattern at once; a noisy line is steep everywhere, and might
    vanish between two rows of dashes. A line that is shorter than the pattern is drawn whole.
    ``size`` is the number of dots in the width and in the height of the axes.
    """
    kept: list[Vertex] = []
    columns, rows = (_ruler(axis, dots, pattern) for axis, dots in enumerate(size))
    period = sum(pattern)
    for piece in _pieces(points):
        if columns.extent(piece) < period and rows.extent(piece) < period:
            kept += piece
            continue
        for stretch in _one_way(piece):
            tall = rows.distance(stretch[0], stretch[-1]) >= period
            for start, end in pairwise(stretch):
                steep = tall and rows.distance(start, end) > columns.distance(start, end)
                _cut(start, end, rows if steep else columns, kept)
    return kept


class _Ruler(NamedTuple):
    """The places of the first and last dots of all dashes along an axis, x being axis 0."""

    axis: int
    length: int
    firsts: Sequence[int]
    lasts: Sequence[int]

    def extent(self, points: Iterable[Vertex]) -> float:
        """Return how many dots there are from one end of the points to the other."""
        places = [point[self.axis] for point in points]
        return (max(places) - min(places)) * self.length

    def distance(self, start: Vertex, end: Vertex) -> float:
        """Return how many dots there are between two points."""
        return abs(end[self.axis] - start[self.axis]) * self.length


@cache
def _ruler(axis: int, dots: int, pattern: Pattern) -> _Ruler:
    """Return the dashes on an axis and as far again on both sides, where lines may lead."""
    firsts, lasts = list[int](), list[int]()
    at = -(dots // sum(pattern) + 1) * sum(pattern)
    while at < 2 * dots:
        for drawn, left_out in zip(pattern[::2], pattern[1::2], strict=True):
            firsts.append(at)
            lasts.append(at + drawn - 1)
            at += drawn + left_out
    return _Ruler(axis, dots - 1, firsts, lasts)


def _pieces(points: Iterable[Vertex]) -> list[list[Vertex]]:
    """Return the pieces of a line between its gaps."""
    pieces: list[list[Vertex]] = []
    for point in points:
        if not (point[2] and pieces):
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _one_way(piece: Sequence[Vertex]) -> Iterator[Sequence[Vertex]]:
    """Yield the stretches of a line that only rise or only fall; neighbours share a point."""
    first, way = 0, 0.0
    for place, ((_, y, _), (_, to_y, _)) in enumerate(pairwise(piece)):
        if way * (to_y - y) < 0:
            yield piece[first : place + 1]
            first, way = place, 0.0
        way = way or to_y - y
    yield piece[first:]


def _cut(start: Vertex, end: Vertex, ruler: _Ruler, kept: list[Vertex]) -> None:
    """Append both ends of each dash on a straight line to those ``kept``."""
    begin, stop = start[ruler.axis] * ruler.length, end[ruler.axis] * ruler.length
    low, high = (begin, stop) if begin <= stop else (stop, begin)
    places = list[float]()
    for dash in range(bisect_left(ruler.lasts, low), bisect_right(ruler.firsts, high)):
        places += max(low, ruler.firsts[dash]), min(high, ruler.lasts[dash])
    if begin > stop:
        places.reverse()
    (x, y, _), (to_x, to_y, _) = start, end
    for number, place in enumerate(places):
        share = (place - begin) / ((stop - begin) or 1.0)
        at = x * (1 - share) + to_x * share, y * (1 - share) + to_y * share
        if not kept or kept[-1][:2] != at:
            kept.append((*at, number % 2 == 1))
