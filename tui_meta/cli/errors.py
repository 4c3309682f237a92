"""Errors in words: the advice of ``core`` becomes flags and commands."""

import difflib
from collections.abc import Sequence

from cyclopts import Argument, CycloptsError
from cyclopts.exceptions import MissingArgumentError, UnusedCliTokensError

from core.errors import Advice, LabError

ADVICE: dict[str, str] = {
    Advice.OTHER_OUTPUT: "choose another --out",
    Advice.OTHER_NAME: "resume it or choose another --name",
    Advice.MORE_ITERATIONS: "use a higher --iterations",
    Advice.OTHER_ENGINE: "use --engine torch or auto",
    Advice.USE_CPU: "use --device cpu",
    Advice.OTHER_CHECKPOINT: "choose another checkpoint",
    Advice.OTHER_RUN: "choose another run",
    Advice.LIST_RUNS: "tui-meta runs lists the runs",
    Advice.LIST_SESSIONS: "check later with tui-meta ls",
    Advice.START_SESSION: "start one with tui-meta",
    Advice.STOP_RUN: "stop it first: tui-meta stop ID (see tui-meta ls), or kill that process",
    Advice.SAVE_RUN: "wait for its first save, or save it: tui-meta send ID save (see tui-meta ls)",
    Advice.CONTINUE_RUN: "train it first: tui-meta resume and this folder",
    Advice.REGISTER: "set TUI_META_CODE to the Python file that registers it",
}


def describe_error(error: LabError) -> str:
    """Return ``error`` in one line, with its advice in terms of the command line."""
    advice = ADVICE.get(error.advice, error.advice)
    return f"{error.statement}; {advice}" if advice else error.statement


def describe_usage_error(error: CycloptsError, commands: Sequence[str]) -> str:
    """Return an error in the command line itself in one line."""
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        word = error.unused_tokens[0]
        if error.command_chain:
            return f"{error.command_chain[-1]} takes no argument {word!r}"
        near = difflib.get_close_matches(word, commands, n=1)
        advice = f"did you mean {near[0]}?" if near else "commands: " + ", ".join(commands)
        return f"unknown command {word!r}; {advice}"
    if isinstance(error, MissingArgumentError) and error.argument:
        return _missing(error, error.argument)
    error.verbose = False
    return str(error)


def _missing(error: MissingArgumentError, argument: Argument) -> str:
    name = " ".join(error.command_chain or ())
    help = f"see tui-meta {name} --help" if name else "see tui-meta --help"
    flag = error.keyword or next((token.keyword for token in argument.tokens), None)
    if flag:
        count, _ = argument.token_count()
        return f"{flag} needs {'a value' if count == 1 else f'{count} values'}; {help}"
    return f"{name} needs {argument.name}; {help}"
