"""Lines of charts as fewer points, and what is put on them."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

_HEAD_DOTS = 4.0
_HALFWAY_DOTS = 40.0
"""Least lengths of a line, in dots of braille, for a head at its end, and for one halfway."""


def decimate(
    x: Sequence[float], y: Sequence[float], columns: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A curve `(n_points,)` in at most two points a column, each the mean of a bucket.

    Buckets hold a power of two of points, counted from the first, so that a growing curve
    keeps the points it had. Means leave out what is not finite; a bucket of nothing else is
    a gap.
    """
    size = 1
    while math.ceil(len(x) / size) > 2 * max(columns, 1):
        size *= 2
    if size == 1:
        return tuple(x), tuple(y)
    starts = range(0, len(x), size)
    return (
        tuple(_mean(x[start : start + size]) for start in starts),
        tuple(_mean(y[start : start + size]) for start in starts),
    )


Vertex = tuple[float, float, bool]
"""A point of a line, as (x, y, joined to the one before)."""


def straighten(points: Iterable[Vertex], tolerance: float) -> list[Vertex]:
    """The points that a line needs: the others lie within ``tolerance`` above or below it.

    Points are left out only where x increases. They are chosen from the first on, so that a growing
    line keeps those it had, but for the last.
    """
    kept: list[Vertex] = []
    waiting: Vertex | None = None
    flattest, steepest = -math.inf, math.inf
    for point in points:
        x, y, joined = point
        if waiting is not None:
            # From the last point kept, a straight line to this one passes all of those between.
            across, up = x - kept[-1][0], y - kept[-1][1]
            passes = flattest * across <= up <= steepest * across
            if not (joined and x > waiting[0] and passes):
                kept.append(waiting)
                waiting, flattest, steepest = None, -math.inf, math.inf
        if not (joined and kept and x > kept[-1][0]):
            kept.append(point)
            continue
        across, up = x - kept[-1][0], y - kept[-1][1]
        flattest = max(flattest, (up - tolerance) / across)
        steepest = min(steepest, (up + tolerance) / across)
        waiting = point
    return [*kept, waiting] if waiting else kept


def heads(points: Sequence[Vertex], size: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Return where arrow heads belong on a line, as (x, y, angle): at its end and halfway.

    Angles are in eighths of a turn from the right, against the clock, as seen on a canvas of
    ``size`` dots. A short line has one head, and a very short one none.
    """
    lengths = [0.0]
    for (x, y, _), (to_x, to_y, joined) in pairwise(points):
        length = math.hypot((to_x - x) * size[0], (to_y - y) * size[1])
        lengths.append(lengths[-1] + (length if joined else 0.0))

    def at(length: float) -> tuple[float, float]:
        place = max(1, min(bisect_left(lengths, length), len(lengths) - 1))
        (x, y, _), (to_x, to_y, _) = points[place - 1 : place + 1]
        share = (length - lengths[place - 1]) / ((lengths[place] - lengths[place - 1]) or 1.0)
        return x + share * (to_x - x), y + share * (to_y - y)

    whole = lengths[-1]
    found = []
    for length in (whole, whole / 2)[: (whole >= _HEAD_DOTS) + (whole >= _HALFWAY_DOTS)]:
        (from_x, from_y), (x, y) = at(length - _HEAD_DOTS), at(length)
        turn = math.atan2((y - from_y) * size[1], (x - from_x) * size[0])
        found.append((x, y, turn / (math.pi / 4) % 8))
    return found


def crossings(points: Sequence[Vertex], places: Iterable[float]) -> list[tuple[float, float]]:
    """Return the points of a line, of which x increases, at some of the ``places``."""
    xs = [x for x, _, _ in points]
    found = []
    for at in places:
        place = bisect_left(xs, at)
        if 0 < place < len(points) and points[place][2]:
            (x, y, _), (to_x, to_y, _) = points[place - 1 : place + 1]
            found.append((at, y + (to_y - y) * (at - x) / ((to_x - x) or 1.0)))
    return found


def _mean(values: Sequence[float]) -> float:
    total = sum(values)
    if math.isfinite(total):
        return total / len(values)
    shown = [value for value in values if math.isfinite(value)]
    return math.fsum(value / len(shown) for value in shown) if shown else math.nan
