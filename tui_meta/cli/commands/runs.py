"""``tui-meta runs``: a line for each run in a folder."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.storage.run_index import RunSummary, list_runs
from tui_meta.cli.tables import print_table
from tui_meta.console import Exit, Output
from tui_meta.views.runs.summary import (
    SortKey,
    age,
    age_words,
    best_words,
    in_order,
    progress_words,
    state_words,
)
from tui_meta.views.text import printable

NAME, ALGORITHM, STATE, ITERATION, BEST, AGE = range(6)
"""Columns of the table. A narrow one leaves the algorithm out first, since names begin with it."""


def runs(folder: Path, *, sort: SortKey, as_json: bool) -> int:
    """List the runs in ``folder``."""
    entries = in_order(list_runs(folder), sort)
    now = time.time()
    if as_json:
        for entry in entries:
            sys.stdout.write(json.dumps(msgspec.to_builtins(entry)) + "\n")
    elif sys.stdout.isatty():
        _show(Output(), folder, entries, now)
    else:
        for entry in entries:
            sys.stdout.write("\t".join(map(printable, fields(entry, now))) + "\n")
    return Exit.DONE


def fields(entry: RunSummary, now: float) -> list[str]:
    """Return the fields of a run for scripts; unknown ones are empty.

    Name, algorithm, state, iteration, target, best validation loss, its iteration, age in seconds,
    and the training process or the problem.
    """
    seconds = age(entry, now)
    values = (
        entry.name,
        entry.algorithm,
        entry.state,
        entry.iteration,
        entry.target,
        entry.best.mean if entry.best else None,
        entry.best.iteration if entry.best else None,
        None if seconds is None else round(seconds),
        entry.trained_by or entry.problem,
    )
    return ["" if value is None else str(value) for value in values]


def _show(output: Output, folder: Path, entries: Sequence[RunSummary], now: float) -> None:
    sound = [entry for entry in entries if entry.problem is None]
    if sound:
        columns = ["name", "algorithm", "state", "iteration", "best", "age"]
        rows = [
            [
                entry.name,
                entry.algorithm or "",
                state_words(entry),
                progress_words(entry),
                best_words(entry),
                age_words(entry, now),
            ]
            for entry in sound
        ]
        print_table(
            output,
            columns,
            rows,
            numbers=(ITERATION, BEST, AGE),
            names=(NAME,),
            optional=(ALGORITHM, AGE, BEST),
        )
    for entry in entries:
        if entry.problem is not None:
            output.print_line(f"damaged: {entry.problem}", "red")
    if not entries:
        output.print_line(f"{folder}: no runs in this folder")
