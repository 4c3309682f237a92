"""``tui-meta resume``: runs that go on where they were saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core import checks
from core.errors import RunFolderError
from core.session import plan_resumed, run_folder
from tui_meta.commands.launch import require_terminal, show
from tui_meta.console import remark


def resume(
    paths: Sequence[Path],
    iterations: int | None,
    pace: float | None,
    *,
    headless: bool,
    as_json: bool,
) -> int:
    """Train the runs at ``paths`` on, side by side."""
    if iterations is not None:
        checks.count("--iterations", iterations)
    if pace is not None:
        checks.pace("--pace", pace)
    folders = [run_folder(path) for path in paths]
    names = [folder.name for folder in folders]
    for folder in folders:
        if names.count(folder.name) > 1:
            problem = "two of the runs to resume have this name"
            raise RunFolderError(folder, problem, "resume them one after the other")
    plans = [plan_resumed(path, iterations, pace) for path in paths]
    if not headless:
        require_terminal()
    for plan in plans:
        for line in plan.remarks:
            remark(line)
        remark(f"resuming {plan.resumed_from}")
    return show(plans, headless=headless, as_json=as_json)
