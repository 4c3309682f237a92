"""Starts the process of a session: a script that is run by its path, and never imported.

It forks before any library has started a thread, and its parent ends at once: the session is then
the child of no process that would have to wait for it. It loads the very ``core`` that it is a part
of, whether or not that is installed, and also where another ``core`` comes first on the path.
"""

import importlib.util
import os
import sys
from pathlib import Path


def _load_own_core() -> None:
    package = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location("core", package / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    core = sys.modules["core"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)


if __name__ == "__main__" and os.fork() == 0:
    _load_own_core()
    from core.remote.process import main

    main()
