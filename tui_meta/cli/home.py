"""``~`` in paths: a shell leaves it after ``=``, and always in a configuration file."""

import os

from core.errors import LabError


def user_path(text: str) -> str:
    """Return the path ``text`` with the user's home for ``~``; raises ``LabError`` without one."""
    path = os.path.expanduser(text)
    if text.partition("/")[0] == "~" and not os.path.isabs(os.environ.get("HOME", path)):
        raise LabError(f"{text}: there is no home folder; set HOME, or name another folder")
    return path


def expanded(token: str) -> str:
    """Return a word of the command line, its value with the user's home for ``~``."""
    flag, equals, value = token.partition("=") if token.startswith("--") else ("", "", token)
    return f"{flag}{equals}{user_path(value)}" if value.startswith("~") else token
