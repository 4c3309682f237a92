"""A lock for the only writer of a run folder; released when its owner dies, on NFS too."""

import errno
import os
import platform
import shlex
from contextlib import suppress
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout, lock_descriptor

from core.errors import Advice, RunFolderError, reason
from core.storage.io import NOT_JSON
from core.storage.paths import LOCK
from core.storage.provenance import command_line

TIMEOUT_SECONDS = 1.0
"""Wait for a lock: an owner that is ending, or only checks it, releases it in that time."""

NO_LOCKS = frozenset((errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL))
"""Errors of file systems that have no locks, such as some network mounts. Runs on them can be read
and deleted, but not trained: two processes could write the same files."""

LONGEST_OWNER = 64 * 2**10


class Owner(msgspec.Struct, frozen=True):
    """The process that trains a run: ``pid`` on ``host``, started as ``command``."""

    host: str
    pid: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.command[:200]})"


class FolderLock:
    """The lock of a run folder, held by at most one run of one process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_new = False
        self._lock = FileLock(
            folder / LOCK,
            timeout=TIMEOUT_SECONDS,
            thread_local=False,
            fallback_to_soft=False,
        )

    def take(self, *, required: bool = True) -> None:
        """Lock the folder; raises ``RunFolderError``, which names the owner if it is locked.

        Unless it is ``required``, a file system without locks is accepted.
        """
        file = self._folder / LOCK
        try:
            os.stat(self._folder)  # FileLock would create a missing folder
            self._is_new = not file.exists()
            self._lock.acquire()
            owner = Owner(platform.node(), os.getpid(), shlex.join(command_line()))
            file.write_bytes(msgspec.json.encode(owner))
        except Timeout as error:
            problem = f"being trained by {_named(file)}"
            raise RunFolderError(self._folder, problem, Advice.STOP_RUN) from error
        except OSError as error:
            self.undo()
            problem, advice = f"cannot be locked ({reason(error)})", "copy it to a writable folder"
            if error.errno in NO_LOCKS:
                if not required:
                    return
                problem = f"cannot be locked, as its file system has no locks ({reason(error)})"
                advice = "copy it to another file system"
            raise RunFolderError(self._folder, problem, advice) from error

    def release(self) -> None:
        """Release the folder."""
        self._lock.release()

    def undo(self) -> None:
        """Release the folder, and remove the file of the lock if it was not there before.

        It is removed while it is locked: a process that waits for it opens the next one.
        """
        with suppress(OSError):
            if self._is_new:
                (self._folder / LOCK).unlink(missing_ok=True)
        self.release()


def owner_of(path: Path) -> Owner | None:
    """Return the process that trains the run in the folder ``path``; None if there is none.

    Raises ``RunFolderError`` where that is unknown.
    """
    file = path / LOCK
    try:
        # On NFS, and only there, an exclusive lock needs a file that is open for writing.
        descriptor = os.open(file, os.O_RDWR if os.access(file, os.W_OK) else os.O_RDONLY)
        try:
            return None if lock_descriptor(descriptor, blocking=False) else _named(file)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        # On NFS a file that is open for reading cannot be locked (EBADF).
        if error.errno in (*NO_LOCKS, errno.EBADF):
            return None
        problem = f"cannot check the lock ({reason(error)})"
        raise RunFolderError(path, problem, "check the permissions") from error


def _named(file: Path) -> Owner:
    try:
        with file.open("rb") as content:
            return msgspec.json.decode(content.read(LONGEST_OWNER), type=Owner)
    except (OSError, *NOT_JSON):
        return Owner("an unknown host", 0, "unknown")
