"""Reports a crash: the traceback goes to a file, and one line to the user."""

import os
import sys
import time
from pathlib import Path

from core.errors import in_words, is_of_user, reason, traceback_of
from core.user_folders import user_folder


def crash_line(error: BaseException, crashed: str = "the dashboard") -> str:
    """Write the traceback of ``error`` to the user's state folder, and return one line about it."""
    what = f"{crashed} crashed (bug in tui-meta): {type(error).__name__}: {error}"
    if is_of_user(error):
        what = in_words(error)
    try:
        return f"{what}; details are in {_write_traceback(error)}"
    except Exception as problem:
        return f"{what}; details could not be written: {reason(problem)}"


def _write_traceback(error: BaseException) -> Path:
    folder = user_folder("state")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    text = f"{' '.join(sys.argv)}\n{traceback_of(error)}"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path
