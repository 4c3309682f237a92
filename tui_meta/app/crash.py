"""Reports a crash: the traceback goes to a file, and one line to the user."""

import os
import sys
import time
import traceback
from pathlib import Path

from platformdirs import user_state_path


def crash_line(error: BaseException) -> str:
    """Write the traceback of ``error`` to the user's state folder, and return one line about it."""
    what = f"the dashboard crashed (bug in tui-meta): {type(error).__name__}: {error}"
    try:
        return f"{what}; details are in {_write_traceback(error)}"
    except OSError as problem:
        return f"{what}; details could not be written: {problem}"


def _write_traceback(error: BaseException) -> Path:
    folder = user_state_path("tui-meta", appauthor=False, ensure_exists=True)
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    lines = [f"{' '.join(sys.argv)}\n", *traceback.format_exception(error)]
    path.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")
    return path
