"""Groups of runs with different seeds on the Watch screen: their lines and their curves."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from core.evaluation.seed_interval import SeedInterval
from core.events import Curve, RunState, Validated
from tui_meta.views import numbers
from tui_meta.views.event_history import EventHistory
from tui_meta.views.run_groups import RunGroup
from tui_meta.views.run_status import LARGEST_BAR, LEAST_BAR, RunStatus, remaining, sample
from tui_meta.views.text import Line, Span, cells, first_that_fits, fit, line

SEED_BAND = "mean over seeds ± its 95 % interval over seeds"
"""The caption of curves of groups."""

OVER_SEEDS = " over seeds"
"""What the band of a group is, beside that of a run, which is over tasks."""

_COUNTED: Mapping[RunState, str] = {
    "diverged": "bold red",
    "failed": "bold red",
    "stopped": "dim",
    "paused": "bold yellow",
    "training": "green",
    "loading": "dim",
}
"""States of runs that are counted, in this order, behind those that are done."""

_SEED_CELLS = 29
"""Of an interval over seeds, in words."""

_BRIEFLY = ("diverged", "failed")
"""Those that are counted where the width is short."""


class GroupStatus(RunStatus, frozen=True):
    """A group as a line and as a curve; its snapshot is that of the run which is furthest.

    ``index`` is its place among the groups. It has a trouble if all of its runs have.
    """

    members: Sequence[RunStatus] = ()


class SeedCurve(NamedTuple):
    """The validation loss of a group: its interval over seeds at some iterations."""

    iterations: Sequence[int] = ()
    points: Sequence[SeedInterval] = ()

    @property
    def newest(self) -> SeedInterval | None:
        """The last point, if there is one."""
        return self.points[-1] if self.points else None


class SeedCurves:
    """The curves of groups; one is computed only when one of its runs has a new validation."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, SeedCurve]] = {}

    def of(self, group: GroupStatus, history: EventHistory) -> SeedCurve:
        """Return the mean at each validation that two seeds have, or the only one of a group."""
        newest = [
            (one.snapshot.state == "training", _newest(history, one)) for one in group.members
        ]
        before, curve = self._known.get(group.title, (None, SeedCurve()))
        if newest != before:
            curve = seed_curve(group, history)
            self._known[group.title] = newest, curve
        return curve


def group_status(group: RunGroup, index: int, statuses: Sequence[RunStatus]) -> GroupStatus:
    """Return the status of a group."""
    members = [statuses[place] for place in group.members]
    furthest = max(members, key=lambda one: (one.trouble is None, one.snapshot.iteration))
    return GroupStatus(group.label, index, furthest.snapshot, "", furthest.trouble, members=members)


def group_row(
    group: GroupStatus,
    validation: SeedInterval | None,
    width: int,
    name_cells: int,
    *,
    chosen: bool,
    marked: bool,
) -> Line:
    """The group in one line: seeds by state, progress, and the mean over seeds.

    Without a curve it is not ``marked``. Where the width is short, the least important parts give
    way.
    """
    style = "bold reverse" if chosen else ""
    look = sample(group.index) if marked else Span("  ")
    name = line(look, " ", Span(f"{group.title:<{name_cells}}", style), "  ")
    # Those in trouble never reach their target; where all are, that is what is shown.
    sound = [one.snapshot for one in group.members if not one.trouble or group.trouble]
    at, target = sum(one.iteration for one in sound), sum(one.target for one in sound)
    percent = Span(f"{numbers.percent(at, target):>4}", "bold")
    text = numbers.seeds_mean(validation)
    seeds = f" over {validation.n} seeds" if validation and validation.n > 1 else ""
    value = Span(text, "bold"), Span(f"{seeds:<{_SEED_CELLS - len(text)}}", "dim")
    short = line(percent, "  ", Span(f"{text:<15}", "bold"))
    named = line(percent, Span("  validation  ", "dim"), *value)
    ends = [left for left in map(remaining, sound) if left is not None]
    left = f"  {numbers.duration(max(ends)) + ' left' if ends else '':<9}"
    heads = line(*name, *_counts(group)), line(*name, *_counts(group, _BRIEFLY))
    tails = line(*named, left), named, line(percent, "  ", *value), short
    for tail, head in product(tails, heads):
        room = width - cells(head) - cells(tail) - 4
        if room >= LEAST_BAR:
            bar = numbers.bar(at, target, min(room, LARGEST_BAR))
            pieces = zip(bar, (look.style, "dim"), strict=True)
            return fit(line(*head, "  ", *(Span(*piece) for piece in pieces), "  ", *tail), width)
    shorter = line(*heads[1], "  ", *tails[2]), line(*heads[1], "  ", *short), line(*name, *short)
    return fit(first_that_fits(shorter, width), width)


def mean_curve(group: GroupStatus) -> Curve:
    """Return the mean training loss over the seeds, of those that have come so far."""
    import numpy as np  # late: not before the first frame

    members = [one.snapshot.curve for one in group.members if not one.trouble]
    members = [one for one in members if one.iterations]
    if not members:
        return Curve()
    at = max((one.iterations for one in members), key=lambda iterations: iterations[-1])
    total, count = np.zeros(len(at)), np.zeros(len(at))
    for one in members:
        reached = bisect_right(at, one.iterations[-1])
        # Runs of a group are logged at the same iterations, as a rule.
        is_alike = one.iterations == at[:reached]
        losses = one.losses if is_alike else np.interp(at[:reached], one.iterations, one.losses)
        total[:reached] += losses
        count[:reached] += 1
    return Curve(at, tuple((total / count).tolist()))


def _counts(group: GroupStatus, states: Sequence[str] = tuple(_COUNTED)) -> Line:
    """Return how many seeds are done, and how many are in some other ``states``."""
    of = Counter(one.snapshot.state for one in group.members)
    total = len(group.members)
    done = Span(f"{of['finished']:>{len(str(total))}} of {total} done")
    others = [
        Span(f", {of[state]} {state}", style)
        for state, style in _COUNTED.items()
        if of[state] and state in states
    ]
    return line(done, *others)


def _newest(history: EventHistory, run: RunStatus) -> Validated | None:
    validations = history.validations[run.snapshot.run]
    return validations[-1] if validations else None


def seed_curve(group: GroupStatus, history: EventHistory) -> SeedCurve:
    """Return the mean over seeds at each validation that two seeds have, or the only one has."""
    values: dict[int, list[float]] = {}
    for one in group.members:
        for validated in history.validations[one.snapshot.run]:
            mean = validated.mean[-1]
            if mean is not None:
                values.setdefault(validated.iteration, []).append(mean)
    least = min(2, max(map(len, values.values()), default=0))
    iterations = [at for at in sorted(values) if len(values[at]) >= least]
    # The end waits for seeds that are about to reach it: with two of five, the interval is wide.
    waited_for = {
        newest.iteration
        for one in group.members
        if one.snapshot.state == "training" and (newest := _newest(history, one))
    }
    while len(iterations) > 1 and iterations[-2] in waited_for:
        iterations.pop()
    return SeedCurve(iterations, [SeedInterval.of(values[at]) for at in iterations])
