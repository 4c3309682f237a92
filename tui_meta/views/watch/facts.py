"""Runs in numbers: the newest validation, what has been used and the main settings of each."""

import math
from collections.abc import Iterable, Iterator, Sequence

from core.events import Snapshot, Validated
from tui_meta.views.numbers import interval, loss, whole
from tui_meta.views.run_settings import main_settings
from tui_meta.views.run_status import RunStatus, sample
from tui_meta.views.text import Line, Span, clip, fit, line

QUANTILES = (0.1, 0.5, 0.9)
"""Of the losses of single tasks."""

_LABEL_CELLS = 20
_LEAST_CELLS, _MOST_CELLS = 7, 18
"""Of a run's column."""


def facts(statuses: Sequence[RunStatus]) -> dict[str, list[str]]:
    """Return what is known of each run, one value each; empty where a run has none."""
    columns = [_column(one) for one in statuses]
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: [column.get(name, "") for column in columns] for name in names}


def fact_rows(statuses: Sequence[RunStatus]) -> Iterator[Sequence[str]]:
    """Yield a header and the facts of all runs."""
    yield "", *(one.title for one in statuses)
    for name, values in facts(statuses).items():
        yield name, *values


def count_facts(statuses: Sequence[RunStatus]) -> int:
    """Return how many rows the facts take."""
    return 1 + len(facts(statuses))


def facts_title(statuses: Sequence[RunStatus], rows: int) -> str:
    """Return the title of the facts, with how many have no room."""
    hidden = count_facts(statuses) - rows
    return f"runs in numbers · {hidden} more" if hidden > 0 else "runs in numbers"


def fact_lines(statuses: Sequence[RunStatus], width: int, rows: int) -> tuple[Line, ...]:
    """Return the facts as a table with a column for each run; what has no room is at its end."""
    fair = (width - _LABEL_CELLS) // max(1, len(statuses))
    cells = max(_LEAST_CELLS, min(_MOST_CELLS, fair))
    head: list[Span | str] = [" " * _LABEL_CELLS]
    for one in statuses:
        name = clip(one.title, max(0, cells - 4))
        head += [" " * (cells - 3 - len(name)), sample(one.index), " ", Span(name, "bold")]
    table = [
        line(
            Span(f"{name:<{_LABEL_CELLS}}", "dim"),
            *(f"{_short(value, cells - 1):>{cells}}" for value in values),
        )
        for name, values in facts(statuses).items()
    ]
    return tuple(fit(one, width) for one in (tuple(line(*head)), *table)[:rows])


def _column(status: RunStatus) -> dict[str, str]:
    snapshot, validated = status.snapshot, status.validated
    spent = snapshot.spent
    return {
        **(_validation(validated) if validated else {}),
        "iterations used": whole(snapshot.iteration),
        "tasks used": whole(spent.tasks),
        "points used": whole(spent.points),
        "gradient evaluations": whole(spent.gradients),
        "seconds of training": f"{spent.seconds:,.1f}",
        **_settings(snapshot),
    }


def _settings(snapshot: Snapshot) -> dict[str, str]:
    """Return the main settings, the tasks of an iteration and the points of a task in one row."""
    settings = main_settings(snapshot)
    tasks, points = settings.pop("per iteration", ""), settings.pop("per task", "")
    return settings | ({"per iteration": f"{tasks.split()[0]} x {points}"} if points else {})


def _validation(validated: Validated) -> dict[str, str]:
    """Return the mean loss after each reported step, and what is known of single tasks."""
    found = {"validation at": whole(validated.iteration)}
    for steps, mean, high in zip(validated.steps, validated.mean, validated.high, strict=True):
        name = f"after {steps:,} step{'' if steps == 1 else 's'}"
        if mean is None or high is None:
            found[name] = "not finite"
        else:
            found[name] = interval(mean, high - mean)
    found |= _quantiles(validated.losses)
    return found | {"tasks diverged": whole(validated.diverged[-1])}


def _quantiles(losses: Iterable[float | None]) -> dict[str, str]:
    values = [math.inf if one is None else one for one in losses]
    if not values:
        return {}
    import numpy as np  # late: not before the first frame

    # A value of one of the tasks: between two of them one may not be finite.
    found = np.quantile(values, QUANTILES, method="inverted_cdf").tolist()
    return {
        f"{share:.0%} of tasks below": loss(value)
        for share, value in zip(QUANTILES, found, strict=True)
    }


def _short(value: str, cells: int) -> str:
    """Return ``value`` in at most ``cells``, without its margin if that has no room."""
    return value if len(value) <= cells else clip(value.partition(" ±")[0], cells)
