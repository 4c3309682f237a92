"""Dashboards in terminals, and the program as a command."""

import io
import json
import os
import re
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from core.remote.registry import live_sessions
from tests.support.terminals.terminal import PATIENCE, Terminal
from tui_meta.cli.main import main

PROGRAM = [sys.executable, "-m", "tui_meta"]

SLOW = ("--algorithms", "fomaml", "--name", "x", "--network.hidden", "8", "--pace", "400")
"""A slow run, which ends soon after the command ``pace full``."""

RUN = Path("checkpoints", "fomaml-x")

OpenDashboard = Callable[..., Terminal]


def ran_apart(folder: Path, *tokens: str) -> str:
    """Run a command that succeeds in a process of its own, and return its output."""
    done = subprocess.run([*PROGRAM, *tokens], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ran(folder: Path, *tokens: str) -> str:
    """Run a command that succeeds in this process, and return its output."""
    code, output = called(folder, *tokens)
    assert code == 0
    return output


def called(folder: Path, *tokens: str) -> tuple[int, str]:
    """Run a command in this process; return its exit code and its output, without errors."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with chdir(folder), redirect_stdout(out):
        code = main(tokens)
    out.seek(0)
    return code, out.read()


def printed(*tokens: str, columns: int) -> tuple[int, bytes]:
    """Run a command in this process on a terminal; return its exit code and what it wrote there."""
    reader, writer = os.openpty()
    termios.tcsetwinsize(writer, (40, columns))
    pieces: list[bytes] = []
    reading = threading.Thread(target=_read_all, args=(reader, pieces))
    reading.start()
    with (
        os.fdopen(writer, "w", encoding="utf-8") as out,
        os.fdopen(os.dup(writer), encoding="utf-8") as typed,
        patch("sys.stdin", typed),
        redirect_stdout(out),
        redirect_stderr(out),
    ):
        code = main(tokens)
    reading.join(PATIENCE)
    os.close(reader)
    return code, b"".join(pieces)


def _read_all(reader: int, pieces: list[bytes]) -> None:
    try:
        while data := os.read(reader, 65_536):
            pieces.append(data)
    except OSError:  # EIO: the other end is closed
        return


def listed() -> list[dict[str, Any]]:
    """Return the lines of ``tui-meta ls --json``."""
    return [json.loads(line) for line in ran(Path(), "ls", "--json").splitlines()]


def count(text: str) -> int:
    """Return the iteration of the only run; zero before it appears."""
    found = re.search(r"FOMAML\s+\w+\s+([\d,]+) / [\d,]+", text)
    return int(found.group(1).replace(",", "")) if found else 0


def past(iteration: int) -> Callable[[str], bool]:
    """Return a predicate: the screen shows a later iteration."""
    return lambda text: count(text) > iteration


def panels(text: str) -> int:
    """Count the panels by their upper left corners."""
    return len(re.findall("[╭┏]", text))


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds, described by ``what``."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"never so: {what}"
        time.sleep(0.05)


def until_none_lives() -> None:
    """Wait until every session has ended."""
    until(lambda: not list(live_sessions()), "no session lives")
