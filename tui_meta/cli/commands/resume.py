"""``tui-meta resume``: continue runs from their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core import validation
from core.session.launch import ResumeRequest
from tui_meta.cli.commands.launch import OutputMode, show


def resume(
    paths: Sequence[Path],
    iterations: int | None,
    pace: float | None,
    mode: OutputMode,
    dashboard: Mapping[str, Any],
) -> int:
    """Continue the runs at ``paths`` side by side; ``dashboard`` holds the dashboard's flags."""
    if iterations is not None:
        validation.count("--iterations", iterations)
    if pace is not None:
        validation.pace("--pace", pace)
    return show(ResumeRequest.of(paths, iterations=iterations, pace=pace), mode, dashboard)
