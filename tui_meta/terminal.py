"""Whether the dashboard can be shown, and will be.

This is decided before all else is imported, so it imports nothing.
"""

import os
import sys
from collections.abc import Sequence

_WITHOUT_DASHBOARD = {
    *("--help", "-h", "--version", "--no-tui", "--json", "--detach", "--dry-run", "--check"),
    "--install-completion",
}
"""Flags of commands that show no dashboard."""


def opens_dashboard(tokens: Sequence[str]) -> bool:
    """Return whether the command line ``tokens`` probably trains with the dashboard open."""
    is_training = not tokens or tokens[0].startswith("-") or tokens[0] in ("train", "resume")
    return is_training and _WITHOUT_DASHBOARD.isdisjoint(tokens) and not terminal_problems()


def terminal_problems() -> list[str]:
    """Return why the dashboard cannot be shown, if so."""
    problems = ["TERM=dumb"] if os.environ.get("TERM") == "dumb" else []
    for name, stream in (("input", sys.stdin), ("output", sys.stdout), ("error", sys.stderr)):
        if stream is None or not stream.isatty():
            problems.append(f"standard {name} is not a terminal")
    return problems
