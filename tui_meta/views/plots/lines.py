"""Lines of charts as fewer points, or cut into dashes."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle


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


def dashed(
    points: Iterable[Vertex], pattern: Sequence[float], size: tuple[float, float]
) -> list[Vertex]:
    """Cut a line into dashes: the lengths in ``pattern`` are drawn and left out by turns.

    Lengths are measured along the line, from its first point and from each gap on, in dots, of
    which ``size`` are in the width and the height of the axes.
    """
    kept: list[Vertex] = []
    turns: Iterator[float] = iter(())
    left, drawn = 0.0, False
    last = (0.0, 0.0)
    for x, y, joined in points:
        if not joined:
            turns = cycle(pattern)
            left, drawn = next(turns), True
        else:
            across, up = x - last[0], y - last[1]
            length = math.hypot(across * size[0], up * size[1])
            done = 0.0
            while length - done > left:
                done += left
                share = done / length
                kept.append((last[0] + share * across, last[1] + share * up, drawn))
                left, drawn = next(turns), not drawn
            left -= length - done
        if drawn:
            kept.append((x, y, joined))
        last = (x, y)
    return kept


def _mean(values: Sequence[float]) -> float:
    total = sum(values)
    if math.isfinite(total):
        return total / len(values)
    shown = [value for value in values if math.isfinite(value)]
    return math.fsum(value / len(shown) for value in shown) if shown else math.nan
