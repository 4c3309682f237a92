"""``tui-meta sweep``: many runs into one folder, by all processors, and a table at the end."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core import validation
from core.errors import ConfigError, LabError
from core.experiments.results import RunResult
from core.experiments.summary import summarize
from core.experiments.sweep import Executor, Sweep, ThreadExecutor, opened
from core.experiments.sweep_folder import SPECIFICATION, Shard, Store, SweepFolder
from core.session.notification import Occasion, run_command
from core.training.processors import usable_processors
from tui_meta.app.signals import FirstSignal, is_by_signal
from tui_meta.cli.background_stdio import background_stdio, stdio_is_read
from tui_meta.cli.experiments import outcome, print_groups, print_runs, result_line
from tui_meta.cli.settings import configure, experiment_table, naming_flags, read_settings
from tui_meta.cli.tables import print_json
from tui_meta.console import Exit, print_note, require_terminal
from tui_meta.output import Output
from tui_meta.views.messages.describe import display_path
from tui_meta.views.numbers import whole
from tui_meta.views.shell import shell_command


def sweep(
    path: Path,
    given: Mapping[str, Any],
    config: Path | None,
    *,
    store: Store,
    workers: int | None,
    scheduler: str | None,
    shard: str,
    dry_run: bool,
    notify: str | None,
    as_json: bool,
) -> int:
    """Train what the sweep in the folder ``path`` lacks; the settings begin or extend it."""
    try:
        part = Shard.parse(shard)
    except ConfigError as error:
        raise naming_flags(error, ["shard"]) from error
    if workers is not None:
        validation.count("--workers", workers, high=10_000)
    folder = SweepFolder(path)
    file = read_settings(config) if config else folder.settings() or {}
    source = config or (path / SPECIFICATION if file else None)
    configure(given, file, source)
    table = {"seeds": 1, **experiment_table(given, file)}
    if dry_run:
        print_runs(part.of(configure({}, table, source).runs))
        return Exit.DONE
    with background_stdio(kept_in(folder)) as stdio:
        with (
            FirstSignal() as interrupts,
            _executor(scheduler, workers, stopped_by(interrupts)) as executor,
            opened(folder, part, store, table, executor) as sweep,
        ):
            report = Report(sweep, notify or "", as_json=as_json)
            report.follow(sweep, executor)
            again = _command("sweep", folder, *(["--scheduler", scheduler] if scheduler else []))
            report.finish(folder, again if interrupts.received else "")
            code = interrupts.exit_code or report.exit_code()
        # All results are on disk by now, whether or not the last lines are read.
        stdio.finish(patient=not is_by_signal(code))
        return code


def stopped_by(interrupts: FirstSignal) -> Callable[[], bool]:
    """Return a function that returns True once a signal has come.

    An iteration may take hours: what a further Ctrl-C does is announced then.
    """

    def stopped() -> bool:
        if interrupts.received is None:
            return False
        if interrupts.may_abandon is not stdio_is_read:
            print_note("stopping; Ctrl-C again quits at once, and results so far are kept")
            interrupts.may_abandon = stdio_is_read
        return True

    return stopped


def kept_in(folder: SweepFolder) -> str:
    """Return where results are found whose lines were not read."""
    return f"{display_path(str(folder.results_path))} has all results"


def watch_sweep(path: Path, *, alone: bool) -> int:
    """Show the sweep in the folder ``path``, which others may train; --watch must be ``alone``."""
    if not alone:
        raise LabError("--watch trains nothing, so it takes no other settings; leave them out")
    SweepFolder(path).specification()
    require_terminal()
    # The commands that train need no Textual.
    from core.session.local import LocalSession
    from tui_meta.app.dashboard import run_dashboard
    from tui_meta.cli.preferences import preferences

    return run_dashboard(LocalSession([]), preferences({}), sweep=path)


@contextmanager
def _executor(
    scheduler: str | None, workers: int | None, stopped: Callable[[], bool]
) -> Iterator[Executor]:
    """Yield what trains: threads of this process, or the workers of a cluster."""
    if scheduler is None:
        yield ThreadExecutor(workers or usable_processors(), stopped)
        return
    if workers is not None:
        raise LabError("--workers cannot be combined with --scheduler, which has its own workers")
    from core.experiments.dask_executor import connected

    # What is wrong becomes one line; Dask's log would print tracebacks besides.
    logging.disable(logging.ERROR)
    try:
        with connected(scheduler, stopped) as executor:
            yield executor
    finally:
        logging.disable(logging.NOTSET)


class Report:
    """Prints the results of a sweep as they come, and the table at the end."""

    def __init__(self, sweep: Sweep, notify: str, *, as_json: bool) -> None:
        self._notify = notify
        self._as_json = as_json
        self._output = Output()
        self._done = sweep.total - len(sweep.runs)
        self._states: set[str] = set()

    def follow(self, sweep: Sweep, executor: Executor) -> None:
        """Train ``sweep`` and print each result."""
        total = sweep.total
        at_once = f"{whole(executor.workers)} at once" if executor.workers else "no workers yet"
        self._print_note(f"{whole(len(sweep.runs))} of {whole(total)} runs to train, {at_once}")
        progress = _progress(self._output)
        bars = self._output.is_interactive and not self._as_json
        task = progress.add_task("sweep", total=total, completed=self._done)
        with progress if bars else nullcontext(), closing(sweep.train(executor)) as results:
            for number, result in enumerate(results, self._done + 1):
                # The first problem of a kind is worth a message, a hundred of them are not.
                if result.state != "finished" and result.state not in self._states:
                    self._run_command(result.state, result_line(result))
                self._states.add(result.state)
                self._print_result(result, number, total)
                progress.update(task, completed=number)

    def _print_result(self, result: RunResult, number: int, total: int) -> None:
        if self._as_json:
            print_json(result)
            sys.stdout.flush()
        else:
            self._output.print_line(f"{number:>{len(str(total))}}/{total} {result_line(result)}")

    def finish(self, folder: SweepFolder, again: str) -> None:
        """Print the table of the groups and how to report them; if interrupted, ``again``."""
        if again:
            self._print_note(f"interrupted; continue with: {again}")
        elif not self._as_json:
            groups = summarize(folder.specification().expand(), folder.results())
            print_groups(self._output, groups)
        if not again:
            message = f"the sweep {folder.path} has ended: {outcome(folder.results().values())}"
            self._run_command("finished", message)
            self._print_note("tables and figures: " + _command("report", folder))

    def _run_command(self, occasion: Occasion, message: str) -> None:
        if self._notify:
            run_command(self._notify, occasion, message, lambda line: print_note(f"notify: {line}"))

    def exit_code(self) -> int:
        """Return the exit code of a sweep that was not interrupted."""
        return Exit.DONE if self._states <= {"finished"} else Exit.FAILED

    def _print_note(self, line: str) -> None:
        if self._as_json:
            print_note(line)
        else:
            self._output.print_line(line)


def _command(name: str, folder: SweepFolder, *more: str) -> str:
    return shell_command("tui-meta", name, folder.path, *more)


def _progress(output: Output) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=output,
    )
