"""Starts the process of a session: a script that is run by its path, and never imported.

It forks before any library has started a thread, and its parent ends at once: the session is then
the child of no process that would have to wait for it. It loads the very ``core`` that it is a part
of, whether or not that is installed, and also where another ``core`` comes first on the path.
"""

import gc
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path


def _load_own_core() -> None:
    spec = PathFinder.find_spec("core", [str(Path(__file__).resolve().parents[2])])
    if spec is None or spec.loader is None:
        sys.exit(f"{__file__}: the package core, of which this is a part, is not there")
    found = getattr(sys.modules.get("core"), "__file__", None)
    if found and spec.origin and os.path.exists(found) and os.path.samefile(found, spec.origin):
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "core"]:
        del sys.modules[name]
    core = sys.modules["core"] = module_from_spec(spec)
    spec.loader.exec_module(core)


if __name__ == "__main__" and os.fork() == 0:
    gc.set_threshold(200_000, 20, 100)  # as in ``tui_meta.__main__``
    _load_own_core()
    from core.remote.process import main

    main()
