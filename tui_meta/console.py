"""Standard output and error outside the dashboard, and exit codes.

Every start loads this, so it imports no library.
"""

import codecs
import locale
import os
import sys
from collections.abc import Mapping
from enum import IntEnum
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

from core.errors import LabError, reason, unexpected
from tui_meta.terminal import terminal_problems
from tui_meta.views.printable import printable, shortened

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


STANDARD_OUTPUT = "standard output"

NOWHERE = "the working folder was deleted; change to another folder"


class StandardOutput(FileIO):
    """Standard output, whose errors name it, as those of any other file name that."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError as error:
            error.filename = STANDARD_OUTPUT
            raise


def needs_ascii(environment: Mapping[str, str]) -> bool:
    """Return True if these variables name the Linux console or a locale without UTF-8.

    No locale at all counts as one with UTF-8, a locale that is not installed as one without. An
    LC_CTYPE of C.UTF-8 does not count: where LANG is C, POSIX or not installed, Python sets it for
    itself and for the programs that it starts.
    """
    if environment.get("TERM", "").startswith("linux"):
        return True
    names = [environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if names[1] in ("C.UTF-8", "C.utf8", "UTF-8"):
        names[1] = ""
    name = next(filter(None, names), "C.UTF-8")
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
        return codecs.lookup(locale.nl_langinfo(locale.CODESET)).name != "utf-8"
    except (locale.Error, LookupError, ValueError):  # ValueError: a null character
        return True
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


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
            if stream is sys.__stdout__:
                sys.stdout = _named_output(stream)


def _named_output(stream: TextIOWrapper) -> TextIOWrapper:
    """Return a stream to the file of ``stream`` whose errors name standard output."""
    stream.flush()
    raw = StandardOutput(stream.fileno(), "w", closefd=False)
    return TextIOWrapper(
        BufferedWriter(raw),
        stream.encoding,
        stream.errors,
        line_buffering=stream.isatty(),
        write_through=stream.write_through,
    )


def is_closed_output(error: OSError) -> bool:
    """Return True if the reader of standard output has left; a socket can be broken as well."""
    return isinstance(error, BrokenPipeError) and error.filename == STANDARD_OUTPUT


def describe_os_error(error: OSError) -> str:
    """Return one line about an error that ended a command."""
    if error.filename:
        return with_cause(f"{error.filename}: {reason(error)}")
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return NOWHERE
    return unexpected(error)


def with_cause(problem: str) -> str:
    """Return a ``problem``, and that the working folder was deleted, where that may be the cause.

    No relative path leads anywhere then.
    """
    return f"{problem}; {NOWHERE}" if _is_nowhere() else problem


def _is_nowhere() -> bool:
    try:
        os.getcwd()
    except OSError:
        return True
    return False


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
    if problems := terminal_problems():
        advice = "use --no-tui to train without it"
        raise LabError(f"the dashboard needs a terminal: {problems[0]}; {advice}")
