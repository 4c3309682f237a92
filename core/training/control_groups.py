"""The files with the limits of this process's control groups, as of a container or a job."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Controller(NamedTuple):
    """A resource that groups limit: its name, and its file in version 2 and in version 1."""

    name: str
    file: str
    first_version_file: str


MEMORY = Controller("memory", "memory.max", "memory.limit_in_bytes")
PROCESSORS = Controller("cpu", "cpu.max", "cpu.cfs_quota_us")


def group_files(controller: Controller, proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield the files with the limits of this process's groups, which may not exist."""
    for line in text_of(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, name = cgroups, controller.file
        elif controller.name in controllers.split(","):
            root, name = cgroups / controller.name, controller.first_version_file
        else:
            continue
        group = root / path.lstrip("/")
        # In a container the path may be that of its host; the container's own group is the root.
        for parent in (group, *group.parents):
            yield parent / name
            if parent == root:
                break


def text_of(file: Path) -> str:
    """Return the content of a small file; empty where it cannot be read."""
    try:
        return file.read_text()
    except OSError:
        return ""
