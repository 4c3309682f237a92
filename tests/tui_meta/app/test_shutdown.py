"""However the dashboard is left, the runs are saved and the terminal is given back."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.terminals.terminal import Terminal

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
def dashboard(tmp_path: Path) -> Iterator[Terminal]:
    command = [sys.executable, "-c", PROGRAM]
    with closing(
        Terminal(command, columns=80, rows=24, cwd=tmp_path, variables=STALE_SIZE)
    ) as terminal:
        terminal.wait_for("12,300 / 50,000")
        yield terminal


def stopped(folder: Path) -> str:
    return (folder / "stopped").read_text().split()[0]


@pytest.mark.parametrize(("answer", "save"), [("s", "True"), ("x", "False")])
def test_the_quit_question_decides(
    dashboard: Terminal, tmp_path: Path, answer: str, save: str
) -> None:
    dashboard.press("q")
    dashboard.wait_for("save and stop")
    dashboard.press(answer)
    assert dashboard.wait_for_end() == 0
    assert RESTORED in dashboard.raw
    assert stopped(tmp_path) == save
    assert b"FOMAML stopped at 12,300 / 50,000" in dashboard.raw
