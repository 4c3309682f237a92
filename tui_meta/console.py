"""Output outside the dashboard, and exit codes."""

import os
import sys
from enum import IntEnum
from io import TextIOWrapper

from rich.console import Console

from core.errors import LabError
from tui_meta.views.text import printable, shortened

LONGEST_LINE = 600
"""Characters of an error line; one that quotes a longer input is cut in its middle."""


class Exit(IntEnum):
    """Exit codes; a process that a signal ends has 128 plus the signal's number."""

    DONE = 0
    FAILED = 1
    """A run diverged, could not be saved, or failed by a bug."""
    REFUSED = 2
    """The request cannot be carried out; a line on standard error says why."""
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class Output(Console):
    """Standard output; a closed pipe raises ``BrokenPipeError``."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError

    def print_line(self, text: str, style: str | None = None) -> None:
        """Print ``text`` without markup, on one line of any length."""
        self.print(printable(text), style=style, markup=False, highlight=False, soft_wrap=True)


def ask(question: str) -> bytes:
    """Print ``question`` and return the line that is typed; empty at the end of the input.

    ``input`` would miss a Ctrl-C between its prompt and its wait. Bytes are read, as the answer
    need not be valid text.
    """
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.buffer.readline()


def print_error(problem: str) -> None:
    """Print a problem on standard error, in one line."""
    print_note(f"error: {shortened(printable(problem), LONGEST_LINE)}")


def print_note(text: str) -> None:
    """Print a line on standard error, if it can be written."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:
        return


def configure_stdio() -> None:
    """Make standard output and error safe to write to, even if closed or not UTF-8."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  (for the process's life)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_stdio() -> None:
    """Flush standard output and error; on failure, discard the rest so that exit cannot fail."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
            os.close(devnull)


def require_terminal() -> None:
    """Raise ``LabError`` if the dashboard cannot be shown."""
    problems = ["TERM=dumb"] if os.environ.get("TERM") == "dumb" else []
    for name, stream in (("input", sys.stdin), ("output", sys.stdout), ("error", sys.stderr)):
        if stream is None or not stream.isatty():
            problems.append(f"standard {name} is not a terminal")
    if problems:
        advice = "use --no-tui to train without it"
        raise LabError(f"the dashboard needs a terminal: {problems[0]}; {advice}")
