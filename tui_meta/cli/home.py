"""The user's home: ``~`` in paths, which a shell leaves after ``=``, and commands that need one."""

import functools
import os
from collections.abc import Callable
from typing import Any

from core.errors import LabError, reason
from core.user_folders import with_home


def user_path(text: str) -> str:
    """Return the path ``text`` with the user's home for ``~``; raises ``LabError`` without one."""
    try:
        return with_home(text)
    except OSError as error:
        raise LabError(f"{text}: {reason(error)}, or name another folder") from error


def expanded(token: str) -> str:
    """Return a word of the command line, its value with the user's home for ``~``."""
    flag, equals, value = token.partition("=") if token.startswith("--") else ("", "", token)
    return f"{flag}{equals}{user_path(value)}" if value.startswith("~") else token


def needing_home(install: Callable[..., None]) -> Callable[..., None]:
    """Return a command that refuses a home relative to the working folder before ``install``."""

    @functools.wraps(install)
    def checked(**given: Any) -> None:
        if not os.path.isabs(os.environ.get("HOME", os.path.expanduser("~"))):
            raise LabError("there is no home folder to install completion in; set HOME")
        install(**given)

    return checked
