"""Headless training as a process: signals, pipes, terminals and resuming."""

import array
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.support.terminals.dashboards import PROGRAM, ran
from tests.support.terminals.forked import Piped
from tests.support.terminals.terminal import PATIENCE, Terminal

LONG = ["--iterations", "1000000000", "--algorithms", "fomaml", "--network.hidden", "8"]


class Training:
    """A headless process in ``folder``, whose events are read as they come.

    The fork server starts it, unless ``how`` has options of ``Popen``.
    """

    def __init__(self, folder: Path, *tokens: str, **how):
        self.process = (
            subprocess.Popen(
                [*PROGRAM, *tokens],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,  # so that nothing read ahead is lost to communicate()
                **how,
            )
            if how
            else Piped([*PROGRAM[1:], *tokens], folder)
        )

    def wait_for(self, event: str) -> dict:
        for line in self.process.stdout:
            record = json.loads(line)
            if record["event"] == event:
                return record
        raise AssertionError(f"no event {event}: {self.process.stderr.read()}")

    def end(self) -> tuple[int, list[dict], str]:
        """The exit code, the events since the last one read, and standard error."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return (
            self.process.returncode,
            [json.loads(line) for line in out.splitlines()],
            err.decode(),
        )


def of(events: list[dict], kind: str) -> list[dict]:
    return [event for event in events if event["event"] == kind]


def last_saves(events: list[dict]) -> list[dict]:
    """What was saved because the run ended, not by the clock or as the best."""
    return [event for event in of(events, "saved") if event["kind"] == "final"]


def interrupted(folder: Path, number: int, code: int) -> tuple[dict, str]:
    """Train until a signal ends it; return the last save, and what was printed besides events."""
    training = Training(folder, "--json", *LONG)
    training.wait_for("progress")
    training.process.send_signal(number)
    returned, events, err = training.end()
    assert returned == code
    (saved,), (stopped,) = last_saves(events), of(events, "stopped")
    assert saved["iteration"] == stopped["iteration"] > 0
    assert (folder / saved["path"]).exists()
    assert "Traceback" not in err
    assert "resume with: tui-meta resume checkpoints/" in err
    return saved, err


def test_sigterm_saves_and_ends_with_its_exit_code(tmp_path):
    interrupted(tmp_path, signal.SIGTERM, 143)


def test_an_interrupt_saves_and_the_printed_command_resumes(tmp_path):
    saved, err = interrupted(tmp_path, signal.SIGINT, 130)
    command = re.search(r"resume with: tui-meta (resume .*)", err).group(1).split()

    target = saved["iteration"] + 150
    again = Training(tmp_path, *command, "--json", "--iterations", str(target))
    returned, events, err = again.end()
    assert returned == 0
    assert events[0]["event"] == "started"
    assert events[0]["iteration"] == saved["iteration"]
    resumed = Path(events[0]["resumed_from"])
    assert err.startswith(f"resuming {resumed.relative_to(tmp_path)}\n")
    assert resumed.samefile(tmp_path / saved["path"])
    assert of(events, "finished")[0]["iteration"] == target


def test_a_second_interrupt_leaves_at_once(tmp_path):
    # One iteration of this takes minutes, so a stop would not be obeyed soon.
    slow = ["--algorithms", "reptile", "--engine", "torch", "--reptile.points", "100000"]
    more = ["--reptile.batch-size", "1", "--reptile.inner-epochs", "20"]
    training = Training(tmp_path, "--json", *slow, *more)
    training.wait_for("started")
    training.process.send_signal(signal.SIGINT)
    for line in training.process.stderr:
        if b"stopping" in line:
            break
    # One that comes before the announcement is marked as written does nothing.
    while training.process.poll() is None:
        training.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    returned, events, _ = training.end()
    assert returned == 130
    assert of(events, "saved") == []


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=len)
def test_a_signal_saves_although_nobody_reads(tmp_path, signals):
    often = ["--eval-interval", "1", "--pace", "1000", "--autosave-seconds", "0"]
    training = Training(tmp_path, "--json", *LONG, *often)
    training.wait_for("started")
    before, waiting = 0, array.array("i", [-1])
    while before != waiting[0]:  # a pipe that is full blocks its writer
        before = waiting[0]
        time.sleep(0.3)
        fcntl.ioctl(training.process.stdout, termios.FIONREAD, waiting)
    for number in signals:
        training.process.send_signal(number)
        time.sleep(0.3)
    assert training.process.wait(PATIENCE) == 128 + signals[0]
    assert list(tmp_path.glob("checkpoints/*/*.safetensors"))
    assert b"resume with: tui-meta resume checkpoints/" in training.process.stderr.read()
    training.process.stdout.close()
    training.process.stderr.close()


def test_a_hang_up_does_not_end_training(tmp_path):
    slow = ["--iterations", "3000", "--pace", "2000"]  # it must not end before the signal
    training = Training(tmp_path, "--json", *slow, "--network.hidden", "8")
    training.wait_for("started")
    training.process.send_signal(signal.SIGHUP)
    returned, events, _ = training.end()
    assert returned == 0
    assert len(of(events, "finished")) == 2


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP], ids=lambda n: n.name)
def test_a_process_that_was_stopped_trains_again_after_sigcont(tmp_path, number):
    # In a group of its own: the system does not stop an orphaned group by SIGTSTP.
    training = Training(tmp_path, "--json", *LONG, process_group=0)
    training.wait_for("progress")
    training.process.send_signal(number)
    assert os.WIFSTOPPED(os.waitpid(training.process.pid, os.WUNTRACED)[1])
    (log,) = tmp_path.glob("checkpoints/*/events.jsonl")
    last = json.loads(log.read_bytes().splitlines()[-1])["iteration"]
    training.process.send_signal(signal.SIGCONT)
    while training.wait_for("progress")["iteration"] <= last:
        pass
    training.process.send_signal(signal.SIGTERM)
    returned, events, err = training.end()
    assert returned == 143
    (saved,), (stopped,) = last_saves(events), of(events, "stopped")
    assert saved["iteration"] == stopped["iteration"] > last
    assert "resume with: tui-meta resume checkpoints/" in err


def test_a_stop_leaves_the_cursor_of_the_terminal_as_it_was(tmp_path):
    terminal = Terminal([*PROGRAM, "--no-tui", *LONG], cwd=tmp_path)
    try:
        terminal.wait_for("FOMAML", "it/s", "left")
        hidden, shown = terminal.raw.rfind(b"\x1b[?25l"), terminal.raw.rfind(b"\x1b[?25h")
        assert hidden < shown
    finally:
        terminal.close()


def test_a_process_that_ignores_hangups_trains_to_its_end(tmp_path):
    training = Training(
        tmp_path,
        *["--json", "--iterations", "3000", "--pace", "2000", "--network.hidden", "8"],
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    training.wait_for("started")
    training.process.send_signal(signal.SIGHUP)
    returned, events, _ = training.end()
    assert returned == 0
    assert len(of(events, "finished")) == 2


@pytest.mark.parametrize("output", ["--json", "--no-tui"])
def test_a_closed_pipe_ends_training_quietly_with_a_save(tmp_path, output):
    training = Training(tmp_path, output, *LONG, "--eval-interval", "10")
    training.process.stdout.readline()
    training.process.stdout.close()
    with training.process.stderr as stream:
        err = stream.read().decode()
    assert training.process.wait(PATIENCE) == 141
    assert err.count("\n") <= (1 if output == "--json" else 0), err
    assert list(tmp_path.glob("checkpoints/*/*.safetensors"))


def test_help_and_tables_may_be_cut_off(tmp_path):
    cut = subprocess.run(
        f"{sys.executable} -m tui_meta --help | head -1",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert cut.stdout.startswith("Usage: tui-meta")
    assert cut.stderr == ""


def test_piped_lines_are_plain_and_complete(tmp_path):
    run = ["--no-tui", "--iterations", "100", "--eval-interval", "50", "--network.hidden", "8"]
    training = Piped([*PROGRAM[1:], *run], tmp_path)
    out, err = training.communicate(PATIENCE)
    assert (training.returncode, err) == (0, b"")
    assert b"\x1b" not in out
    assert out.count(b": random task, loss ") == 4


def test_an_ascii_stream_gets_what_it_can_show(tmp_path):
    done = subprocess.run(
        [*PROGRAM, "--no-tui", "--iterations", "10", "--eval-interval", "10"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert b": random task, loss " in done.stdout
    assert done.stdout.isascii()


def test_a_terminal_shows_bars_and_ctrl_c_leaves_a_tidy_screen(tmp_path):
    terminal = Terminal(
        [*PROGRAM, "--no-tui", "--iterations", "100000000", "--eval-interval", "100000"],
        columns=80,
        rows=24,
        cwd=tmp_path,
        variables={"NO_COLOR": "1"},
    )
    try:
        terminal.wait_for("FOMAML", "Reptile", "/ 100,000,000", "it/s", "left")
        terminal.press("\x03")
        assert terminal.wait_for_end() == 130
        lines = [line.strip() for line in terminal.lines]
        assert "stopping and saving; Ctrl-C again quits without saving" in lines
        assert sum("stopped at " in line for line in lines) == 2
        assert not any("it/s" in line or "^C" in line for line in lines)
        assert "resume with: tui-meta resume checkpoints/" in terminal.text
        colours = re.findall(rb"\x1b\[[0-9;]*\b(?:3[0-7]|9[0-7]|38)\b[0-9;]*m", terminal.raw)
        assert colours == []
    finally:
        terminal.close()


def test_eval_and_compare_work_on_what_training_left(tmp_path):
    ran(tmp_path, *("--no-tui", "--iterations", "50", "--name", "my", "--network.hidden", "8"))
    runs = ["checkpoints/fomaml-my", "checkpoints/reptile-my"]
    shown = ran(tmp_path, "eval", *runs, "--tasks", "10")
    assert "3. Loss per gradient step" in shown
    assert "Reptile" in shown
    compared = json.loads(ran(tmp_path, "compare", *runs, "--tasks", "10", "--json"))
    assert compared["a"]["iteration"] == 50
    assert compared["random_tasks"]["difference"][32]["n"] == 10
