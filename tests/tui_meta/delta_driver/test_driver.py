"""An application in a real terminal that may be slow: it never waits, and loses nothing."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminals.terminal import PATIENCE, Terminal
from tui_meta.delta_driver.flow import QUESTION

ROOT = Path(__file__).parents[3]
COLUMNS, ROWS = 80, 24
MANY = 200
"""Frames: more than Textual's queue and a pseudo-terminal together hold."""
ANSWER = "\x1b[1;1R"


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "tests.support.terminals.busy_program"]
    variables = {"PYTHONPATH": str(ROOT)}
    terminal = Terminal(command, columns=COLUMNS, rows=ROWS, cwd=tmp_path, variables=variables)
    yield terminal
    terminal.close()


def frames(folder: Path) -> int:
    return int(kept(folder)[0])


def kept(folder: Path) -> list[str]:
    file = folder / "frames"
    return file.read_text().split() if file.exists() else ["0", "0"]


def await_frames(folder: Path, count: int) -> None:
    """Wait, without reading from the terminal."""
    deadline = time.monotonic() + PATIENCE
    while frames(folder) < count:
        assert time.monotonic() < deadline, f"stuck at frame {frames(folder)}"
        time.sleep(0.01)


def newest(text: str) -> int:
    return max(map(int, re.findall(r"frame (\d+)", text)), default=0)


def test_an_application_goes_on_while_its_terminal_takes_nothing(
    wall: Terminal, tmp_path: Path
) -> None:
    wall.wait_for("frame")
    before = len(wall.raw)
    await_frames(tmp_path, frames(tmp_path) + MANY)
    assert float(kept(tmp_path)[1]) > 0
    made = frames(tmp_path)
    wall.wait_until(lambda text: newest(text) >= made, "the newest frame")
    # What the pseudo-terminal holds, then one more frame or two, of all that were made meanwhile.
    assert len(wall.raw) - before < 40_000
    wall.press("q")
    assert wall.wait_for_end() == 0
    assert wall.left_behind() == []


def questions(wall: Terminal) -> int:
    return wall.raw.count(QUESTION.encode())


def test_a_terminal_that_answers_gets_a_frame_when_it_has_shown_the_last(
    wall: Terminal, tmp_path: Path
) -> None:
    wall.wait_until(lambda _: questions(wall) == 1, "the first question")
    wall.press(ANSWER)
    for asked in range(2, 5):
        wall.wait_until(lambda _, asked=asked: questions(wall) == asked, "the next question")
        await_frames(tmp_path, frames(tmp_path) + MANY // 4)
        wall.press(ANSWER)
    wall.wait_until(lambda _: questions(wall) == 5, "the last question")
    await_frames(tmp_path, frames(tmp_path) + MANY)
    wall.press("q")
    assert wall.wait_for_end() == 0
    assert questions(wall) <= 6  # the key asks for one frame more
    assert wall.left_behind() == []


def test_an_answer_is_no_key(wall: Terminal) -> None:
    wall.wait_until(lambda _: questions(wall) == 1, "the first question")
    wall.press("\x1b[5;1R")
    wall.press("s" + ANSWER * 3)
    wall.wait_until(is_still, "it stands still")
    wall.press("q")
    assert wall.wait_for_end() == 0


def test_what_is_no_part_of_the_screen_is_never_lost(wall: Terminal, tmp_path: Path) -> None:
    await_frames(tmp_path, MANY)
    wall.press("s")
    wall.wait_for("frame")
    wall.press("q")
    assert wall.wait_for_end() == 0
    titles = re.compile(rb"\x1b\][^\x07]*\x07")
    assert titles.sub(b"", wall.raw).count(b"\x07") == frames(tmp_path)


def test_a_garbled_screen_is_drawn_anew_when_asked(wall: Terminal) -> None:
    wall.wait_for("frame")
    wall.press("s")
    wall.wait_until(is_still, "it stands still")
    wall.wipe()
    wall.press("f")
    wall.wait_until(is_still, "the same screen again")


def is_still(text: str) -> bool:
    return text.count("still") == 5 * ROWS


def test_after_a_stop_the_screen_is_drawn_anew(wall: Terminal, tmp_path: Path) -> None:
    wall.wait_for("frame")
    wall.signal(signal.SIGTSTP)
    wall.wait_until(lambda _: stopped(wall.pid), "the process stopped")
    wall.wipe()
    wall.signal(signal.SIGCONT)
    seen = frames(tmp_path)
    wall.wait_until(lambda text: newest(text) > seen, "a new frame")
    wall.press("q")
    assert wall.wait_for_end() == 0
    assert wall.left_behind() == []


def stopped(pid: int) -> bool:
    """Whether the process is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
