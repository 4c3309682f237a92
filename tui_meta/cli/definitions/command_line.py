"""The whole command line: parses its words, and runs the command that they name."""

from __future__ import annotations

from collections.abc import Sequence

from cyclopts import CycloptsError

from core.errors import LabError
from tui_meta.cli.definitions import commands  # noqa: F401  (it registers them)
from tui_meta.cli.definitions.app import app

COMMANDS = [name for name in app if not name.startswith("-")]


def run_command(words: Sequence[str]) -> int | None:
    """Run the command line ``words``, and return the exit code of its command.

    Raises ``LabError`` for words that cannot be parsed.
    """
    *command, last = ["", *words]
    if last in app.help_flags and command in ([""], *(["", name] for name in COMMANDS)):
        app.help_print(command[1:])  # without the parser, which takes half as long again
        return None
    from tui_meta.cli.errors import describe_usage_error
    from tui_meta.cli.protocols import joined_steps

    words = joined_steps(words)
    try:
        try:
            return _run(words)
        except CycloptsError as error:
            if error.command_chain:
                raise
            with app.every_setting():
                return _run(words)
    except CycloptsError as error:
        raise LabError(describe_usage_error(error, COMMANDS)) from error


def _run(words: Sequence[str]) -> int | None:
    code: int | None = app(words, exit_on_error=False, print_error=False)
    return code
