"""Handing runs to a face: the dashboard or the headless reporter."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import LabError
from core.plan import Plan
from core.session import LocalSession


@dataclass
class NoTerminalError(LabError):
    """The dashboard has no terminal to be shown in."""

    problem: str

    def __str__(self) -> str:
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


def load_face(*, headless: bool) -> None:
    """Import what ``show`` shows runs with: until folders are made, a signal leaves nothing."""
    importlib.import_module("tui_meta.headless" if headless else "tui_meta.dashboard")


def show(plans: Sequence[Plan], *, headless: bool, as_json: bool) -> int:
    """Train ``plans`` in front of a person or not; gives the exit code.

    Of a run that ended before it began, no folder is left.
    """
    try:
        session = LocalSession(plans)
        if headless:
            from tui_meta.headless import run_headless

            return run_headless(session, as_json=as_json)
        from tui_meta.dashboard import run_dashboard

        return run_dashboard(session)
    finally:
        for plan in plans:
            plan.folder.discard()
