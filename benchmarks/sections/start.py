"""What a user waits for at each start: help and version, the first frame, the first number."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.command import PROGRAM
from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, alternate, ratios, seconds
from benchmarks.sections.watching import has_iteration_count
from benchmarks.terminals.cost import SIZE, START_SECONDS
from benchmarks.terminals.sessions import private_sessions
from benchmarks.terminals.terminal import Terminal

ROUNDS, COLD_ROUNDS = 11, 5

TRIVIAL = """
from textual.app import App
from textual.widgets import Static

class Trivial(App):
    def compose(self):
        yield Static("hello")

Trivial().run()
"""
"""The application that the first frame is compared with."""

COMPILE = """
from numba import float64, njit
njit(lambda x: x + 1).compile(float64(float64))
"""
"""What the first start on a machine is compared with: numba, and one function of one line."""

SETTINGS = ("--iterations", "100000")

Row = tuple[Cell, ...]


def start(effort: Effort) -> Section:
    """Measure starts with the compiled engine in the cache, and the first one on a machine."""
    rounds = 1 if effort.quick else ROUNDS
    tables = [_answers(rounds), _dashboards(rounds), _first_start(min(rounds, COLD_ROUNDS))]
    return Section("The start", tables, [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    "help and version: from the start of the process to its end",
    "first frame: from the start of the command to the first text on a pseudo-terminal of "
    "120 x 40, in a folder without runs; the peer is a Textual application with one line of text",
    "first number: an iteration count above zero on the screen; the compiled engine is in the "
    "cache but for the first start on a machine",
)


def _answers(rounds: int) -> Table:
    """Measure help and version beside the import of the parser that they are defined with."""
    commands: dict[str, Sequence[str]] = {
        "`import cyclopts`": (sys.executable, "-c", "import cyclopts"),
        "`tui-meta --version`": (*PROGRAM, "--version"),
        "`tui-meta --help`": (*PROGRAM, "--help"),
        "`tui-meta eval --help`": (*PROGRAM, "eval", "--help"),
    }
    candidates = {name: partial(seconds, partial(_run, words)) for name, words in commands.items()}
    found = alternate(candidates, rounds)
    return _compared("Answers", found, next(iter(commands)))


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


@dataclass(frozen=True)
class Opened:
    """Seconds to the first frame and, of a dashboard, to the first number."""

    frame: float
    number: float


def _dashboards(rounds: int) -> Table:
    """Measure the dashboard beside a trivial application."""
    peer = "trivial Textual application"
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        found.setdefault(f"{peer}, first frame", []).append(_open_trivial())
        for name, settings in (("", ()), (" with settings", SETTINGS)):
            opened = _open_dashboard(settings)
            found.setdefault(f"`tui-meta`{name}, first frame", []).append(opened.frame)
            found.setdefault(f"`tui-meta`{name}, first number", []).append(opened.number)
    return _compared("The dashboard", found, f"{peer}, first frame")


def _first_start(rounds: int) -> Table:
    """Measure the dashboard with nothing in the cache beside numba alone."""
    peer = "`import numba` and compile a line"

    def open_first() -> float:
        with tempfile.TemporaryDirectory() as cache:
            return _open_dashboard(SETTINGS, {"XDG_CACHE_HOME": cache}).number

    found = alternate(
        {
            peer: partial(seconds, partial(_run, (sys.executable, "-c", COMPILE))),
            "`tui-meta` with settings, first number": open_first,
        },
        rounds,
    )
    return _compared("The first start on a machine", found, peer)


def _open_trivial() -> float:
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal([sys.executable, "-c", TRIVIAL], *SIZE, folder=folder)
        try:
            return _await(terminal, lambda: "hello" in terminal.text())
        finally:
            terminal.close()


def _open_dashboard(settings: Sequence[str], variables: Mapping[str, str] | None = None) -> Opened:
    with tempfile.TemporaryDirectory() as folder, private_sessions():
        terminal = Terminal([*PROGRAM, *settings], *SIZE, variables, folder)
        try:
            frame = _await(terminal, lambda: bool(terminal.text().strip()))
            return Opened(frame, _await(terminal, lambda: has_iteration_count(terminal)))
        finally:
            terminal.close()


def _await(terminal: Terminal, reached: Callable[[], bool]) -> float:
    """Return the seconds from the start of the program until ``reached`` is true."""
    arrived = terminal.wait_until(reached, START_SECONDS)
    if arrived is None:
        raise RuntimeError(f"the application did not open within {START_SECONDS:.0f} s")
    return arrived - terminal.started


def _compared(title: str, found: Mapping[str, Sequence[float]], peer: str) -> Table:
    rows: list[Row] = [
        (name, Spread.of(values), None if name == peer else ratios(values, found[peer]))
        for name, values in found.items()
    ]
    return Table(title, ("", "seconds", f"relative to {peer.partition(',')[0]}"), rows)
