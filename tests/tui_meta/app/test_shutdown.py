"""However the dashboard is left, the runs are saved and the terminal is given back."""

import os
import sys
from pathlib import Path

import pexpect
import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from tests.support.dashboard.fake_session import FakeSession
from tui_meta.app.dashboard import run_dashboard

class Noted(FakeSession):
    def stop(self, *, save):
        open("stopped", "a").write(f"{save}\\n")
        super().stop(save=save)

sys.exit(run_dashboard(Noted()))
"""
STALE_SIZE = {"COLUMNS": "20", "LINES": "5"}
"""A size that the terminal does not have: the terminal is believed, not the environment."""
RESTORED = b"\x1b[?1049l"


@pytest.fixture
def dashboard(tmp_path: Path) -> pexpect.spawn:
    child = pexpect.spawn(
        sys.executable,
        ["-c", PROGRAM],
        cwd=str(tmp_path),
        env={**os.environ, **STALE_SIZE, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
        dimensions=(24, 80),
        timeout=60,
    )
    child.delaybeforesend = None
    child.expect("12,300 / 50,000")
    return child


def stopped(folder: Path) -> str:
    return (folder / "stopped").read_text().split()[0]


@pytest.mark.parametrize(("answer", "save"), [("s", "True"), ("x", "False")])
def test_the_quit_question_decides(
    dashboard: pexpect.spawn, tmp_path: Path, answer: str, save: str
) -> None:
    dashboard.send("q")
    dashboard.expect("save and stop")
    dashboard.send(answer)
    output = dashboard.read()
    dashboard.close()
    assert dashboard.exitstatus == 0
    assert RESTORED in output
    assert stopped(tmp_path) == save
    assert b"FOMAML stopped at 12,300 / 50,000" in output
