"""How long a sweep still takes, from what its runs have taken."""

from collections.abc import Iterable, Mapping, Sequence

from core.experiments.results import RunResult
from core.experiments.specification import PlannedRun

_NEWEST = 200
"""Results that say how many runs are trained at once."""

_PATIENCE_SECONDS = 60.0
"""A sweep without a new result for so long, and twice its longest run, is not being trained."""


def is_trained(results: Mapping[str, RunResult], now: float) -> bool:
    """Return True if results have come lately, so that others may be expected."""
    newest = _newest(results)
    if not newest:
        return False
    longest = max(one.spent.seconds for one in newest)
    return abs(now - newest[-1].time) <= 2 * longest + _PATIENCE_SECONDS


def at_once(results: Mapping[str, RunResult]) -> float | None:
    """Return how many runs were trained at once of late, on average; None without results."""
    busy = covered = end = 0.0
    for one in _newest(results):
        begin = one.time - one.spent.seconds
        busy += one.spent.seconds
        covered += max(0.0, one.time - max(begin, end))
        end = max(end, one.time)
    return max(1.0, busy / covered) if covered > 0 else None


def work_left(runs: Iterable[PlannedRun], results: Mapping[str, RunResult]) -> float | None:
    """Return the seconds of training of the runs without a result; None without any result.

    A run takes as long as those of its group have, or as all have.
    """
    of_group: dict[str, list[float]] = {}
    for one in results.values():
        if one.state == "finished":
            of_group.setdefault(one.group, []).append(one.spent.seconds)
    taken = [seconds for group in of_group.values() for seconds in group]
    if not taken:
        return None
    waiting = [run.group for run in runs if run.digest not in results]
    means = {group: _mean(seconds) for group, seconds in of_group.items()}
    usual = _mean(taken)
    return sum(means.get(group, usual) for group in waiting)


def _newest(results: Mapping[str, RunResult]) -> Sequence[RunResult]:
    """Return the results that came last, in the order in which their runs began."""
    ended = sorted(results.values(), key=lambda one: one.time)[-_NEWEST:]
    return sorted(ended, key=lambda one: one.time - one.spent.seconds)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
