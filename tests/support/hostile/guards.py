"""Guards against hostile input: it executes nothing, writes nowhere else, takes little memory."""

import functools
import os
import resource
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EXECUTES = {
    "ctypes.dlopen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pickle.find_class",
    "socket.connect",
    "subprocess.Popen",
}
_CHANGES = {
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_checks: list[tuple[Path | None, list[str]]] = []
"""The writable folder and the harm found so far, for each check that is active."""


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _checks:
        return
    folder, harm = _checks[-1]
    if event in _EXECUTES:
        harm.append(f"{event} {arguments!r}")
    writes = event == "open" and bool(int(str(arguments[2])) & _WRITING)
    if writes or event in _CHANGES:
        target = arguments[0]
        if isinstance(target, str | bytes | os.PathLike):
            path = os.path.abspath(os.fsdecode(target))
            if folder is None or not Path(path).is_relative_to(folder):
                harm.append(f"{event} {path}")


@functools.cache
def _listen() -> None:
    """Begin to check what this process does; that cannot end, and slows all tests after it."""
    sys.addaudithook(_audit)


@contextmanager
def harmless(folder: Path | None = None) -> Iterator[None]:
    """Fail where something is executed, or changed on disk outside ``folder``."""
    _listen()
    harm: list[str] = []
    _checks.append((folder, harm))
    try:
        yield
    finally:
        _checks.pop()
    assert not harm, harm


@contextmanager
def frugal(peak: int) -> Iterator[None]:
    """Fail where Python allocates more than ``peak`` bytes."""
    tracemalloc.start()
    try:
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most <= peak, f"{most:,} bytes were taken"


@contextmanager
def confined(room: int) -> Iterator[None]:
    """Refuse the process more than ``room`` further bytes of address space, in any language."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
