"""The processors that this process may use."""

import os
from collections.abc import Iterator
from pathlib import Path

from core.training.control_groups import PROCESSORS, group_files, text_of


def usable_processors(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many threads can compute at once: by affinity, and by the quota of its groups.

    A machine often has more of them than a job or a container may use.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    quotas = [max(1, int(share)) for share in _quotas(proc, cgroups)]
    return min([allowed, *quotas])


def _quotas(proc: Path, cgroups: Path) -> Iterator[float]:
    """Yield the processors that each group of this process may use on average."""
    for file in group_files(PROCESSORS, proc, cgroups):
        numbers = text_of(file).split()
        if file.name == PROCESSORS.first_version_file:
            numbers += text_of(file.with_name("cpu.cfs_period_us")).split()
        if len(numbers) == 2 and all(map(str.isdecimal, numbers)) and int(numbers[1]):
            yield int(numbers[0]) / int(numbers[1])
