"""Reading files that others may have put there: only regular ones, which neither wait nor go on."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

import msgspec

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What ``msgspec.json.decode`` raises for bytes that are not what was expected."""


def is_text(path: Path) -> bool:
    """Whether the name of ``path`` is text, which can be written to JSON."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def working_folder() -> str:
    """The working folder; empty where it is gone or its name is no text."""
    try:
        here = os.getcwd()
    except FileNotFoundError:
        return ""
    return here if is_text(Path(here)) else ""


def open_regular(path: Path) -> BinaryIO:
    """``path``, to be read; raises ``OSError``.

    A pipe would be waited for and a device may have no end: they are no regular files.
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
