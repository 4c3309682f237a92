"""A signal before anything is trained ends the process without a word and leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

STARTS = {
    "module": [sys.executable, "-m", "tui_meta"],
    "script": [str(Path(sys.executable).with_name("tui-meta"))],
}
HEADLESS = ["--no-tui", "--algorithms", "fomaml", "--network.hidden", "4", "--iterations", "5"]

INTERRUPTED = """
import os, signal
os.kill(os.getpid(), signal.SIGINT)
"""

WHEN_PLANNED = """
import sys
import core.training.run_plan
from tui_meta.cli.main import main
def planned(*_, **__):
    needed = {"tui_meta.cli.headless", "core.remote.server"}
    sys.exit(0 if needed <= {*sys.modules} else "loaded later")
core.training.run_plan.plan_new = planned
sys.exit(main(sys.argv[1:]))
"""

IN_A_CALLBACK = """
import ctypes, importlib, os, signal, sys
from tui_meta.cli.main import main
module, name, *tokens = sys.argv[1:]
interrupted = ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), signal.SIGINT))
setattr(importlib.import_module(module), name, lambda *_, **__: interrupted())
sys.exit(main(tokens))
"""


def ended(folder: Path, *command: str, **variables: str) -> tuple[int, str]:
    """Exit code, and all that was said."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=variables
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("start", STARTS)
def test_an_interrupt_while_the_program_is_imported(tmp_path: Path, start: str) -> None:
    modules, here = tmp_path / "modules", tmp_path / "here"
    for folder in (modules, here):
        folder.mkdir()
    (modules / "cyclopts.py").write_text(INTERRUPTED)
    code, said = ended(here, *STARTS[start], *HEADLESS, PYTHONPATH=str(modules))
    assert (code, said) == (-2, "")
    assert list(here.iterdir()) == []


def test_nothing_is_on_disk_while_the_dashboard_is_imported(tmp_path: Path) -> None:
    assert ended(tmp_path, sys.executable, "-c", WHEN_PLANNED, "--no-tui") == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("tui_meta.cli.commands.evaluate load_networks", ["eval", "run"]),
        ("tui_meta.cli.commands.compare load_networks", ["compare", "run", "other"]),
        ("core.session.run_requests make_engine", ["--no-tui", "--engine", "fused"]),
    ],
)
def test_an_interrupt_while_a_compiler_calls_back_is_not_lost(
    tmp_path: Path, name: str, tokens: list[str]
) -> None:
    """There, Python prints a traceback of a ``KeyboardInterrupt`` and continues."""
    module, function = name.split()
    command = [sys.executable, "-c", IN_A_CALLBACK, module, function]
    assert ended(tmp_path, *command, *tokens) == (-2, "")
