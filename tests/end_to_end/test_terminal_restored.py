"""However the dashboard ends, or is stopped, the runs are saved and the terminal is as it was."""

import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.terminals.faulty import PROBLEM
from tests.support.terminals.terminal import PATIENCE, Terminal

ROOT = Path(__file__).parents[2]
AT = "12,300 / 50,000"
SIZE = (120, 40)
Open = Callable[..., Terminal]


@pytest.fixture
def open_dashboard(tmp_path: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(fault: str = "none", prefix: str = "") -> Terminal:
        opened.append(opened_in(tmp_path, fault, prefix))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def opened_in(folder: Path, fault: str = "none", prefix: str = "") -> Terminal:
    """Return a terminal with a dashboard in ``folder``; a shell runs ``prefix`` before it."""
    variables = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")}
    command = [sys.executable, "-m", "tests.support.terminals.faulty", fault]
    if prefix:
        command = ["sh", "-c", f"{prefix}; exec {shlex.join(command)}"]
    columns, rows = SIZE
    return Terminal(command, columns=columns, rows=rows, cwd=folder, variables=variables)


def await_file(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"never there: {path.name}"
        time.sleep(0.01)


def was_saved(folder: Path) -> bool:
    return (folder / "stopped").read_text().split()[0] == "True"


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name
)
def test_a_signal_saves_and_ends_with_its_exit_code(
    open_dashboard: Open, tmp_path: Path, number: signal.Signals
) -> None:
    terminal = open_dashboard()
    terminal.wait_for(AT)
    terminal.signal(number)
    assert terminal.wait_for_end() == 128 + number
    assert terminal.left_behind() == []
    assert was_saved(tmp_path)
    resume = b"resume with: tui-meta resume checkpoints/fomaml-1 checkpoints/reptile-1"
    assert resume in terminal.raw


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_second_signal_does_not_cut_the_save_short(
    open_dashboard: Open, tmp_path: Path, second: signal.Signals
) -> None:
    terminal = open_dashboard("slow save")
    terminal.wait_for(AT)
    terminal.signal(signal.SIGTERM)
    await_file(tmp_path / "saving")
    terminal.signal(second)
    terminal.wait_for("saving, then leaving")
    (tmp_path / "go").touch()
    assert terminal.wait_for_end() == 128 + signal.SIGTERM
    assert terminal.left_behind() == []
    assert was_saved(tmp_path)


def test_a_signal_before_the_first_frame_saves_and_ends(
    open_dashboard: Open, tmp_path: Path
) -> None:
    terminal = open_dashboard()
    terminal.wait_until(lambda _: b"\x1b[?1049h" in terminal.raw, "the alternate screen")
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_for_end() == 128 + signal.SIGTERM
    assert terminal.left_behind() == []
    assert was_saved(tmp_path)


def test_a_hang_up_while_the_quit_question_is_open_saves(
    open_dashboard: Open, tmp_path: Path
) -> None:
    terminal = open_dashboard()
    terminal.wait_for(AT)
    terminal.press("q")
    terminal.wait_for("save and stop")
    terminal.signal(signal.SIGHUP)
    assert terminal.wait_for_end() == 128 + signal.SIGHUP
    assert terminal.left_behind() == []
    assert was_saved(tmp_path)


def test_a_signal_during_the_final_save_waits_for_it(open_dashboard: Open, tmp_path: Path) -> None:
    terminal = open_dashboard("slow save")
    terminal.wait_for(AT)
    terminal.press("q")
    terminal.wait_for("save and stop")
    terminal.press("s")
    await_file(tmp_path / "saving")
    terminal.signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert terminal.wait_for_end() == 128 + signal.SIGTERM
    assert terminal.left_behind() == []
    assert was_saved(tmp_path)


@pytest.mark.parametrize("prefix", ["true", "trap '' HUP"], ids=["signalled", "under nohup"])
def test_a_terminal_that_goes_away_saves_and_ends(
    open_dashboard: Open, tmp_path: Path, prefix: str
) -> None:
    terminal = open_dashboard(prefix=prefix)
    terminal.wait_for(AT)
    assert terminal.hang_up() == 128 + signal.SIGHUP
    assert was_saved(tmp_path)


@pytest.fixture(scope="module")
def stoppable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A dashboard that several tests stop and continue; it ends like any other."""
    folder = tmp_path_factory.mktemp("stoppable")
    with closing(opened_in(folder)) as terminal:
        terminal.wait_for(AT)
        yield terminal
        terminal.press("q")
        terminal.wait_for("save and stop")
        terminal.press("s")
        assert terminal.wait_for_end() == 0
        assert terminal.left_behind() == []
        assert was_saved(folder)


def assert_obeys(terminal: Terminal, keys: str = "q") -> None:
    """Press ``keys``, see the quit question, and close it."""
    terminal.press(keys)
    terminal.wait_for("save and stop")
    terminal.press("\x1b")
    terminal.wait_until(lambda text: "save and stop" not in text, "the question is closed")


def wait_for_width(terminal: Terminal, columns: int) -> None:
    """Read until the whole screen is drawn, ``columns`` wide; it may be on its way in another."""
    terminal.wait_for(AT, "q quit", "validation")
    terminal.wait_until(
        lambda text: max(len(line.rstrip()) for line in text.splitlines()) == columns,
        f"a screen of {columns} columns",
    )


@pytest.mark.parametrize("size", [SIZE, (100, 30)], ids=["same size", "other size"])
@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP], ids=lambda n: n.name)
def test_the_screen_is_redrawn_in_its_size_after_a_stop(
    stoppable: Terminal, number: signal.Signals, size: tuple[int, int]
) -> None:
    stoppable.signal(number)
    stoppable.wait_until(lambda _: stopped(stoppable.pid), "the process stopped")
    stoppable.press("\x1b[D")  # typed while it sleeps; and what is on the screen is lost
    stoppable.resize(*size)
    stoppable.wipe()
    stoppable.signal(signal.SIGCONT)
    wait_for_width(stoppable, size[0])
    assert_obeys(stoppable)
    if size != SIZE:
        stoppable.resize(*SIZE)
        wait_for_width(stoppable, SIZE[0])


@pytest.mark.parametrize("before", ["", "q"], ids=["a screen", "a dialog"])
def test_ctrl_z_stops_the_dashboard(stoppable: Terminal, before: str) -> None:
    stoppable.press(before)
    if before:
        stoppable.wait_for("save and stop")
    stoppable.press("\x1a")
    stoppable.wait_until(lambda _: stopped(stoppable.pid), "the process stopped")
    stoppable.wipe()
    stoppable.signal(signal.SIGCONT)
    stoppable.wait_for(AT)
    assert_obeys(stoppable, "" if before else "q")


def test_a_continuation_without_a_stop_changes_nothing(stoppable: Terminal) -> None:
    stoppable.wipe()
    stoppable.signal(signal.SIGCONT)
    stoppable.wait_for(AT)
    assert_obeys(stoppable)


@pytest.mark.parametrize("fault", ["render", "timer", "loop", "keys"])
def test_a_crash_saves_restores_the_terminal_and_names_the_log(
    open_dashboard: Open, tmp_path: Path, fault: str
) -> None:
    terminal = open_dashboard(fault)
    terminal.wait_for(AT)
    terminal.press(".")
    if fault == "keys":
        await_file(tmp_path / "armed")
        terminal.press(".")
    assert terminal.wait_for_end() == 1
    assert terminal.left_behind() == []
    assert was_saved(tmp_path)
    (log,) = (tmp_path / "state" / "tui-meta").iterdir()
    assert f"RuntimeError: {PROBLEM}" in log.read_text()
    assert "Traceback" in log.read_text()
    assert b"Traceback" not in terminal.raw
    line = rf"error: the dashboard crashed \(bug in tui-meta\): RuntimeError: {PROBLEM}"
    assert re.search(line.encode(), terminal.raw)
    assert str(log).encode() in terminal.raw


def test_a_crash_while_saving_restores_the_terminal(
    open_dashboard: Open,
) -> None:
    terminal = open_dashboard("save")
    terminal.wait_for(AT)
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_for_end() == 1
    assert terminal.left_behind() == []
    assert b"Traceback" not in terminal.raw


def test_a_signal_ends_a_dashboard_that_hangs(open_dashboard: Open, tmp_path: Path) -> None:
    terminal = open_dashboard("stuck")
    terminal.wait_for(AT)
    terminal.press(".")
    await_file(tmp_path / "stuck")
    terminal.signal(signal.SIGTERM)
    assert terminal.wait_for_end() == 128 + signal.SIGTERM
    assert terminal.left_behind() == []
    assert was_saved(tmp_path)


def stopped(pid: int) -> bool:
    """Whether the process is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
