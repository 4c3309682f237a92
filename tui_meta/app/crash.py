"""Reports a crash: the traceback goes to a file, and one line to the user."""

import os
import sys
import time
import traceback
from pathlib import Path

from core.errors import reason
from core.user_folders import user_folder


def crash_line(error: BaseException) -> str:
    """Write the traceback of ``error`` to the user's state folder, and return one line about it."""
    what = f"the dashboard crashed (bug in tui-meta): {type(error).__name__}: {error}"
    try:
        return f"{what}; details are in {_write_traceback(error)}"
    except OSError as problem:
        return f"{what}; details could not be written: {reason(problem)}"


def _write_traceback(error: BaseException) -> Path:
    folder = user_folder("state")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    lines = [f"{' '.join(sys.argv)}\n", *traceback.format_exception(error)]
    path.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")
    return path
