"""A benchmark leaves no process behind, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.children import ROOT

SCRIPT = """
import subprocess, time
from benchmarks.children import killed_at_the_end

with killed_at_the_end():
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    print(child.pid, flush=True)
    time.sleep(60)
"""


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_benchmark_that_is_ended_ends_a_session_in_the_background(number: int) -> None:
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as benchmark:
        assert benchmark.stdout
        child = int(benchmark.stdout.readline())
        assert runs(child)
        benchmark.send_signal(number)
        assert benchmark.wait(20) != 0
    for _ in range(1_000):
        if not runs(child):
            break
        time.sleep(0.01)
    assert not runs(child)
