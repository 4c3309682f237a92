"""A run of a list in words."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from core.storage.run_index import RunSummary
from tui_meta.views.numbers import duration, interval, loss, whole

SortKey = Literal["age", "name", "state", "iteration", "best"]

_OLDEST = 100 * 365 * 86_400
"""Seconds; a greater age means a wrong clock."""


def state_words(entry: RunSummary) -> str:
    """Return the state, with the training process if there is one."""
    return f"{entry.state} by {entry.trained_by}" if entry.trained_by else entry.state


def progress_words(entry: RunSummary) -> str:
    """Return the progress: ``1,200 / 50,000``."""
    if entry.iteration is None or entry.target is None:
        return "-"
    return f"{whole(entry.iteration)} / {whole(entry.target)}"


def best_words(entry: RunSummary, *, margin: bool = False) -> str:
    """Return the best validation: ``0.0123 at 43,000``, or with its ``margin``, after a ``±``."""
    if entry.best is None:
        return "-"
    mean = entry.best.mean
    best = interval(mean, entry.best.margin) if margin else loss(mean)
    return f"{best} at {whole(entry.best.iteration)}"


def age(entry: RunSummary, now: float) -> float | None:
    """Return the seconds from the last event to ``now``; None if unknown."""
    if entry.last_event is None or not now - _OLDEST < entry.last_event:
        return None
    return max(0.0, now - entry.last_event)


def age_words(entry: RunSummary, now: float) -> str:
    """Return the age of the last event."""
    seconds = age(entry, now)
    return "-" if seconds is None else duration(seconds)


def in_order(entries: Sequence[RunSummary], sort: SortKey) -> list[RunSummary]:
    """Sort: newest, furthest or best first, else by name; damaged runs last."""
    keys: dict[SortKey, Callable[[RunSummary], Any]] = {
        "age": lambda entry: -(entry.last_event or 0.0),
        "name": lambda entry: 0,
        "state": lambda entry: entry.state,
        "iteration": lambda entry: -(entry.iteration or 0),
        "best": lambda entry: math.inf if entry.best is None else entry.best.mean,
    }
    key = keys[sort]
    return sorted(entries, key=lambda entry: (entry.state == "damaged", key(entry), entry.name))
