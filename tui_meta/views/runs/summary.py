"""A run of a list in words."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

from core.storage.run_index import RunSummary
from tui_meta.views.numbers import interval, whole

SortKey = Literal["age", "name", "state", "iteration", "validation"]

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


def validation_words(entry: RunSummary) -> str:
    """Return mean and 95 % interval of the best validation: ``0.0512 ± 0.0041``."""
    return interval(entry.best.mean, entry.best.margin) if entry.best else "-"


def best_words(entry: RunSummary) -> str:
    """Return the best validation with its iteration: ``0.0512 ± 0.0041 at 43,000``."""
    return f"{validation_words(entry)} at {whole(entry.best.iteration)}" if entry.best else "-"


def age(entry: RunSummary, now: float) -> float | None:
    """Return the seconds from the last event to ``now``; None if unknown."""
    if entry.last_event is None or not now - _OLDEST < entry.last_event:
        return None
    return max(0.0, now - entry.last_event)


def brief_age(entry: RunSummary, now: float) -> str:
    """Return the age of the last event in one unit, which changes as rarely as that allows."""
    seconds = age(entry, now)
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds // 10:.0f}0 s" if seconds >= 10 else "now"
    for size, unit in ((86_400, "d"), (3_600, "h")):
        if seconds >= size:
            return f"{whole(int(seconds // size))} {unit}"
    return f"{seconds // 60:.0f} min"


def last_event_words(entry: RunSummary, now: float) -> str:
    """Return how long ago the last event was: ``now``, ``2 min ago``."""
    words = brief_age(entry, now)
    return words if words in ("now", "-") else f"{words} ago"


def in_sort_order(entries: Sequence[RunSummary], sort: SortKey) -> list[RunSummary]:
    """Sort: newest, furthest or best first, else by name; damaged runs last.

    All runs in training are equally new: their order does not change while one waits for them.
    """
    keys: dict[SortKey, Callable[[RunSummary], Any]] = {
        "age": lambda entry: -math.inf if entry.trained_by else -(entry.last_event or 0.0),
        "name": lambda entry: 0,
        "state": lambda entry: entry.state,
        "iteration": lambda entry: -(entry.iteration or 0),
        "validation": lambda entry: math.inf if entry.best is None else entry.best.mean,
    }
    key = keys[sort]
    return sorted(entries, key=lambda entry: (entry.state == "damaged", key(entry), entry.name))
