"""File systems that refuse calls which others have."""

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from typing import NoReturn

import pytest

UNSUPPORTED = [errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL]
"""Errors with which file systems refuse what they do not have."""


def failing(code: int) -> Callable[..., NoReturn]:
    """Return a function that always raises ``OSError`` with ``code``."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


def without_locks(monkeypatch: pytest.MonkeyPatch, code: int = errno.ENOSYS) -> None:
    """Let every lock fail with ``code``."""
    monkeypatch.setattr(fcntl, "flock", failing(code))


def without_folder_sync(monkeypatch: pytest.MonkeyPatch, code: int = errno.EINVAL) -> None:
    """Let every flush of a folder fail with ``code``."""
    fsync = os.fsync

    def fail(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
