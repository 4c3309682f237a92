"""What is said to a person outside the dashboard, and what the process ends with."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import IntEnum
from io import TextIOWrapper

from rich.console import Console

from core.errors import LabError
from tui_meta.views.text import printable, shortened

LONGEST_LINE = 600
"""Characters of an error line; one that quotes a longer input is cut in its middle."""


class Exit(IntEnum):
    """Exit codes. A process that a signal ends has 128 and the signal's number."""

    DONE = 0
    FAILED = 1
    """A run diverged, could not be saved, or met a fault of the program."""
    REFUSED = 2
    """What was asked for cannot be done; the line on standard error says why."""
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class Output(Console):
    """Standard output; a reader that has gone away is an error like others."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError

    def tell(self, text: str, style: str | None = None) -> None:
        """Print ``text`` as it is, on one line however long it is."""
        self.print(printable(text), style=style, markup=False, highlight=False, soft_wrap=True)


def print_error(problem: str) -> None:
    """Say on standard error, in one line, what is wrong."""
    print_note(f"error: {shortened(printable(problem), LONGEST_LINE)}")


def print_note(text: str) -> None:
    """Say something on standard error; where nobody listens, nothing is said."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except OSError:
        return


def configure_stdio() -> None:
    """Make standard output and error safe to write to, whatever the process was given."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  (for the process's life)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_stdio() -> None:
    """Write out what waits for standard output and error; what cannot be is not tried at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
            os.close(devnull)


@dataclass
class NoTerminalError(LabError):
    """The dashboard has no terminal to be shown in."""

    problem: str

    @property
    def statement(self) -> str:
        return f"the dashboard needs a terminal, and {self.problem}; use --no-tui to train without"


def require_terminal() -> None:
    """Raise ``NoTerminalError`` where the dashboard cannot be shown."""
    if os.environ.get("TERM") == "dumb":
        raise NoTerminalError("TERM=dumb is not one")
    streams = {
        "standard input": sys.stdin,
        "standard output": sys.stdout,
        "standard error": sys.stderr,
    }
    for name, stream in streams.items():
        if stream is None or not stream.isatty():
            raise NoTerminalError(f"{name} is not one")
