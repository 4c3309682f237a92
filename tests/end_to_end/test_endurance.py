"""A long training in the dashboard takes no more of the machine than a short one."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.sessions import only_session
from tests.support.soak import soak
from tests.support.terminals.terminal import Terminal

WARM_UP = soak(20_000, 200_000)
"""Iterations until caches of text and styles are about full."""

ITERATIONS = soak(40_000, 1_000_000)
"""Of the slower run, after warm-up."""

PATIENCE_SECONDS = soak(90, 900)

MEMORY_BOUND = 8 * 2**20
"""Bytes by which the program may grow after warm-up."""

LOG_BOUND = 10
"""Bytes of ``events.jsonl`` for each iteration."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@dataclass(frozen=True)
class Usage:
    """The resources of a process: bytes of memory, numbers of open files and threads."""

    memory: int
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> "Usage":
        process = Path("/proc", str(pid))
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        memory = int(status["VmRSS"].split()[0]) * 1024
        return cls(memory, len(list((process / "fd").iterdir())), int(status["Threads"]))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "tui_meta", "--iterations", "100000000"]
    opened = Terminal(command, cwd=tmp_path, fresh=True)
    yield opened
    opened.close()


def test_memory_files_threads_and_log_stay_bounded(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait_until(lambda text: slower(text) > WARM_UP, "both runs warmed up")
    first = slower(terminal.text)
    processes = {"dashboard": terminal.pid, "session": only_session().pid}
    before = {name: Usage.of(pid) for name, pid in processes.items()}
    there = first + ITERATIONS
    terminal.wait_until(lambda text: slower(text) > there, "many iterations", PATIENCE_SECONDS)
    after = {name: Usage.of(pid) for name, pid in processes.items()}
    made = iterations(terminal.text)

    for name in processes:
        grown = after[name].memory - before[name].memory
        print(f"{name} grown by {grown / 2**20:.1f} MiB, {before[name]}, {after[name]}")
        assert grown <= MEMORY_BOUND
        assert after[name].threads <= before[name].threads
        # A checkpoint that is being written has a file of its own.
        assert after[name].files <= before[name].files + 2
    for title, count in made.items():
        (log,) = tmp_path.glob(f"checkpoints/{title.lower()}-*/events.jsonl")
        assert log.stat().st_size <= LOG_BOUND * (count + ITERATIONS // 10)


def iterations(text: str) -> dict[str, int]:
    """The iteration counts of the header, by algorithm."""
    found = re.findall(r"(FOMAML|Reptile)\s+\w+\s+([\d,]+) / [\d,]+", text)
    return {title: int(count.replace(",", "")) for title, count in found}


def slower(text: str) -> int:
    """The count of the run that is behind, zero until both are there."""
    counts = iterations(text)
    return min(counts.values()) if len(counts) == 2 else 0
