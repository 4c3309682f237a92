"""Runs a command line, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from core.errors import LabError
from tui_meta.app.crash import crash_line
from tui_meta.cli.definitions import runs, training  # noqa: F401  (they register the commands)
from tui_meta.cli.definitions.app import app
from tui_meta.cli.errors import describe_error, describe_usage_error
from tui_meta.cli.home import expanded
from tui_meta.cli.protocols import joined_steps
from tui_meta.console import (
    Exit,
    configure_stdio,
    describe_os_error,
    flush_stdio,
    is_closed_output,
    print_error,
)

COMMANDS = [name for name in app if not name.startswith("-")]


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command line ``tokens``, by default that of the process, and return the exit code.

    Errors that users can cause become one line on standard error.
    """
    configure_stdio()
    # NumPy's threads are not used here, and wait busily: a third of the time of many a start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        words = [expanded(token) for token in (sys.argv[1:] if tokens is None else tokens)]
        words = joined_steps(words)
        code: int | None = app(words, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        print_error(describe_usage_error(error, COMMANDS))
        return Exit.REFUSED
    except LabError as error:
        print_error(describe_error(error))
        return Exit.REFUSED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as error:
        closed = is_closed_output(error)
        if not closed:
            print_error(describe_os_error(error))
        flush_stdio()
        return Exit.PIPE_CLOSED if closed else Exit.REFUSED
    except Exception as error:
        print_error(crash_line(error, "this command"))
        flush_stdio()
        return Exit.FAILED
    return code or Exit.DONE
