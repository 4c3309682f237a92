"""Runs in a real terminal: listed, and deleted after a confirmation."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.events import Finished
from tests.support.run_folders import NASTY, make_run, progress, stamp, started, validated
from tests.support.terminals.terminal import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    terminals = []

    def opened(*tokens: str, columns: int = 80) -> Terminal:
        command = [sys.executable, "-m", "tui_meta", *tokens]
        one = Terminal(command, columns=columns, rows=24, cwd=tmp_path)
        terminals.append(one)
        return one

    yield opened
    for one in terminals:
        one.close()


@pytest.fixture(autouse=True)
def run(tmp_path: Path) -> Path:
    events = [started(), progress(900), validated(900, 3.0, 0.0123), Finished(**stamp(1_000))]
    make_run(tmp_path / "checkpoints" / NASTY, [started()])
    return make_run(tmp_path / "checkpoints" / "fomaml-mine", events)


def test_runs_are_a_table_that_no_name_can_paint_over(terminal: Open) -> None:
    shown = terminal("runs", columns=120)
    assert shown.wait_for_end() == 0
    row = next(line for line in shown.lines if "fomaml-mine" in line)
    assert "finished 1,000 / 1,000 0.0123" in " ".join(row.split())
    assert "\\x1b[31mred" in shown.text
    assert b"\x1b[31m" not in shown.raw


def test_a_run_is_deleted_after_a_confirmation(terminal: Open, run: Path) -> None:
    asking = terminal("rm", "checkpoints/fomaml-mine")
    asking.wait_for("checkpoints/fomaml-mine: 2 files", "delete this run? [y/N]")
    assert run.exists()
    asking.press("y\r")
    assert asking.wait_for_end() == 0
    assert not run.exists()


def test_ctrl_c_instead_of_an_answer_removes_nothing(terminal: Open, run: Path) -> None:
    asking = terminal("rm", "checkpoints/fomaml-mine")
    asking.wait_for("delete this run?")
    asking.press("\x03")
    assert asking.wait_for_end() == 130
    assert (run / "run.json").is_file()
