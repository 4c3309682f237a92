"""Processor time of processes, read from Linux's ``/proc``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from core.training.priority import TRAINING

_TICKS = os.sysconf("SC_CLK_TCK")


def non_training_seconds(processes: Iterable[int]) -> float:
    """Return the processor seconds of all threads of ``processes`` except training threads.

    Training threads are recognised by their niceness. The seconds of ended threads are lost.
    """
    total = 0
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                total += _ticks((thread / "stat").read_text())
    return total / _TICKS


def _ticks(stat: str) -> int:
    """Return the user and system time in a thread's ``stat`` line, 0 for a training thread."""
    fields = stat.rpartition(")")[2].split()
    user, system, niceness = int(fields[11]), int(fields[12]), int(fields[16])
    return 0 if niceness == TRAINING else user + system
