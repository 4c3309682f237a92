"""``tui-meta resume``: runs that go on where they were saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core import checks
from core.launching import OldRuns
from tui_meta.commands.launch import Manner, show


def resume(
    paths: Sequence[Path], iterations: int | None, pace: float | None, manner: Manner
) -> int:
    """Train the runs at ``paths`` on, side by side."""
    if iterations is not None:
        checks.count("--iterations", iterations)
    if pace is not None:
        checks.pace("--pace", pace)
    return show(OldRuns.of(paths, iterations=iterations, pace=pace), manner)
