"""A pseudo-terminal in which the program runs, with an emulated screen."""

import os
import re
import signal
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import pexpect
import pyte

PATIENCE = 90
"""Seconds until a missing screen is a failure; never reached when all is well."""


_USUAL = {b"7": b"h", b"25": b"h"}
"""Private modes that are set by default: line wrap and the cursor."""


_CAN_YOU_SYNCHRONIZE, _I_CAN = b"\x1b[?2026$p", "\x1b[?2026;2$y"
_UPDATES, _UPDATED = b"\x1b[?2026h", b"\x1b[?2026l"


class Terminal:
    """Runs ``command`` in a terminal of the given size, and keeps its screen.

    A ``synchronized`` terminal reports that it supports synchronized updates.
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
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._lines: list[str] | None = None
        self._reversed: list[str] | None = None
        self._stream = pyte.ByteStream(self._screen)
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "PYTHONWARNINGS": "default",
            **(variables or {}),
        }
        for size in ("COLUMNS", "LINES"):
            environment.pop(size, None)
        self._child = pexpect.spawn(
            command[0],
            list(command[1:]),
            dimensions=(rows, columns),
            cwd=str(cwd),
            env=environment,
            timeout=PATIENCE,
        )
        # Without this every key would be held back for 50 ms.
        self._child.delaybeforesend = None
        self.raw = b""
        self._synchronized = synchronized
        self._modes = termios.tcgetattr(self._child.child_fd)

    @property
    def pid(self) -> int:
        """The process of the program."""
        return int(self._child.pid)

    @property
    def lines(self) -> list[str]:
        """The rows of the screen as text."""
        if self._lines is None:  # reading the screen off its cells takes 5 ms
            self._lines = list(self._screen.display)
        return list(self._lines)

    @property
    def text(self) -> str:
        """The screen as text."""
        return "\n".join(self.lines)

    @property
    def reversed(self) -> list[str]:
        """The stretches of text in reverse video."""
        if self._reversed is None:
            self._reversed = self._reversed_now()
        return self._reversed

    @property
    def whole(self) -> bool:
        """True between updates of a synchronized terminal."""
        return self.raw.rfind(_UPDATES) <= self.raw.rfind(_UPDATED)

    def press(self, keys: str) -> None:
        """Type ``keys``."""
        self._child.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size, and forget what it showed at the old one."""
        self._screen.resize(rows, columns)
        self.wipe()
        self._child.setwinsize(rows, columns)

    def wipe(self) -> None:
        """Forget what is on the screen, as when another program has written over it."""
        self._screen.erase_in_display(2)
        self._lines = self._reversed = None

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        self._child.kill(number)

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
        self._modes_after = termios.tcgetattr(self._child.child_fd)
        self._child.close()
        return self._child.exitstatus if self._child.exitstatus is not None else -1

    def hang_up(self) -> int:
        """Take the terminal away, and wait for the end of the program; gives its exit code."""
        self.let_go()
        return self.wait_without_terminal()

    def let_go(self) -> None:
        """Take the terminal away."""
        self._child.ptyproc.fileobj.close()

    def wait_without_terminal(self) -> int:
        """Wait for the end of the program that has lost it; gives its exit code."""
        _, status = os.waitpid(self.pid, 0)
        self._child.ptyproc.closed = self._child.ptyproc.terminated = True
        return os.waitstatus_to_exitcode(status)

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
        if self._child.isalive():
            self._child.kill(signal.SIGKILL)
            self._child.wait()
        self._child.close(force=True)

    def _reversed_now(self) -> list[str]:
        stretches = []
        for row in range(self._screen.lines):
            cells = [self._screen.buffer[row][column] for column in range(self._screen.columns)]
            for is_reversed, group in groupby(cells, key=lambda cell: cell.reverse):
                if is_reversed:
                    stretches.append("".join(cell.data for cell in group))
        return stretches

    def _read(self) -> bool:
        try:
            data = self._child.read_nonblocking(65536, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        if self._synchronized and _CAN_YOU_SYNCHRONIZE in data:
            self._child.send(_I_CAN)
        self._stream.feed(data)
        self._lines = self._reversed = None
        return True
