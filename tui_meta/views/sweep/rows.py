"""The tables of the screen: the groups of a sweep, and the runs of a group."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tui_meta.views.numbers import duration, interval, loss, seeds_mean, whole
from tui_meta.views.sweep.settings import order_of
from tui_meta.views.sweep.status import SweepGroup, SweepRun, SweepStatus
from tui_meta.views.sweep.table import Column, Listing, Row
from tui_meta.views.sweep.words import difference_words, group_diverged_tasks, setting_words
from tui_meta.views.tabular import Rows

_GROUP = Column("group", is_left=True)
_NUMBERS = (
    Column("done"),
    Column("validation"),
    Column("more than the best", rank=3),
    Column("others", is_left=True, rank=2),
)
"""What a group has besides its settings."""

_RUN = (
    Column("seed"),
    Column("state", is_left=True),
    Column("iteration", rank=1),
    Column("validation"),
    Column("training loss", rank=2),
    Column("time", rank=3),
    Column("problem", is_left=True, rank=4),
)

_STYLES = {"training": "green", "diverged": "red", "failed": "red", "waiting": "dim"}

_COUNTED = ("diverged", "failed", "stopped", "paused", "training", "loading")
"""States that are counted beside those that are done; the rest is waiting."""


def group_listing(sweep: SweepStatus) -> Listing:
    """Return a row for each group, the best first; its settings are columns."""
    settings = sweep.settings
    named = [Column(one.title, is_left=not one.is_numeric, rank=1) for one in settings]
    columns = [*(named or [_GROUP]), *_NUMBERS]
    rows = [_group_row(one, sweep) for one in sweep.groups]
    return Listing(columns, rows, sort=len(columns) - len(_NUMBERS) + 1)


def _group_row(group: SweepGroup, sweep: SweepStatus) -> Row:
    values = [group.values.get(one.name) for one in sweep.settings]
    summary, done = group.summary, group.states["finished"]
    difference = summary.difference.interval.mean if summary.difference else 0.0
    tasks = group_diverged_tasks(summary)
    others = ", ".join(filter(None, [state_words(group.states), tasks]))
    first = [*map(setting_words, values)] if sweep.settings else [group.name]
    numbers = [f"{done}/{summary.planned}", seeds_mean(summary.validation)]
    troubled = group.states["diverged"] + group.states["failed"]
    return Row(
        group.name,
        [*first, *numbers, difference_words(summary), others],
        [
            *([order_of(one) for one in values] if sweep.settings else [0]),
            -done,
            _low_first(group.mean),
            difference if group.mean is not None else math.inf,
            (-troubled, others),
        ],
        " ".join([group.name, *first, others]).casefold(),
        marked=group is sweep.best,
        styles={len(first) + 3: "red" if troubled or tasks else "green"},
    )


def run_listing(group: SweepGroup) -> Listing:
    """Return a row for each run of a group, by seed."""
    return Listing(_RUN, [_run_row(one) for one in group.runs])


def _run_row(run: SweepRun) -> Row:
    one = run.validation
    return Row(
        run.name,
        [
            str(run.seed),
            run.state,
            "" if run.iteration is None else whole(run.iteration),
            interval(one.mean, one.margin) if one else "-",
            "" if run.training_loss is None else loss(run.training_loss),
            "" if run.seconds is None else duration(run.seconds),
            run.problem,
        ],
        [
            run.seed,
            run.state,
            -(run.iteration or 0),
            _low_first(one.mean if one else None),
            _low_first(run.training_loss),
            _low_first(run.seconds),
            (not run.problem, run.problem),
        ],
        f"{run.name} {run.state} {run.problem}".casefold(),
        styles={1: _STYLES.get(run.state, ""), 6: "red"},
    )


def state_words(states: dict[str, int]) -> str:
    """Return how many runs are not done, by state, without those that wait."""
    return ", ".join(f"{whole(states[one])} {one}" for one in _COUNTED if states[one])


def copied_groups(sweep: SweepStatus, groups: Sequence[str]) -> Rows:
    """Yield a header and a row for each of these groups, with all settings and numbers."""
    names = list(dict.fromkeys(name for one in sweep.groups for name in one.values))
    numbers = ("planned", "finished", "diverged", "failed", "validation", "low", "high")
    yield ["group", *names, *numbers, "more than the best", "low", "high", "level"]
    for one in (sweep.by_name[name] for name in groups):
        mean, more = one.summary.validation, one.summary.difference
        yield [
            one.name,
            *(setting_words(one.values.get(name)) for name in names),
            one.summary.planned,
            *(one.states[state] for state in ("finished", "diverged", "failed")),
            *((mean.mean, _known(mean.low), _known(mean.high)) if mean else (None,) * 3),
            *(
                (more.interval.mean, more.interval.low, more.interval.high, more.interval.level)
                if more
                else (None,) * 4
            ),
        ]


def copied_runs(group: SweepGroup) -> Rows:
    """Yield a header and a row for each run of a group."""
    yield (
        *("run", "seed", "state", "iteration", "validation", "low", "high"),
        *("training loss", "seconds", "problem", "network"),
    )
    for run in group.runs:
        one = run.validation
        yield [
            *(run.name, run.seed, run.state, run.iteration),
            *((one.mean, one.low, one.high) if one else (None,) * 3),
            *(run.training_loss, run.seconds, run.problem, run.network),
        ]


def _low_first(value: float | None) -> tuple[bool, float]:
    return (True, 0.0) if value is None or not math.isfinite(value) else (False, value)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
