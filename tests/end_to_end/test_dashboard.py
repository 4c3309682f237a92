"""The dashboard in a real terminal, used through its keys."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from core.storage.checkpoint import load_checkpoint
from core.storage.latest_checkpoint import latest_checkpoint
from tests.support.soak import soak
from tests.support.terminals.terminal import Terminal

COMMAND = [sys.executable, "-m", "tui_meta"]
ESCAPE = "\x1b"
BURSTS = soak(10, 200)


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: str, columns: int = 120, rows: int = 40) -> Terminal:
        terminal = Terminal([*COMMAND, *arguments], columns=columns, rows=rows, cwd=tmp_path)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def iterations(text: str) -> dict[str, int]:
    """The iteration counts of the header, by algorithm."""
    found = re.findall(r"(FOMAML|Reptile)\s+\w+\s+([\d,]+) / [\d,]+", text)
    return {title: int(count.replace(",", "")) for title, count in found}


def panels(text: str) -> int:
    """How many panels there are, by their upper left corners."""
    return len(re.findall("[╭┏]", text))


def both_past(count: int) -> Callable[[str], bool]:
    """Whether both runs have made more than ``count`` iterations."""
    return lambda text: len(iterations(text)) == 2 and min(iterations(text).values()) > count


def events(folder: Path, kind: str) -> list[dict[str, object]]:
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    decoded = [msgspec.json.decode(line) for line in lines]
    return [event for event in decoded if event["event"] == kind]


def run_folders(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "checkpoints").iterdir())


def test_a_run_is_watched_steered_saved_left_and_resumed(
    open_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = open_terminal("--iterations", "100000000", "--eval-interval", "200")
    terminal.wait_until(both_past(0), "both runs begin")
    terminal.wait_until(both_past(400), "both iteration counts rise")

    terminal.press(" ")
    # The line of messages says "paused" as well, and may say it of one run before the other's.
    paused = re.compile(r"(?:FOMAML|Reptile) +paused ")
    terminal.wait_until(lambda text: len(paused.findall(text)) == 2, "both runs paused")
    before = iterations(terminal.text)
    terminal.press(".")
    after = {title: count + 1 for title, count in before.items()}
    terminal.wait_until(lambda text: iterations(text) == after, "one step more")
    terminal.press("s")
    terminal.wait_for("saved", f"{after['FOMAML']:09d}.safetensors")
    for key, said in (("e", "random"), ("1", "standard"), ("2", "half range")):
        terminal.press(key)
        terminal.wait_for(said)
    terminal.press("S")
    terminal.wait_for("loss per step")

    terminal.press("?")
    terminal.wait_for("Pause or resume")
    terminal.press(ESCAPE)
    # Written at once, escape and space would be one key: alt with space.
    terminal.wait_until(lambda text: "Pause or resume" not in text, "help is closed")
    terminal.press(" ")
    terminal.wait_until(lambda text: text.count("training ") >= 2, "both runs train again")
    terminal.press("<")
    terminal.wait_for("pace", "it/s")
    terminal.press(">")
    terminal.wait_for("full speed")

    for columns, rows in ((80, 24), (200, 60), (20, 5), (120, 40)):
        terminal.resize(columns, rows)
        if columns >= 80:
            terminal.wait_until(both_past(0), f"the runs at {columns} x {rows}")

    terminal.press("q")
    terminal.wait_for("save and stop")
    terminal.press("s")
    assert terminal.wait_for_end() == 0
    assert b"resume" in terminal.raw

    folders = run_folders(tmp_path)
    saved = {folder.name: latest_checkpoint(folder).path for folder in folders}
    resumed = open_terminal("resume", *map(str, folders))
    last = min(load_checkpoint(path).state.iteration for path in saved.values())
    resumed.wait_until(both_past(last), "training from the checkpoints")
    resumed.press("q")
    resumed.wait_for("save and stop")
    resumed.press("s")
    assert resumed.wait_for_end() == 0
    for folder in folders:
        assert events(folder, "started")[1]["resumed_from"] == str(saved[folder.name])


def test_finished_runs_continue_and_are_replaced_by_new_ones(
    open_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = open_terminal("--iterations", "60", "--eval-interval", "20")
    both = re.compile(r"finished +60 / 60")
    terminal.wait_until(lambda text: len(both.findall(text)) >= 2, "both runs finished")
    terminal.press("c")
    terminal.wait_until(lambda text: text.count("120 / 120") >= 2, "as many iterations again")
    terminal.press("r")
    terminal.wait_for("new runs?")
    terminal.press("n")
    terminal.wait_until(lambda text: text.count("60 / 60") >= 2, "fresh runs")
    terminal.press("q")
    assert terminal.wait_for_end() == 0
    assert len(run_folders(tmp_path)) == 4


def test_focus_moves_and_panels_are_enlarged_and_restored(
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal("--iterations", "40", "--eval-interval", "20")
    terminal.wait_until(lambda text: text.count("finished") >= 2, "both runs finished")
    assert panels(terminal.text) == 4
    for key in ("\t", "\x1b[Z", "\x1b[B", "\x1b[A", "\x1b[C", "\x1b[D"):
        terminal.press(key)
    terminal.press("\t\r")
    terminal.wait_until(lambda text: panels(text) == 1, "one panel alone")
    terminal.press(ESCAPE)
    terminal.wait_until(lambda text: panels(text) == 4, "all panels again")
    terminal.press("q")
    assert terminal.wait_for_end() == 0


def test_the_last_of_several_quick_resizes_is_drawn_completely(
    open_terminal: Callable[..., Terminal],
) -> None:
    """Of runs at rest, for which nothing else is drawn."""
    terminal = open_terminal("--iterations", "2000", columns=80, rows=24)
    terminal.wait_until(lambda text: text.count("finished ") >= 2, "both runs have finished")
    terminal.wait_for("1,000 tasks: ")
    terminal.press("\t\x1b[Z")
    terminal.read_for(1)
    whole = terminal.text
    for _ in range(BURSTS):
        for columns, rows in ((60, 20), (81, 25), (40, 12), (80, 23), (80, 24)):
            terminal.resize(columns, rows)
        terminal.wait_until(lambda text: text == whole, "the screen as it was")
