"""Lab and time machine in a real terminal, during training."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.terminals.terminal import Terminal

COMMAND = [sys.executable, "-m", "tui_meta", "--iterations", "100000000", "--eval-interval", "200"]
ESCAPE, LEFT, UP = "\x1b", "\x1b[D", "\x1b[A"


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(columns: int, rows: int) -> Terminal:
        opened.append(Terminal(COMMAND, columns=columns, rows=rows, cwd=tmp_path))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def live(text: str) -> list[int]:
    """The iterations of the live thetas that have answered."""
    return [
        int(found.replace(",", "")) for found in re.findall(r"iteration ([\d,]+) \(live\)", text)
    ]


def frozen(text: str) -> list[int]:
    """The iterations of the thetas that are frozen."""
    return [int(found.replace(",", "")) for found in re.findall(r"frozen ([\d,]+)", text)]


def losses(text: str, title: str) -> list[str]:
    """Before, at the present step, at the end."""
    return re.findall(rf"{title} +([\d.e-]+) +([\d.e-]+) +([\d.e-]+)", text)[0]  # type: ignore[no-any-return]


def past_first_evaluation(text: str) -> bool:
    """Return True once both runs show more than 1,000 iterations."""
    counts = re.findall(r"(?:FOMAML|Reptile) +training +([\d,]+) /", text)
    return len(counts) == 2 and all(int(count.replace(",", "")) > 1_000 for count in counts)


def ends(terminal: Terminal) -> None:
    assert terminal.wait_for_end() == 0
    assert terminal.left_behind() == []


def test_a_task_is_set_probed_and_watched_in_the_lab(
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal(80, 24)
    terminal.wait_until(lambda text: text.count("training ") >= 2, "both runs train")
    terminal.press("s")
    terminal.wait_for("saved")
    terminal.press("a")
    first = live(terminal.wait_until(lambda text: len(live(text)) == 2, "both thetas answer"))
    terminal.wait_until(
        lambda text: len(live(text)) == 2 and min(map(int.__sub__, live(text), first)) > 0,
        "the thetas are followed",
    )
    terminal.press("z")
    text = terminal.wait_until(lambda text: len(frozen(text)) == 2, "both thetas are frozen")
    still = frozen(text)

    terminal.press(",,")
    terminal.wait_for("step 30 of 32")
    terminal.press("g")
    text = terminal.wait_for("step 0 of 32")
    before, now, _ = losses(text, "Reptile")
    assert before == now
    terminal.press("P")
    terminal.wait_for("playing")
    terminal.wait_for("step 3 of 32")
    terminal.press("P")
    terminal.wait_for("cursor at")
    terminal.press("G")
    terminal.wait_for("step 32 of 32")

    terminal.press("6")
    terminal.wait_for("points 10", "steps 32", *(f"frozen {one:,}" for one in still))
    terminal.press("5")
    terminal.wait_for("points 1 ")
    terminal.press("n")
    terminal.wait_for("task 2")
    terminal.press(f"{UP}lA")
    terminal.wait_for("points 2 ", "edited")
    terminal.press("H")
    terminal.wait_for("grabbed at")
    terminal.press("hH")
    terminal.wait_for("cursor at")
    terminal.press("D")
    terminal.wait_for("points 1 ")
    terminal.press("\x1b[<0;20;15M\x1b[<0;20;15m")
    terminal.wait_for("points 2 ")
    terminal.press("\x1b[<2;20;15M\x1b[<2;20;15m")
    terminal.wait_for("points 1 ")

    terminal.press("\r")
    terminal.wait_for("enter: apply")
    terminal.press("x\r")
    terminal.wait_for("must be a number")
    terminal.press(ESCAPE)
    terminal.wait_until(lambda text: "enter: apply" not in text, "left without a value")
    terminal.press("\t\t+")
    terminal.wait_for("points 2 ")
    terminal.press("\r")
    terminal.wait_for("a whole number")
    terminal.press("12\r")
    terminal.wait_for("points 12 ")
    terminal.press("\x1b[Z\x1b[Z\x1b[Z-")
    terminal.wait_for("▸checkpoint")

    terminal.resize(60, 15)
    terminal.wait_for("12 points", "o chart")
    terminal.press("o")
    terminal.wait_for("loss per step")
    terminal.press(ESCAPE)
    terminal.wait_until(lambda text: "Lab" not in text, "the watch screen")
    terminal.press("q")
    terminal.wait_for("save and stop")
    terminal.press("x")
    ends(terminal)


def both_are_saved(text: str) -> bool:
    iterations = re.findall(r"paused +([\d,]+) /", text)
    return len(iterations) == 2 and iterations == re.findall(r"saved at ([\d,]+)", text)


def test_a_run_is_followed_back_through_its_checkpoints(
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal(120, 40)
    terminal.wait_until(past_first_evaluation, "both runs are evaluated")
    terminal.press(" ")
    terminal.wait_until(lambda text: text.count("paused ") >= 2, "both paused")
    terminal.press("s.")
    terminal.wait_for("saved", "one iteration")
    terminal.press("s")
    terminal.wait_until(both_are_saved, "both are saved")
    terminal.press("t")
    text = terminal.wait_until(
        lambda text: re.search(r"loss [\d.]+ at step 32", text) is not None, "the newest answers"
    )
    count = int(re.findall(r"checkpoint (\d+) of \d+", text)[0])
    assert count >= 2
    terminal.press(LEFT)
    terminal.wait_for(f"checkpoint {count - 1} of {count}")
    terminal.press("l")
    terminal.wait_for(f"checkpoint {count} of {count}")
    terminal.press("g")
    terminal.wait_for(f"checkpoint 1 of {count}")
    terminal.press("j")
    terminal.wait_until(lambda text: f"checkpoint 1 of {count}" not in text, "the other run")
    terminal.press("k2")
    terminal.wait_for(f"checkpoint 1 of {count}", "5 points", "at step 10 of 10")
    terminal.press(",")
    terminal.wait_for("at step 9 of 10")
    terminal.press("EG")
    terminal.wait_until(
        lambda text: re.search(r"evaluation (\d+) of \1,", text) is not None,
        "the newest evaluation",
    )
    terminal.wait_for("E checkpoints", "at step 32 of 32")
    terminal.press("E")
    terminal.wait_for("E evaluations")
    terminal.press("a")
    terminal.wait_for("query loss")
    terminal.press("q")  # paused, so it asks, though both are saved
    terminal.wait_for("save and stop")
    terminal.press("s")
    ends(terminal)
