"""Leaving a session and coming back to it, and what becomes of it in between."""

import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from core.remote.registry import live_sessions
from core.storage.event_log_reader import history
from core.storage.latest_checkpoint import latest_checkpoint
from tests.support.runs import learned
from tests.support.sessions import only_session
from tests.support.states import bits
from tests.support.terminals.dashboards import (
    PROGRAM,
    RUN,
    SLOW,
    OpenDashboard,
    count,
    listed,
    panels,
    past,
    ran,
    ran_apart,
    until,
    until_none_lives,
)
from tests.support.terminals.forked import Piped
from tests.support.terminals.terminal import Terminal


def start_session(folder: Path, *tokens: str) -> None:
    """Start a session that trains without subscribers."""
    ran(folder, *SLOW, "--detach", *tokens)


def furthest() -> int:
    """Return the highest iteration of all runs in all sessions."""
    return max((run["iteration"] for one in listed() for run in one["runs"]), default=0)


def rows(text: str) -> list[int]:
    """The iterations of the evaluations in the loss table."""
    found = re.findall(r"┃ +([\d,]+) +[\d.]+ +[\d.]+ +[\d.]+", text)
    return [int(row.replace(",", "")) for row in found]


# The session dies.


def test_dashboards_report_a_killed_session_and_one_resumes_it_to_the_same_bits(
    open_dashboard: OpenDashboard, tmp_path: Path, own_place: Path
) -> None:
    saving = ["--autosave-iterations", "1000", "--autosave-seconds", "0"]
    length = ["--iterations", "3000", "--eval-interval", "50", *saving]
    undisturbed = tmp_path / "undisturbed"
    ran(tmp_path, *SLOW[:-2], *length, "--out", "undisturbed", "--no-tui")

    first = open_dashboard(*SLOW, *length, rows=80)
    first.wait_until(past(0), "training")
    second = open_dashboard("attach", columns=80, rows=24)
    for dashboard in (first, second):
        dashboard.wait_until(past(1_500), "iterations after an autosave")
    os.kill(only_session().pid, signal.SIGKILL)
    for dashboard in (first, second):
        dashboard.wait_for("session lost", "resume from the latest checkpoints")
    assert listed() == []
    assert not list(own_place.glob("tui-meta/*.*"))

    second.press("\x1b")
    assert second.wait_for_end() == 1
    first.press("r")
    first.wait_for("finished", "3,000 / 3,000")
    first.press("\r")
    first.wait_until(lambda text: len(rows(text)) >= 60, "the table alone, with all of its rows")
    assert rows(first.text) == list(range(50, 3_001, 50)), first.text
    first.press("q")
    assert first.wait_for_end() == 0
    end, expected = (
        latest_checkpoint(one).checkpoint for one in (tmp_path / RUN, undisturbed / RUN.name)
    )
    assert bits(end.state) == bits(expected.state)
    logs = [list(history(one)) for one in (tmp_path / RUN, undisturbed / RUN.name)]
    assert learned(logs[0]) == learned(logs[1])


IMPATIENT = """
import sys
import core.remote.subscriber
core.remote.subscriber.STUCK_SECONDS = 0.5
from tui_meta.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
"""The program, but that it soon drops a watcher which reads nothing."""


def test_a_dashboard_that_was_stopped_too_long_is_disconnected_and_reconnects(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    often = ("--pace", "2000", "--eval-interval", "10", "--iterations", "1000000")
    lines = open_dashboard(*SLOW[:-2], *often, "--json", command=[sys.executable, "-c", IMPATIENT])
    lines.wait_for("progress")
    dashboard = open_dashboard("attach")
    dashboard.wait_until(past(0), "attached")
    dashboard.signal(signal.SIGSTOP)
    while listed()[0]["watchers"]:
        lines.read_for(0.2)
    dashboard.signal(signal.SIGCONT)
    dashboard.wait_for("disconnected", "reconnect")
    dashboard.press("r")
    dashboard.wait_for("training continues in session 1")
    dashboard.wait_until(past(count(dashboard.text)), "news")
    dashboard.press("dd")
    assert dashboard.wait_for_end() == 0


def test_a_session_ended_by_sigterm_saves_and_its_dashboards_show_it(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    dashboard = open_dashboard(*SLOW)
    dashboard.wait_until(past(0), "training")
    os.kill(only_session().pid, signal.SIGTERM)
    dashboard.wait_for("session ended elsewhere; q: quit", "stopped")
    until_none_lives()
    ended = count(dashboard.text)
    dashboard.press("q")
    assert dashboard.wait_for_end() == 0
    assert b"resume with: tui-meta resume checkpoints/fomaml-x" in dashboard.raw
    assert latest_checkpoint(tmp_path / RUN).checkpoint.state.iteration == ended


# A dashboard goes.


def test_a_terminal_that_hangs_up_leaves_the_runs_and_what_was_seen(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    dashboard = open_dashboard(*SLOW)
    dashboard.wait_until(past(0), "training")
    dashboard.press("e")
    dashboard.wait_for("random")
    dashboard.press("\t\r")
    dashboard.wait_until(lambda text: panels(text) == 1, "one panel alone")
    corner = next(line for line in dashboard.lines if "┏" in line or "╭" in line).split()[1]
    left_at = count(dashboard.text)
    assert dashboard.hang_up() == 128 + signal.SIGHUP
    until(lambda: listed()[0]["watchers"] == [], "no subscriber is left")

    again = open_dashboard("attach", columns=100, rows=30)
    again.wait_until(past(left_at + 200), "the runs have gone on")
    again.wait_until(lambda text: panels(text) == 1, "the same panel alone")
    again.wait_for(corner)
    again.wait_for("random")
    again.press("dd")
    assert again.wait_for_end() == 0
    assert again.left_behind() == []
    assert b"session 1 continues; reconnect with: tui-meta attach 1" in again.raw


def test_a_dashboard_killed_while_its_session_starts_leaves_it_training(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    dashboard = open_dashboard(*SLOW)
    until(lambda: bool(list(live_sessions())), "a session is there")
    dashboard.signal(signal.SIGKILL)
    until(lambda: furthest() > 0, "it trains")


def test_quitting_offers_to_detach_first(open_dashboard: OpenDashboard, tmp_path: Path) -> None:
    dashboard = open_dashboard(*SLOW)
    dashboard.wait_until(past(0), "training")
    dashboard.press("q")
    dashboard.wait_for("detach (training continues)", "save and stop")
    dashboard.press("\r")
    assert dashboard.wait_for_end() == 0
    assert b"reconnect with: tui-meta attach 1" in dashboard.raw
    (session,) = listed()
    assert [run["state"] for run in session["runs"]] == ["training"]
    assert session["watchers"] == []
    output = ran(tmp_path, "stop", "1")
    assert "session 1 ended; resume with: tui-meta resume checkpoints/fomaml-x" in output
    assert listed() == []


def test_sigterm_ends_the_session_that_a_dashboard_started_but_not_one_it_attached_to(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    began = open_dashboard(*SLOW)
    began.wait_until(past(0), "training")
    came = open_dashboard("attach")
    came.wait_until(past(0), "attached")
    came.signal(signal.SIGTERM)
    assert came.wait_for_end() == 128 + signal.SIGTERM
    assert b"session 1 continues" in came.raw
    began.wait_until(past(count(began.text) + 200), "training continues")
    began.signal(signal.SIGTERM)
    assert began.wait_for_end() == 128 + signal.SIGTERM
    until_none_lives()
    saved = latest_checkpoint(tmp_path / RUN).checkpoint
    assert f"stopped at {saved.state.iteration:,}".encode() in began.raw


# Coming back.


def test_the_program_started_again_offers_the_session_that_runs(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    start_session(tmp_path)
    leaves, begins, attaches = (open_dashboard("--name", "y", *SLOW[:2]) for _ in range(3))
    for dashboard in (leaves, begins, attaches):
        dashboard.wait_for("session 1 is running", "enter: attach to session 1")
    leaves.press("q\r")
    assert leaves.wait_for_end() == 0
    attaches.press("\r")
    attaches.wait_until(past(0), "attached")
    assert "session 1" in attaches.text
    begins.press("n\r")
    begins.wait_until(past(0), "new runs")
    assert "session 2" in begins.text
    assert [one["id"] for one in listed()] == ["1", "2"]


def test_detached_runs_continue_detached(tmp_path: Path) -> None:
    output = ran_apart(tmp_path, *SLOW, "--detach")
    assert output == "training in session 1; view with: tui-meta attach 1\n"
    until(lambda: furthest() > 0, "training")
    ran_apart(tmp_path, "stop", "1")
    at = latest_checkpoint(tmp_path / RUN).checkpoint.state.iteration
    ran_apart(tmp_path, "resume", str(RUN), "--detach")
    until(lambda: furthest() > at, "training continues")


def test_a_read_only_dashboard_shows_that_it_is(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    start_session(tmp_path)
    dashboard = open_dashboard("attach", "1", "--read-only")
    dashboard.wait_until(past(0), "attached")
    assert "read-only" in dashboard.lines[0]
    assert "pause" not in dashboard.lines[-1]
    dashboard.press(" ")
    dashboard.wait_for("read-only session")
    dashboard.wait_until(past(count(dashboard.text) + 100), "training continues")
    dashboard.press("q")
    assert dashboard.wait_for_end() == 0
    assert [run["state"] for run in listed()[0]["runs"]] == ["training"]


def test_two_dashboards_keep_their_sizes_and_see_each_others_commands(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    start_session(tmp_path)
    large, small = (
        open_dashboard("attach", columns=140, rows=45),
        open_dashboard("attach", columns=80, rows=24),
    )
    for dashboard, columns in ((large, 140), (small, 80)):
        dashboard.wait_until(lambda text: "2 viewers" in text and count(text) > 0, "both watch")
        assert max(len(line.rstrip()) for line in dashboard.lines) == columns
    large.press(" ")
    small.wait_for("paused", "pause requested by")
    small.press("s")
    large.wait_for("save requested by", "saved")
    assert max(len(line.rstrip()) for line in large.lines) == 140


# Runs without a dashboard.


def test_headless_runs_are_attached_to_and_outlive_their_terminal(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    lines = open_dashboard(*SLOW, "--no-tui", "--iterations", "30000")
    lines.wait_for("it/s")
    dashboard = open_dashboard("attach")
    dashboard.wait_until(past(0), "attached")
    dashboard.press("s")
    lines.wait_for("save requested by")
    pid = only_session().pid
    assert pid == lines.pid
    lines.let_go()
    dashboard.press("dd")
    assert dashboard.wait_for_end() == 0
    ran(tmp_path, "send", "1", "pace", "full")
    assert lines.wait_without_terminal() == 0
    events = [type(event).__name__ for event in history(tmp_path / RUN)]
    assert events[-1] == "Finished"
    until_none_lives()


def test_a_run_joins_headless_ones_from_a_dashboard_and_from_a_script(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    lines = open_dashboard(*SLOW, "--no-tui", "--iterations", "30000")
    lines.wait_for("it/s")
    dashboard = open_dashboard("attach")
    dashboard.wait_until(past(0), "attached")
    dashboard.press("+mine\r")
    dashboard.wait_for("FOMAML seed 1 started: seed 1 instead of 0")
    said = ran(tmp_path, "send", "1", "add", "name=script", "iterations=50", "seed=7")
    assert said.startswith("fomaml-script started, as fomaml-x: seed 7 instead of 0")
    dashboard.wait_for("FOMAML iterations=50")
    dashboard.press("dd")
    assert dashboard.wait_for_end() == 0
    ran(tmp_path, "send", "1", "pace", "full")
    assert lines.wait_for_end() == 0
    for name in ("x", "mine", "script"):
        events = history(tmp_path / RUN.with_name(f"fomaml-{name}"))
        assert [type(event).__name__ for event in events][-1] == "Finished"


def test_attached_dashboards_command_json_runs(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    training = Piped([*PROGRAM[1:], *SLOW, "--json", "--iterations", "20000"], tmp_path)
    training.stdout.readline()
    dashboard = open_dashboard("attach")
    dashboard.wait_until(past(0), "attached")
    dashboard.press(" ")
    dashboard.wait_for("paused")
    dashboard.press("dd")
    assert dashboard.wait_for_end() == 0
    ran(tmp_path, "send", "1", "resume")
    ran(tmp_path, "send", "1", "pace", "full")
    said = training.communicate()[0].decode()
    assert training.returncode == 0
    for event in ("paused", "resumed", "finished"):
        assert f'"event":"{event}"' in said
    assert '"event":"asked"' not in said  # JSON is the log, which has none


# Where people keep their terminals.


MULTIPLEXERS = {
    "bare": ["sh"],
    "tmux": ["tmux", "-u", "-L", "tui-meta-test", "-f", "/dev/null", "new-session", "sh"],
    "screen": ["screen", "-U", "-c", "/dev/null", "-S", "tui-meta-test", "sh"],
}


@pytest.fixture
def shell(
    request: pytest.FixtureRequest,
    open_dashboard: OpenDashboard,
    own_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    """A shell in the multiplexer, whose sockets are in a folder of the test's own."""
    command = MULTIPLEXERS[request.param]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    sockets = own_place / "sockets"
    sockets.mkdir(mode=0o700)
    for name, value in {
        "TMUX_TMPDIR": str(sockets),
        "SCREENDIR": str(sockets),
        "LC_ALL": "C.UTF-8",
        "PS1": "ready> ",
        "SHELL": "/bin/sh",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TMUX", raising=False)
    terminal = open_dashboard(command=command, columns=110, rows=36)
    terminal.wait_for("ready>")
    return terminal


@pytest.mark.parametrize("shell", list(MULTIPLEXERS), indirect=True)
def test_in_a_multiplexer_one_leaves_comes_back_and_resizes(
    shell: Terminal, tmp_path: Path
) -> None:
    program = " ".join(PROGRAM)
    shell.press(f"clear; {program} {' '.join(SLOW)}\r")
    shell.wait_until(past(0), "training")
    shell.press("dd")
    shell.wait_for("reconnect with: tui-meta attach 1", "ready>")
    shell.resize(80, 24)
    shell.press(f"clear; {program} attach\r")
    shell.wait_until(past(0), "attached")
    shell.resize(132, 43)
    shell.wait_until(lambda _: widest(shell) == 132, "as wide as the terminal")
    shell.wait_until(past(count(shell.text)), "training continues")
    shell.press("dd")
    shell.wait_for("reconnect with: tui-meta attach 1", "ready>")
    shell.press("exit\r")
    assert shell.wait_for_end() == 0
    assert [run["state"] for run in listed()[0]["runs"]] == ["training"]


def widest(terminal: Terminal) -> int:
    return max(len(line.rstrip()) for line in terminal.lines)


# What is not loaded.


WITNESS = """
import pathlib, sys
from tui_meta.cli.main import main
code = main(sys.argv[2:])
pathlib.Path(sys.argv[1]).write_text(chr(10).join(sys.modules))
sys.exit(code)
"""
"""The program, which writes down at its end what it has loaded."""


def test_an_attached_dashboard_does_not_load_what_only_training_needs(
    open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    start_session(tmp_path)

    def witnessed(file: str, *tokens: str) -> Terminal:
        command = [sys.executable, "-c", WITNESS]
        return open_dashboard(file, *tokens, command=command, fresh=True)

    ends = {
        "ls": witnessed("ls", "ls"),
        "send": witnessed("send", "send", "1", "save"),
        "watch": witnessed("watch", "watch", "1"),
        "attach": witnessed("attach", "attach", "1"),
        "train": witnessed("train", *SLOW[:2], "--name", "y"),
    }
    ends["watch"].wait_for("it/s")
    ends["watch"].press("\x03")
    ends["train"].wait_for("n, enter: start new runs")
    ends["train"].press("n\r")
    for name in ("attach", "train"):
        ends[name].wait_until(past(0), name)
        ends[name].press("dd")
    for name, dashboard in ends.items():
        assert dashboard.wait_for_end() == (130 if name == "watch" else 0), dashboard.text
        loaded = set((tmp_path / name).read_text().split())
        assert loaded & {"torch", "numba", "llvmlite"} == set(), name
        assert ("textual" in loaded) == (name in ("attach", "train"))
