"""What is not imported before the first frame of the dashboard, which waits for all that is."""

from __future__ import annotations

import subprocess
import sys

BEFORE_THE_FIRST_FRAME = """
import sys
import tui_meta.cli.main
import tui_meta.app.dashboard
import tui_meta.cli.commands.sessions
import tui_meta.cli.commands.train
import tui_meta.cli.preferences
import core.remote.client
print(*sys.modules)
"""

FOR_LATER = {
    *("filelock", "numpy", "torch", "numba", "llvmlite", "safetensors", "plotext", "cyclopts"),
    *("core.session.local", "core.storage.run_folder", "core.training", "core.analysis.service"),
    *("tui_meta.screens.lab.screen", "tui_meta.screens.runs.screen", "tui_meta.output"),
    *("tui_meta.screens.dialogs.ask", "tui_meta.screens.dialogs.help", "tomllib", "csv"),
    *("core.algorithms.maml", "core.tasks.mixture", "core.reproduction.protocols"),
}


def test_the_first_frame_waits_for_nothing_that_it_does_not_show() -> None:
    command = [sys.executable, "-c", BEFORE_THE_FIRST_FRAME]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "textual" in imported
    assert imported.isdisjoint(FOR_LATER)
