"""The further screens in a real terminal, on runs that train in a process of their own."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.sessions import only_session
from tests.support.terminals.terminal import Terminal

ESCAPE = "\x1b"


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: str, columns: int = 80, rows: int = 24) -> Terminal:
        command = [sys.executable, "-m", "tui_meta", *arguments]
        terminal = Terminal(command, columns=columns, rows=rows, cwd=tmp_path)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def losses(text: str) -> dict[str, list[str]]:
    """The rows of the battery's table, by source."""
    row = r"^(FOMAML|Reptile|random)(?: init)?((?: +[\d.e-]+){9}) *$"
    rows = re.findall(row, text, re.MULTILINE)
    return {title: numbers.split() for title, numbers in rows}


def test_a_battery_is_cancelled_run_and_read(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("--iterations", "100000000")
    terminal.wait_for("validation: loss", " left")
    terminal.press("b")
    terminal.wait_for("Press e to start")
    terminal.press("++e")
    terminal.wait_for("esc: cancel", "esc cancel")
    terminal.press(ESCAPE)
    terminal.wait_for("battery cancelled", "10,000 tasks", "esc back")
    terminal.press("----F")
    terminal.wait_for("100 tasks, 5 points from [0, 5], 10 gradient steps")
    terminal.press("e")
    terminal.wait_for(
        "100 random tasks, 5 support points from [0, 5], 10 gradient steps",
        "histogram of final loss",
    )
    assert set(losses(terminal.text)) == {"FOMAML", "Reptile", "random"}
    assert "FOMAML \N{MINUS SIGN} Reptile" in terminal.text
    terminal.press("\t")
    terminal.wait_for("mean loss of FOMAML", "phase")
    terminal.press("l")
    terminal.wait_for("worst tasks of Reptile", "mean loss of Reptile")
    terminal.press("jj")
    terminal.wait_for("▸", "enter open in Lab")
    terminal.press("\r")
    terminal.wait_for("tui-meta  ·  Lab")
    terminal.press("b")
    terminal.wait_for("enter open in Lab")
    terminal.press(ESCAPE)
    terminal.wait_for("enter type settings")
    terminal.press(ESCAPE)
    terminal.wait_for("validation: loss")


def test_the_geometry_of_both_runs_is_followed(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("--iterations", "100000000", "--pace", "50", columns=120, rows=40)
    terminal.wait_for("validation: loss", "it/s")
    terminal.press("v")
    text = terminal.wait_for("FOMAML after", "Reptile after", "FOMAML and Reptile step")
    assert text.count("outer step") >= 4

    def iteration(text: str) -> int:
        (found,) = re.findall(r"FOMAML after ([\d,]+)", text)
        return int(found.replace(",", ""))

    first = iteration(text)
    terminal.press("R")
    second = iteration(terminal.wait_until(lambda seen: iteration(seen) > first, "a newer one"))
    terminal.press("z")
    terminal.wait_for("following, once per second", "stop following")
    third = iteration(terminal.wait_until(lambda seen: iteration(seen) > second, "the next"))
    terminal.wait_until(lambda seen: iteration(seen) > third, "the one after it")
    terminal.press("z")
    terminal.wait_for("following stopped")
    terminal.press("w")
    terminal.wait_for("one random task each")


def test_runs_are_found_filtered_opened_and_compared_from_elsewhere(
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal("--iterations", "2000", "--name", "mine")
    terminal.wait_for("finished")
    terminal.press("dd")
    assert terminal.wait_for_end() == 0
    terminal = open_terminal("attach", only_session().id)
    terminal.wait_for("finished")
    terminal.press("f")
    terminal.wait_for("checkpoints: 2 runs", "fomaml-mine", "reptile-mine", "2,000 / 2,000")
    terminal.press("/")
    terminal.wait_for("filter /", "keep the filter")
    terminal.press("rept")
    terminal.wait_until(lambda seen: "fomaml-mine" not in seen, "only the one")
    terminal.press("\r")
    terminal.wait_for("1 with “rept”", "M mark")
    terminal.press("\r")
    terminal.wait_for("reptile-mine, Reptile", "iterations  2000", "validation")
    terminal.press("G")
    terminal.wait_for("command line")
    terminal.press(ESCAPE)
    terminal.wait_for("1 with “rept”")
    terminal.press(ESCAPE)
    terminal.wait_for("fomaml-mine")
    terminal.press("gMM")
    terminal.wait_for("2 marked")
    terminal.press("C")
    terminal.wait_for("validation: loss on 64 tasks", "o other curves")
    terminal.press("o")
    terminal.wait_for("─ training loss")
    terminal.press(ESCAPE)
    terminal.wait_for("2 marked")
    terminal.press("c")
    terminal.wait_for("already in this session")
