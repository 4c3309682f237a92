"""A pseudo-terminal in which the program runs, with an emulated screen."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fcntl import ioctl
from itertools import groupby
from pathlib import Path

import pyte
from pyte.screens import Char
from rich.cells import cell_len

from tests.support.terminals.forked import Forked

PATIENCE = 90
"""Seconds until a missing screen is a failure; never reached when all is well."""


_USUAL = {b"7": b"h", b"25": b"h"}
"""Private modes that are set by default: line wrap and the cursor."""


_CAN_YOU_SYNCHRONIZE, _I_CAN = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_UPDATES, _UPDATED = b"\x1b[?2026h", b"\x1b[?2026l"


@dataclass(frozen=True)
class Row:
    """The text of a row of the screen, and the stretches of it in reverse video."""

    text: str = ""
    reversed: tuple[str, ...] = ()

    @classmethod
    def of(cls, cells: Sequence[Char]) -> Row:
        """Return what is in ``cells``; that of a wide character is followed by an empty one."""
        text = "".join(cell.data for cell in cells)
        assert cell_len(text) == len(cells), f"half of a wide character is left in {text!r}"
        found = []
        for is_reversed, group in groupby(cells, key=lambda cell: cell.reverse):
            if is_reversed:
                found.append("".join(cell.data for cell in group))
        return cls(text, tuple(found))


class Terminal:
    """Runs ``command`` in a terminal of the given size, and keeps its screen.

    A ``synchronized`` terminal reports that it supports synchronized updates. Python programs are
    started by the fork server, unless they are to be ``fresh``.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        cwd: Path,
        variables: Mapping[str, str] | None = None,
        synchronized: bool = False,
        fresh: bool = False,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._rows: list[Row] = []
        self._stream = pyte.ByteStream(self._screen)
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "PYTHONWARNINGS": "default",
        }
        for size in ("COLUMNS", "LINES"):
            environment.pop(size, None)
        environment.update(variables or {})
        self._open, its = os.openpty()
        termios.tcsetwinsize(its, (rows, columns))
        self._process: Forked | subprocess.Popen[bytes]
        if command[0] == sys.executable and not fresh:
            self._process = Forked(command[1:], cwd, environment, (its, its, its), terminal=True)
        else:
            self._process = subprocess.Popen(
                command,
                stdin=its,
                stdout=its,
                stderr=its,
                cwd=cwd,
                env=environment,
                start_new_session=True,
                preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
            )
        os.close(its)
        self.raw = b""
        self._synchronized = synchronized
        self._modes = termios.tcgetattr(self._open)

    @property
    def pid(self) -> int:
        """The process of the program."""
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        """The rows of the screen as text."""
        return [row.text for row in self._read_off()]

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.lines)

    @property
    def reversed(self) -> list[str]:
        """The stretches of text in reverse video."""
        return [text for row in self._read_off() for text in row.reversed]

    @property
    def whole(self) -> bool:
        """True between updates of a synchronized terminal."""
        return self.raw.rfind(_UPDATES) <= self.raw.rfind(_UPDATED)

    def press(self, keys: str) -> None:
        """Type ``keys``."""
        self._write(keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size, and forget what it showed at the old one."""
        self._screen.resize(rows, columns)
        self.wipe()
        termios.tcsetwinsize(self._open, (rows, columns))

    def wipe(self) -> None:
        """Forget what is on the screen, as when another program has written over it."""
        self._screen.erase_in_display(2)

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        self._process.send_signal(number)

    def wait_until(
        self, is_so: Callable[[str], bool], what: str, patience: float = PATIENCE
    ) -> str:
        """Read until the screen's text satisfies ``is_so``; gives that text."""
        deadline = time.monotonic() + patience
        while not is_so(self.text):
            if time.monotonic() > deadline or not self._read():
                raise AssertionError(f"never seen: {what}\n{self.text}")
        return self.text

    def wait_for(self, *texts: str) -> str:
        """Read until all ``texts`` are on the screen."""
        return self.wait_until(lambda seen: all(text in seen for text in texts), repr(texts))

    def read_for(self, seconds: float) -> None:
        """Read for so long, or until the program has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._read():
            pass

    def wait_for_end(self) -> int:
        """Read until the program has ended; gives its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            if time.monotonic() > deadline:
                raise AssertionError(f"the program never ended\n{self.text}")
        self._modes_after = termios.tcgetattr(self._open)
        return self.wait_without_terminal()

    def hang_up(self) -> int:
        """Take the terminal away, and wait for the end of the program; gives its exit code."""
        self.let_go()
        return self.wait_without_terminal()

    def let_go(self) -> None:
        """Take the terminal away."""
        if self._open >= 0:
            os.close(self._open)
            self._open = -1

    def wait_without_terminal(self) -> int:
        """Wait for the end of the program that has lost it; gives its exit code."""
        return self._process.wait(PATIENCE)

    def left_behind(self) -> list[str]:
        """Return the modes that the program did not restore."""
        last = dict(re.findall(rb"\x1b\[\?(\d+)([hl])", self.raw))
        left = [mode.decode() for mode, set_to in last.items() if set_to != _USUAL.get(mode, b"l")]
        if len(re.findall(rb"\x1b\[>\d+u", self.raw)) != self.raw.count(b"\x1b[<u"):
            left.append("keyboard protocol")
        if self._modes_after != self._modes:
            left.append("raw mode")
        return left

    def close(self) -> None:
        """Kill the program if it still runs."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)
        self.let_go()

    def _read_off(self) -> Sequence[Row]:
        """Read the rows off their cells that have changed: all of them take 8 ms."""
        screen = self._screen
        del self._rows[screen.lines :]
        self._rows += [Row()] * (screen.lines - len(self._rows))
        for row in screen.dirty.intersection(range(screen.lines)):
            cells = [screen.buffer[row][column] for column in range(screen.columns)]
            self._rows[row] = Row.of(cells)
        screen.dirty.clear()
        return self._rows

    def _read(self) -> bool:
        if not select.select([self._open], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self._open, 65_536)
        except OSError:  # EIO: the program has closed its end
            return False
        self.raw += data
        if self._synchronized and _CAN_YOU_SYNCHRONIZE in data:
            self._write(_I_CAN)
        self._stream.feed(data)
        return True

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._open, data) :]
