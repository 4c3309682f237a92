"""``tui-meta runs``: a line for each run in a folder."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.storage.run_index import RunSummary, list_runs
from tui_meta.cli.tables import print_table
from tui_meta.console import Exit
from tui_meta.output import Output
from tui_meta.views.printable import printable
from tui_meta.views.runs.settings_columns import WORDS, differing, in_order, settings_of
from tui_meta.views.runs.summary import (
    SortKey,
    age,
    brief_age,
    in_sort_order,
    progress_words,
    state_words,
    validation_words,
)

_COLUMNS = ("state", "iteration", "validation", "age")
"""Columns of the table after the name and the settings that differ."""


def runs(folder: Path, *, sort: SortKey, as_json: bool) -> int:
    """List the runs in ``folder``."""
    entries = in_sort_order(list_runs(folder), sort)
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
    the training process or the problem, and the ends of the best loss's 95 % interval.
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
        entry.best.low if entry.best else None,
        entry.best.high if entry.best else None,
    )
    return ["" if value is None else str(value) for value in values]


def _show(output: Output, folder: Path, entries: Sequence[RunSummary], now: float) -> None:
    sound = [entry for entry in entries if entry.problem is None]
    if sound:
        settings = [settings_of(entry) for entry in sound]
        ranked = differing(settings)
        names = in_order(ranked, settings)
        rows = [
            [
                entry.name,
                *(of.get(name, "") for name in names),
                state_words(entry),
                progress_words(entry),
                validation_words(entry),
                brief_age(entry, now),
            ]
            for entry, of in zip(sound, settings, strict=True)
        ]
        columns = ["name", *names, *_COLUMNS]
        least_telling = (*reversed(ranked), "age", "validation")
        print_table(
            output,
            columns,
            rows,
            numbers=[columns.index(name) for name in columns[1:] if name not in ("state", *WORDS)],
            names=(0,),
            optional=[columns.index(name) for name in least_telling],
        )
    for entry in entries:
        if entry.problem is not None:
            output.print_line(f"damaged: {entry.problem}", "red")
    if not entries:
        output.print_line(f"{folder}: no runs in this folder")
