"""What processes take of the processors, read from Linux's ``/proc``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from core.training.priority import TRAINING

_TICKS = os.sysconf("SC_CLK_TCK")


def beside_training(processes: Iterable[int]) -> float:
    """Seconds of processor time that threads of ``processes`` have had, but for those that train.

    These are known by their niceness. A thread that ends takes its seconds with it.
    """
    total = 0
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                total += _ticks((thread / "stat").read_text())
    return total / _TICKS


def _ticks(stat: str) -> int:
    """Of a thread's user and system time in its line of proc(5); none where it trains."""
    fields = stat.rpartition(")")[2].split()
    user, system, niceness = int(fields[11]), int(fields[12]), int(fields[16])
    return 0 if niceness == TRAINING else user + system
