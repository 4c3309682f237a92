"""A fault of our own: the traceback goes to a file, one line to the person."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

from platformdirs import user_state_path


def crash_line(error: BaseException) -> str:
    """One line about ``error``, whose traceback it writes to a file in the user's state folder."""
    what = f"the dashboard crashed (bug in tui-meta): {type(error).__name__}: {error}"
    try:
        return f"{what}; details are in {_keep(error)}"
    except OSError as problem:
        return f"{what}; its details could not be written: {problem}"


def _keep(error: BaseException) -> Path:
    folder = user_state_path("tui-meta", appauthor=False, ensure_exists=True)
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    said = [f"{' '.join(sys.argv)}\n", *traceback.format_exception(error)]
    path.write_text("".join(said), encoding="utf-8", errors="backslashreplace")
    return path
