"""``tui-meta show``: one run, from its settings to its curve."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from core.events import AnyEvent, Diverged, Evaluated, Failed
from core.storage.run_folder import RunRecord
from core.storage.run_index import (
    CheckpointFile,
    RunSummary,
    checkpoint_files,
    describe_run,
    history,
)
from tui_meta.cli.commands.tables import print_chart
from tui_meta.console import Exit, Output
from tui_meta.views.numbers import loss, whole
from tui_meta.views.runs.curves import loss_plot
from tui_meta.views.runs.settings_table import (
    DEFAULT_SAVING,
    default_config,
    dotted,
    recorded_config,
    saving_of,
    typed,
)
from tui_meta.views.runs.summary import age_words, best_words, progress_words, state_words
from tui_meta.views.text import printable

SHOWN_EVALUATIONS = 10


def show(path: Path) -> int:
    """Show the run of the folder ``path``, or of a checkpoint in it."""
    folder = path.parent if path.is_file() else path
    entry, record = describe_run(folder)
    config = recorded_config(folder, record)
    events = list(history(folder))
    evaluations = [event for event in events if isinstance(event, Evaluated)]
    output = Output()
    _show_standing(output, entry, config.algorithm.title, events)
    settings = dotted(config) | saving_of(record)
    _show_settings(output, settings, dotted(default_config(config)) | DEFAULT_SAVING)
    _show_provenance(output, record)
    _show_checkpoints(output, checkpoint_files(folder))
    _show_evaluations(output, evaluations)
    output.tell("Loss", "bold")
    output.tell("")
    print_chart(output, loss_plot(events))
    return Exit.DONE


def _show_standing(
    output: Output, entry: RunSummary, title: str, events: Sequence[AnyEvent]
) -> None:
    output.tell(f"{entry.name}: {entry.path}", "bold")
    output.tell(f"  {title}, {state_words(entry)}, iteration {progress_words(entry)}")
    if entry.best is not None:
        output.tell(f"  best evaluation {best_words(entry)}")
    if entry.last_event is not None:
        output.tell(f"  last event {age_words(entry, time.time())} ago")
    troubles = [event for event in events if isinstance(event, Diverged | Failed)]
    if troubles and entry.state in ("diverged", "failed"):
        output.tell(f"  {troubles[-1].problem}", "red")
    output.tell("")


def _show_settings(
    output: Output, settings: Mapping[str, str], defaults: Mapping[str, str]
) -> None:
    changed = {name: value for name, value in settings.items() if value != defaults.get(name)}
    if not changed:
        output.tell("All settings are the defaults", "bold")
        output.tell("")
        return
    output.tell("Settings that differ from the defaults", "bold")
    table = _table("setting", "value", "default")
    for name, value in changed.items():
        _add(table, name, value, defaults.get(name, "-"))
    output.print(table)


def _show_provenance(output: Output, record: RunRecord) -> None:
    output.tell("Where it comes from", "bold")
    versions = ", ".join(f"{package} {number}" for package, number in record.versions.items())
    facts = {
        "started": record.started,
        "host": record.host,
        "processor": record.processor,
        "engine": f"{record.engine} on {record.device}",
        "versions": f"{versions}, python {record.python}",
        **({"git commit": record.commit} if record.commit else {}),
        "command line": typed(record.command_line),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        _add(table, f"  {name}", value)
    output.print(table)
    output.tell("")


def _show_checkpoints(output: Output, files: Sequence[CheckpointFile]) -> None:
    if not files:
        output.tell("No checkpoint yet", "bold")
        output.tell("")
        return
    output.tell("Checkpoints", "bold")
    table = _table("file", "kind", "size")
    table.columns[2].justify = "right"
    for file in files:
        _add(table, file.path.name, file.description, decimal(file.size))
    output.print(table)


def _show_evaluations(output: Output, evaluations: Sequence[Evaluated]) -> None:
    if not evaluations:
        output.tell("No evaluation yet", "bold")
        output.tell("")
        return
    shown = evaluations[-SHOWN_EVALUATIONS:]
    number = f"the last {len(shown)} of {whole(len(evaluations))}"
    all_of_them = len(shown) == len(evaluations)
    output.tell(f"Evaluations{'' if all_of_them else f', {number}'}", "bold")
    table = _table("iteration", "task", "updates", "before", "after")
    for column in (0, 2, 3, 4):
        table.columns[column].justify = "right"
    for one in shown:
        losses = one.losses
        _add(
            table,
            whole(one.iteration),
            one.probe,
            whole(len(losses) - 1),
            loss(losses[0]),
            loss(losses[-1]),
        )
    output.print(table)


def _table(*titles: str) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(printable(cell)) for cell in cells))
