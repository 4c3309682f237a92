"""Training without the dashboard: lines, progress bars or JSON. Textual is not loaded."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from core.analysis.answers import AnyAnswer
from core.analysis.questions import Battery
from core.errors import LabError
from core.evaluation.few_shot_tasks import PROBES
from core.events import (
    ENDED,
    AnyEvent,
    CommandIssued,
    Evaluated,
    Failed,
    Finished,
    Saved,
    Snapshot,
    Started,
    Stopped,
    Validated,
)
from core.session.api import Session
from tui_meta.app.signals import FirstSignal
from tui_meta.cli.background_stdio import stdio_is_read
from tui_meta.console import Exit, flush_stdio, print_error, print_note
from tui_meta.output import Output
from tui_meta.views.messages.describe import describe
from tui_meta.views.numbers import duration, loss, rate, whole
from tui_meta.views.printable import printable_json
from tui_meta.views.run_groups import run_groups, titles
from tui_meta.views.shell import resume_hint
from tui_meta.views.text import plain
from tui_meta.views.watch.seed_verdict import SeedVerdict
from tui_meta.views.watch.verdict import Verdict, judge
from tui_meta.views.watch.verdicts import judged_runs

POLL_SECONDS = 0.2
"""Interval between two looks at snapshots and events, and the longest wait for a signal."""

_WIDEST_VERDICT = 1_000
"""Cells in which the words of any verdict fit."""


def run_headless(session: Session, *, as_json: bool, outlives_terminal: bool = False) -> int:
    """Train ``session`` to its end or until a signal, report its events, and return the exit code.

    A session that ``outlives_terminal`` continues silently when the terminal is closed.

    With ``as_json`` every event of ``events.jsonl`` is a JSON line on standard output, and all
    other text goes to standard error. Raises ``OSError`` where standard output cannot be
    written; the runs are saved before, as they are before any other exception.
    """
    with FirstSignal(outlives_terminal=outlives_terminal) as interrupts:
        report = Report(session, as_json=as_json)
        try:
            try:
                session.start()
                report.follow(interrupts)
                report.print_verdict(lambda: interrupts.received is not None)
                if interrupts.received:
                    report.print_line("stopping and saving; Ctrl-C again quits without saving")
                    interrupts.may_abandon = stdio_is_read
            finally:
                session.stop(save=True)
            report.finish()
        except Exception as error:
            report.print_problems()
            if not (interrupts.received and isinstance(error, OSError)):
                raise
            flush_stdio()  # as after the hang-up of the terminal
        return interrupts.exit_code or report.exit_code()


class Report:
    """Prints the events of a session, and progress bars on a terminal."""

    def __init__(self, session: Session, *, as_json: bool, first: int = 0) -> None:
        """Skip events before number ``first``."""
        self._session = session
        self._as_json = as_json
        self._output = Output()
        self._bars = Bars(self._output) if self._output.is_interactive and not as_json else None
        self._seen = first
        self._known: dict[str, Snapshot] = {}
        self._names: dict[str, str] = {}
        self._folders: dict[str, Path] = {}
        self._problems: set[str] = set()
        self._internal_error = False

    def follow(self, interrupts: FirstSignal) -> None:
        """Print events until every run has ended or a signal arrives."""
        with self._bars or nullcontext():
            while not interrupts.received:
                ended = self._has_ended()
                self._print_new_events()
                if ended:
                    break
                time.sleep(POLL_SECONDS)

    def _has_ended(self) -> bool:
        connection = self._session.connection
        if connection.ended or connection.lost:
            return True
        return all(shot.state in ENDED for shot in self._session.snapshots().values())

    def print_verdict(self, cancelled: Callable[[], bool]) -> None:
        """Print the losses of groups of finished runs that differ in their seed, if there are any.

        They are evaluated until ``cancelled`` returns True.
        """
        snapshots = self._session.snapshots()
        names, runs = titles(snapshots), list(snapshots.values())
        groups, finished = run_groups(runs), judged_runs(runs)
        if not finished or all(group.is_single for group in groups):
            return

        def ask(question: Battery) -> AnyAnswer:
            return self._session.ask(question, cancelled=cancelled)

        self.print_line(f"evaluating {whole(len(finished))} runs on the test tasks")
        try:
            found = judge(finished, [names[run.run] for run in finished], ask)
        except LabError as error:
            self.print_line(f"no verdict: {error}")
            return
        if isinstance(found, Verdict):
            verdict = SeedVerdict.of(groups, runs, found)
            for line in verdict.lines(_WIDEST_VERDICT, verdict.most_rows):
                self.print_line(plain(line).rstrip())

    def finish(self) -> None:
        """Print the last events, unsaved iterations and the commands that come next."""
        self._print_new_events()
        self._print_unsaved()
        snapshots = self._session.snapshots()
        for state, purpose in (("stopped", "resume"), ("finished", "evaluate")):
            folders = [
                self._folders[run]
                for run, shot in snapshots.items()
                if shot.state == state and run in self._folders
            ]
            if folders:
                self.print_line(resume_hint(folders, purpose))

    def print_problems(self) -> None:
        """Print new problems and unsaved iterations, where standard output cannot be written."""
        names = titles({**self._known, **self._session.snapshots()})
        for event in self._session.events(self._seen):
            self._seen += 1
            self._print_problem(event, names.get(event.run, event.run))
        self._print_unsaved()

    def _print_unsaved(self) -> None:
        snapshots = self._session.snapshots()
        for run, shot in snapshots.items():
            if shot.unsaved and shot.iteration:
                print_error(f"{titles(snapshots)[run]}: iteration {shot.iteration:,} is not saved")

    def exit_code(self) -> int:
        """Return the exit code of a session that was not interrupted."""
        snapshots = self._session.snapshots().values()
        states = {shot.state for shot in snapshots}
        if any(shot.unsaved and shot.iteration for shot in snapshots):
            return Exit.FAILED
        if states == {"finished"}:
            return Exit.DONE
        refused = states <= {"finished", "failed"} and self._problems and not self._internal_error
        return Exit.REFUSED if refused else Exit.FAILED

    def print_line(self, line: str) -> None:
        """Print a line for users, on standard error if standard output is JSON."""
        if self._as_json:
            print_note(line)
        else:
            self._output.print_line(line)

    def _print_new_events(self) -> None:
        # Events are read before snapshots, so that a run that has just started is known.
        new = self._session.events(self._seen)
        snapshots = self._session.snapshots()
        # Runs that were replaced by a restart have left the session, but still have events.
        self._known = {**self._known, **snapshots}
        if self._known.keys() != self._names.keys():
            self._names = titles(self._known)
        for event in new:
            self._seen += 1
            if self._as_json and not isinstance(event, CommandIssued):
                text = printable_json(msgspec.json.encode(event).decode())
                sys.stdout.buffer.write(text.encode() + b"\n")
            if event.run in self._known:  # unless the client joined during a restart
                self._print_event(event, self._names[event.run], self._known[event.run])
        if self._as_json:
            sys.stdout.flush()
        if self._bars:
            self._bars.update(snapshots, self._names)

    def _print_event(self, event: AnyEvent, title: str, shot: Snapshot) -> None:
        if isinstance(event, Saved):
            self._folders[event.run] = Path(event.path).parent
        elif isinstance(event, Started) and event.resumed_from:
            self._folders[event.run] = Path(event.resumed_from).parent
        if self._print_problem(event, title):
            return
        if self._as_json and isinstance(event, Evaluated | Validated):
            return
        if line := event_line(event, shot):
            self.print_line(f"{title:<8} {line}")

    def _print_problem(self, event: AnyEvent, title: str) -> bool:
        """Print ``event`` if it is a problem that was not printed before; False if it is none."""
        problem = problem_line(event, title)
        if problem is None:
            return False
        self._internal_error |= isinstance(event, Failed) and bool(event.details)
        if problem not in self._problems:
            self._problems.add(problem)
            print_error(problem)
        return True


class Bars:
    """A progress bar for each run, below the lines."""

    def __init__(self, output: Output) -> None:
        self._progress = _NarrowProgress(
            TextColumn("{task.description:<8}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[count]}"),
            TextColumn("{task.fields[status]}"),
            console=output,
            auto_refresh=False,
            expand=True,
            transient=True,
            # Errors that are redirected must arrive there.
            redirect_stderr=sys.stderr.isatty(),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> None:
        self._progress.start()
        # A process that is stopped or killed could not bring a hidden cursor back.
        self._progress.console.show_cursor(True)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, snapshots: Mapping[str, Snapshot], names: Mapping[str, str]) -> None:
        """Show the progress of all runs."""
        for run, shot in snapshots.items():
            if run not in self._tasks:
                self._tasks[run] = self._progress.add_task(names[run], count="", status="")
            self._progress.update(
                self._tasks[run],
                description=names[run],  # another one once further runs share its algorithm
                completed=shot.iteration,
                total=shot.target,
                count=f"{whole(shot.iteration)} / {whole(shot.target)}",
                status=status(shot),
            )
        self._progress.refresh()


class _NarrowProgress(Progress):
    """Leaves room for the ^C that a terminal echoes, which would wrap and shift the bars."""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield _Narrowed(self.make_tasks_table(self.tasks))


@dataclass
class _Narrowed:
    """Renders ``content`` three columns narrower; a progress has no console yet when it is made."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return console.render(self.content, options.update_width(options.max_width - 3))


def status(shot: Snapshot) -> str:
    """Return the status of a run in a few words."""
    if shot.state == "loading":
        return shot.preparing or "starting"
    if shot.state != "training" or not shot.rate:
        return shot.state
    left = duration((shot.target - shot.iteration) / shot.rate)
    return f"{rate(shot.rate)}  {left} left  loss {loss(shot.loss)}"


def event_line(event: AnyEvent, shot: Snapshot) -> str | None:
    """Return what ``event`` adds to the bars, without the run's title; None for nothing."""
    description = describe(event)
    if description is None or description.severity != "info":
        return None
    match event:
        case Started() if event.iteration >= event.target:
            return f"finished its {whole(event.target)} iterations; continue with --iterations N"
        case Evaluated():
            iteration = whole(event.iteration).rjust(len(whole(shot.target)))
            task = PROBES[event.probe].title
            return f"iteration {iteration}: {task}, loss {description.detail}"
        case Validated():
            iteration = whole(event.iteration).rjust(len(whole(shot.target)))
            return f"iteration {iteration}: {description.head}, {description.detail}"
        case Finished():
            best = f", best validation loss {loss(shot.best.mean)}" if shot.best else ""
            return f"finished {whole(event.iteration)} iterations in {duration(shot.elapsed)}{best}"
        case Stopped():
            return f"{description.sentence('')} of {whole(shot.target)}"
    return description.sentence("")


def problem_line(event: AnyEvent, title: str) -> str | None:
    """Return what went wrong in one line; None for an event that is not a problem.

    A run that cannot start is not named, so that runs with the same problem report it once.
    """
    if isinstance(event, Failed) and not event.details:
        return event.problem
    description = describe(event)
    if description is None or description.severity == "info":
        return None
    return description.sentence(title)
