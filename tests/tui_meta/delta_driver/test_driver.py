"""An application in a real terminal that may be slow: it never blocks, and loses nothing."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminals.terminal import PATIENCE, Terminal
from tui_meta.delta_driver.flow import QUERY

ROOT = Path(__file__).parents[3]
COLUMNS, ROWS = 80, 24
MANY = 200
"""Frames: more than Textual's queue and a pseudo-terminal together hold."""
ANSWER = "\x1b[1;1R"


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """The busy program, which waits for answers as long as given by the test, or as usual."""
    seconds = [str(request.param)] if hasattr(request, "param") else []
    command = [sys.executable, "-m", "tests.support.terminals.busy_program", *seconds]
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


def test_an_application_continues_while_its_terminal_does_not_read(
    program: Terminal, tmp_path: Path
) -> None:
    program.wait_for("frame")
    before = len(program.raw)
    await_frames(tmp_path, frames(tmp_path) + MANY)
    assert float(kept(tmp_path)[1]) > 0
    made = frames(tmp_path)
    program.wait_until(lambda text: newest(text) >= made, "the newest frame")
    # The pseudo-terminal's buffer, then one or two more frames, of all that were drawn meanwhile.
    assert len(program.raw) - before < 40_000
    program.press("q")
    assert program.wait_for_end() == 0
    assert program.left_behind() == []


def queries(program: Terminal) -> int:
    return program.raw.count(QUERY.encode())


def test_a_terminal_that_answers_gets_the_next_frame_after_its_answer(
    program: Terminal, tmp_path: Path
) -> None:
    program.wait_until(lambda _: queries(program) == 1, "the first query")
    program.press(ANSWER)
    for asked in range(2, 5):
        program.wait_until(lambda _, asked=asked: queries(program) == asked, "the next query")
        await_frames(tmp_path, frames(tmp_path) + MANY // 4)
        program.press(ANSWER)
    program.wait_until(lambda _: queries(program) == 5, "the last query")
    await_frames(tmp_path, frames(tmp_path) + MANY)
    program.press("q")
    assert program.wait_for_end() == 0
    assert queries(program) <= 6  # the key asks for one frame more
    assert program.left_behind() == []


@pytest.mark.parametrize("program", [1], indirect=True)
def test_an_answer_is_not_a_key(program: Terminal) -> None:
    program.wait_until(lambda _: queries(program) == 1, "the first query")
    program.press("\x1b[5;1R")
    program.press("s" + ANSWER * 3)
    program.wait_until(is_still, "a still screen")
    program.press("q")
    assert program.wait_for_end() == 0


def test_output_besides_the_screen_is_never_lost(program: Terminal, tmp_path: Path) -> None:
    await_frames(tmp_path, MANY)
    program.press("s")
    program.wait_until(is_still, "a still screen")
    program.press("q")
    assert program.wait_for_end() == 0
    titles = re.compile(rb"\x1b\][^\x07]*\x07")
    assert titles.sub(b"", program.raw).count(b"\x07") == frames(tmp_path)


def test_a_garbled_screen_is_redrawn_on_request(program: Terminal) -> None:
    program.wait_for("frame")
    program.press("s")
    program.wait_until(is_still, "a still screen")
    program.wipe()
    program.press("f")
    program.wait_until(is_still, "the same screen again")


def is_still(text: str) -> bool:
    return text.count("still") == 5 * ROWS


def test_the_screen_is_redrawn_after_a_stop(program: Terminal, tmp_path: Path) -> None:
    program.wait_for("frame")
    program.signal(signal.SIGTSTP)
    program.wait_until(lambda _: stopped(program.pid), "the process stopped")
    program.wipe()
    program.signal(signal.SIGCONT)
    seen = frames(tmp_path)
    program.wait_until(lambda text: newest(text) > seen, "a new frame")
    program.press("q")
    assert program.wait_for_end() == 0
    assert program.left_behind() == []


def stopped(pid: int) -> bool:
    """Return whether the process is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
