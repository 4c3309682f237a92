"""A disk that fails under a run costs no training, and nothing that had been said."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.storage.latest_checkpoint import latest_checkpoint
from tests.support.terminals.forked import Piped
from tests.support.terminals.terminal import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")

FULL = 2_000
"""Bytes that a file may have on the disk that is full: fewer than a checkpoint or a log has."""


class Watched:
    """A headless run whose events are collected as they come."""

    def __init__(self, folder: Path) -> None:
        tokens = ["--iterations", "100000000", "--algorithms", "fomaml", "--name", "disk"]
        self.process = Piped(
            ["-m", "tui_meta", "--no-tui", "--json", *tokens, "--autosave-seconds", "0.2"],
            folder,
            XDG_STATE_HOME=str(folder / "state"),  # with compiled kernels
        )
        self.events: list[dict[str, Any]] = []
        self._seen = 0
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, kind: str) -> dict[str, Any]:
        """The next event of ``kind`` after the one that was waited for last."""
        end = time.monotonic() + PATIENCE
        with self._news:
            while time.monotonic() < end:
                for number, event in enumerate(self.events[self._seen :], self._seen + 1):
                    if event["event"] == kind:
                        self._seen = number
                        return event
                self._news.wait(1.0)
        raise AssertionError(f"no event {kind}")

    def limit_files(self, size: int) -> None:
        """Let no file of the process grow beyond ``size`` bytes."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def interrupt(self) -> str:
        """End the run as Ctrl-C does, and return what it wrote to stderr."""
        self.process.send_signal(signal.SIGINT)
        output = self.process.stderr.read().decode()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return output

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    watched.wait_for("progress")
    yield watched
    watched.process.kill()
    watched.process.communicate(PATIENCE)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, also for root, who is not bound by permissions."""
    close, open_ = (["chmod", "555"], ["chmod", "755"])
    if os.geteuid() == 0:
        close, open_ = (["chattr", "+i"], ["chattr", "-i"])
    if (
        not shutil.which(close[0])
        or subprocess.run([*close, folder], capture_output=True).returncode
    ):
        pytest.skip("root cannot make a folder read-only here")
    try:
        yield
    finally:
        subprocess.run([*open_, folder], check=True)


def logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]


def losses(events: list[dict[str, Any]]) -> dict[int, float]:
    return {event["iteration"]: event["loss"] for event in events if event["event"] == "progress"}


def test_a_full_disk_is_reported_once_and_everything_is_written_when_there_is_room(
    run: Watched, tmp_path: Path
) -> None:
    run.limit_files(FULL)
    failed = run.wait_for("savefailed")
    assert run.wait_for("progress")["iteration"] > failed["iteration"]
    run.limit_files(resource.RLIM_INFINITY)
    run.wait_for("saved")
    said = run.interrupt()

    assert run.process.returncode == 130
    assert said.count("training continues") <= 2  # of the log and of the checkpoint
    folder = tmp_path / "checkpoints" / "fomaml-disk"
    assert latest_checkpoint(folder).path.stat().st_size > FULL
    log = logged(folder)
    assert losses(log) == losses(run.events)
    assert [event["iteration"] for event in log] == sorted(event["iteration"] for event in log)


def test_a_run_that_cannot_be_saved_at_its_end_is_written_elsewhere_and_the_path_printed(
    run: Watched, tmp_path: Path
) -> None:
    gone = (tmp_path / "checkpoints").rename(tmp_path / "gone")  # else a save may add to it
    shutil.rmtree(gone)
    run.wait_for("savefailed")
    run.wait_for("progress")
    said = run.interrupt()

    assert run.process.returncode == 130
    assert not (tmp_path / "checkpoints").exists()
    place = re.search(r"the run is saved in (\S+) instead", said)
    assert place, said
    folder = Path(tmp_path, place[1])
    again = Piped(
        ["-m", "tui_meta", "resume", str(folder), "--no-tui", "--iterations", "9"], tmp_path
    )
    _, err = again.communicate(PATIENCE)
    assert b"already at iteration" in err  # it was read


def test_a_run_whose_folder_is_moved_away_continues(run: Watched, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "fomaml-disk"
    folder.rename(tmp_path / "moved")
    failed = run.wait_for("savefailed")
    assert "fomaml-disk" in failed["problem"]
    assert run.wait_for("progress")["iteration"] > failed["iteration"]
    (tmp_path / "moved").rename(folder)
    run.wait_for("saved")
    run.interrupt()

    assert losses(logged(folder)) == losses(run.events)


def test_a_folder_made_read_only_is_saved_to_when_it_can_be(run: Watched, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "fomaml-disk"
    with read_only(folder):
        failed = run.wait_for("savefailed")
        assert "fomaml-disk" in failed["problem"]
        assert "training continues, retrying" in failed["problem"]
        assert run.wait_for("progress")["iteration"] > failed["iteration"]
    saved = run.wait_for("saved")
    said = run.interrupt()

    assert saved["iteration"] > failed["iteration"]
    assert said.count("training continues") == 1
    assert losses(logged(folder)) == losses(run.events)


def test_a_run_whose_folder_stays_read_only_is_written_elsewhere(
    run: Watched, tmp_path: Path
) -> None:
    with read_only(tmp_path / "checkpoints" / "fomaml-disk"):
        run.wait_for("savefailed")
        said = run.interrupt()
    place = re.search(r"the run is saved in (\S+) instead", said)
    assert place, said
    last = [event for event in run.events if event["event"] == "stopped"][-1]["iteration"]
    assert latest_checkpoint(Path(tmp_path, place[1])).checkpoint.state.iteration == last
    assert losses(logged(Path(tmp_path, place[1]))) == losses(run.events)
