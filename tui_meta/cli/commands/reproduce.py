"""``tui-meta reproduce``: trains what publications trained, and prints their losses beside ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from core import validation
from core.errors import LabError
from core.evaluation_protocol import MOST_TASKS
from core.experiments.results import missing
from core.experiments.specification import MOST_RUNS, specification_of
from core.experiments.sweep import Sweep, ThreadExecutor
from core.experiments.sweep_folder import Shard, SweepFolder
from core.reproduction.measure import is_kept, measured
from core.reproduction.plan import Reproduction
from core.reproduction.protocols import chosen
from core.training.processors import usable_processors
from tui_meta.app.signals import FirstSignal, interrupt_at_once
from tui_meta.cli.background_stdio import background_stdio
from tui_meta.cli.commands.sweep import kept_in, stopped_by
from tui_meta.cli.documents import (
    latex_table,
    markdown_table,
    require_value,
    write_document,
)
from tui_meta.cli.experiments import print_runs, result_line
from tui_meta.cli.tables import print_json, print_table
from tui_meta.console import Exit, print_note
from tui_meta.output import Output
from tui_meta.views.numbers import whole
from tui_meta.views.reproduction.table import (
    BUDGET_HEADER,
    BUDGET_NUMBERS,
    HEADER,
    NUMBERS,
    Section,
    notes,
    sections,
)
from tui_meta.views.shell import shell_command

Format = Literal["text", "markdown", "latex"]

FOLDER = "reproduction"
"""The usual folder of the runs; those with other iterations have another."""


def reproduce(
    names: Sequence[str],
    *,
    seeds: Sequence[int],
    folder: Path | None,
    iterations: int | None,
    tasks: int,
    workers: int | None,
    to: Format,
    out: str | None,
    as_json: bool,
    report: bool,
    dry_run: bool,
) -> int:
    """Train the runs of the protocols ``names`` that the folder lacks, and print their table."""
    if iterations is not None:
        validation.count("--iterations", iterations)
    validation.count("--tasks", tasks, low=2, high=MOST_TASKS)
    if workers is not None:
        validation.count("--workers", workers, high=10_000)
    require_value("--out", out, "reproduce")
    if out and (as_json or to == "text"):
        raise LabError("--out needs --to markdown or latex")
    wanted = Reproduction(chosen(names), _seeds(seeds), iterations, tasks)
    if dry_run:
        print_runs(specification_of(wanted.table({})).expand())
        return Exit.DONE
    usual = FOLDER if iterations is None else f"{FOLDER}-{iterations}"
    found = SweepFolder(folder or Path(usual))
    if not report and (interrupted := _train(wanted, found, workers or usable_processors())):
        print_note("interrupted; the same command continues")
        return interrupted
    with interrupt_at_once():
        rows = list(measured(found, wanted))
        if as_json:
            for row in rows:
                print_json(row)
        else:
            _print(list(sections(rows)), notes(rows, tasks), to, out)
    finished = all(row.budget.finished == row.budget.planned for row in rows)
    return Exit.DONE if finished else Exit.FAILED


def _seeds(given: Sequence[int]) -> tuple[int, ...]:
    """Return the seeds of a list, or so many from 0 on."""
    if len(given) == 1:
        validation.count("--seeds", given[0], high=MOST_RUNS)
        return tuple(range(given[0]))
    for seed in given:
        validation.seed("--seeds", seed)
    return tuple(dict.fromkeys(given)) or (0,)


def _train(wanted: Reproduction, folder: SweepFolder, workers: int) -> int | None:
    """Train the runs that have no result, with a line for each; return a signal's exit code."""
    settings = wanted.table(folder.settings() or {})
    with background_stdio(kept_in(folder)) as stdio:
        with FirstSignal() as interrupts, folder.locked(Shard(), settings):
            runs = wanted.runs(folder)
            # Without its network, a result cannot be measured.
            found = {of: one for of, one in folder.results().items() if is_kept(folder, one)}
            sweep = Sweep(folder, missing(runs, found), len(runs), "final")
            if sweep.runs:
                counted = f"{whole(len(sweep.runs))} of {whole(sweep.total)} runs to train"
                watch = shell_command("tui-meta", "sweep", folder.path, "--watch")
                print_note(f"{counted}, {whole(workers)} at once; watch them with: {watch}")
            done = sweep.total - len(sweep.runs)
            executor = ThreadExecutor(workers, stopped_by(interrupts))
            with closing(sweep.train(executor)) as results:
                for number, result in enumerate(results, done + 1):
                    print_note(f"{number}/{sweep.total} {result_line(result)}")
            code = interrupts.exit_code
        stdio.finish(patient=code is None)
        return code


def _print(found: Sequence[Section], notes: Sequence[str], to: Format, out: str | None) -> None:
    if to == "text":
        _print_tables(found, notes)
        return
    text = "\n".join(WRITERS[to](found, notes)) + "\n"
    write_document(out, f"reproduction.{'md' if to == 'markdown' else 'tex'}", text)


def _print_tables(found: Sequence[Section], notes: Sequence[str]) -> None:
    output = Output()
    for section in found:
        output.print_line(section.title, "bold")
        if section.url:
            output.print_line(section.url)
        if section.warning:
            output.print_line(section.warning, "bold")
        print_table(output, HEADER, section.rows, NUMBERS, names=(0, 3, 8))
        print_table(output, BUDGET_HEADER, section.budgets, BUDGET_NUMBERS, names=(0, 1))
        for doubt in section.doubts:
            output.print_line(doubt)
    for note in notes:
        output.print_line(note)


def markdown(found: Sequence[Section], notes: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a page: a heading and two tables for each protocol, then notes."""
    for section in found:
        yield from (f"### {section.title}", "")
        if section.url:
            yield from (f"<{section.url}>", "")
        if section.warning:
            yield from (f"**{section.warning}**", "")
        yield from markdown_table(HEADER, section.rows)
        yield ""
        yield from markdown_table(BUDGET_HEADER, section.budgets)
        yield ""
        for doubt in section.doubts:
            yield from (f"{doubt}.", "")
    yield from (f"- {note}." for note in notes)


def latex(found: Sequence[Section], notes: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the same tables for the LaTeX package booktabs."""
    for section in found:
        yield f"% {section.title}. {section.url}".rstrip()
        if section.warning:
            yield f"% {section.warning}."
        yield from latex_table(HEADER, section.rows)
        yield from latex_table(BUDGET_HEADER, section.budgets)
        yield from (f"% {doubt}." for doubt in section.doubts)
        yield ""
    yield from (f"% {note}." for note in notes)


WRITERS: dict[Format, Callable[[Sequence[Section], Sequence[str]], Iterator[str]]] = {
    "markdown": markdown,
    "latex": latex,
}
