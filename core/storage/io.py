"""Reading files of unknown origin, and writing files that are whole or absent."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

import msgspec

from core.storage.paths import partial_path

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of ``msgspec.json.decode`` for bytes that do not have the expected form."""


NO_SYNC = frozenset(
    (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.EISDIR)
)
"""Errors with which file systems say that they cannot flush a folder, or a file."""


def is_text(path: Path) -> bool:
    """Return True if the name of ``path`` is text, which JSON can hold."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def working_folder() -> str:
    """Return the working folder; empty where it was removed or its name is not text."""
    try:
        here = os.getcwd()
    except OSError:
        return ""
    return here if is_text(Path(here)) else ""


def open_regular(path: Path) -> BinaryIO:
    """Open ``path`` for reading; raises ``OSError``.

    A pipe would block and a device may have no end, so only regular files are opened.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "the name contains a null character", str(path))
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    kind = os.fstat(handle).st_mode
    if stat.S_ISREG(kind):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "not a regular file", str(path))


def sync(descriptor: int) -> None:
    """Bring what is open as ``descriptor`` to disk, where its file system can; raises ``OSError``.

    Some network and FUSE file systems refuse it, for folders more often than for files: that is
    no failure of the write before it.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise


def _sync_folder(path: Path) -> None:
    """Bring the names in the folder ``path`` to disk; raises ``OSError``."""
    try:
        folder = os.open(path, os.O_RDONLY)
    except PermissionError:
        return  # a folder that can be written and not listed
    try:
        sync(folder)
    finally:
        os.close(folder)


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a partial file and rename it; raises ``OSError``.

    If ``durable``, both the file and its new name are brought to disk.
    """
    partial = partial_path(path)
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                sync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)
