"""``tui-meta resume``: runs that go on where they were saved."""

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
    manner: OutputMode,
    face: Mapping[str, Any],
) -> int:
    """Train the runs at ``paths`` on, side by side; ``face`` are flags of the dashboard."""
    if iterations is not None:
        validation.count("--iterations", iterations)
    if pace is not None:
        validation.pace("--pace", pace)
    return show(ResumeRequest.of(paths, iterations=iterations, pace=pace), manner, face)
