"""The user's home, and the folders for state, preferences and compiled code."""

import errno
import os
from pathlib import Path
from typing import Literal

NO_HOME = "there is no home folder; set HOME"


def user_folder(kind: Literal["cache", "config", "state"]) -> Path:
    """Return the program's folder of this ``kind``; it may not exist.

    Raises ``OSError`` where neither the environment nor the user's account names a home, as in
    some containers: code that reads or writes there handles ``OSError`` anyway.
    """
    from platformdirs import PlatformDirs  # late: a third of the commands has no need of it

    folders = PlatformDirs("tui-meta", appauthor=False)
    try:
        path: Path = getattr(folders, f"user_{kind}_path")
    except RuntimeError:
        path = Path()
    if not path.is_absolute():
        raise FileNotFoundError(errno.ENOENT, NO_HOME)
    return path


def with_home(text: str) -> str:
    """Return the path ``text`` with the user's home for ``~``; raises ``OSError`` without one."""
    try:
        path = os.path.expanduser(text)
    except ValueError:  # a null character
        return text
    if text.partition("/")[0] == "~" and not os.path.isabs(os.environ.get("HOME", path)):
        raise FileNotFoundError(errno.ENOENT, NO_HOME)
    return path
