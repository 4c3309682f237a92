"""Runs a command line, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from core.errors import LabError, in_words, is_of_user
from core.version import NAME_AND_VERSION
from tui_meta.app.signals import interrupt_at_once
from tui_meta.console import (
    Exit,
    configure_stdio,
    describe_os_error,
    flush_stdio,
    is_closed_output,
    print_error,
    with_cause,
)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command line ``tokens``, by default that of the process, and return the exit code.

    Errors that users can cause become one line on standard error.
    """
    configure_stdio()
    try:
        code = _run(sys.argv[1:] if tokens is None else tokens)
        sys.stdout.flush()
    except LabError as error:
        from tui_meta.cli.errors import describe_error

        print_error(with_cause(describe_error(error)))
        return Exit.REFUSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as error:
        closed = is_closed_output(error)
        if not closed:
            print_error(describe_os_error(error))
        flush_stdio()
        return Exit.PIPE_CLOSED if closed else Exit.REFUSED
    except SystemExit as error:
        if not is_of_user(error):
            raise
        print_error(in_words(error))
        code = Exit.FAILED
    except Exception as error:
        code = _report(error)
        flush_stdio()
    return code or Exit.DONE


def _report(error: Exception) -> Exit:
    """Print why the command ended: a package that is missing, or a bug."""
    if package := _missing_package(error):
        problem = f"the package {package} is not installed for {sys.executable}"
        print_error(f"{problem}; install tui-meta with its dependencies")
        return Exit.REFUSED
    from tui_meta.app.crash import crash_line

    print_error(crash_line(error, "this command"))
    return Exit.FAILED


def _missing_package(error: Exception) -> str:
    """Return the package whose import failed with ``error``; nothing for other errors."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    package = (name or "").partition(".")[0]
    return "" if package in ("core", "tui_meta") else package


def _run(tokens: Sequence[str]) -> int | None:
    if list(tokens) == ["--version"]:
        print(NAME_AND_VERSION)
        return None
    if os.environ.get("TUI_META_CODE"):
        from core.extensions.loading import load_code

        load_code()
    # Imported late: the version needs no parser, and without settings there is nothing to parse,
    # which saves a quarter of the time to the first frame.
    if not tokens:
        with interrupt_at_once():
            from tui_meta.cli.commands.train import train

        return train({}, None, "dashboard", {})
    with interrupt_at_once():
        from tui_meta.cli.definitions.command_line import run_command
        from tui_meta.cli.home import expanded

    return run_command([expanded(token) for token in tokens])
