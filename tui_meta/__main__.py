"""Entry point of ``python -m tui_meta`` and of the program ``tui-meta``."""

import gc
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

from tui_meta.terminal import opens_dashboard


def run() -> int:
    """Run the command line in a process of its own; return the exit code.

    Before and after it there is nothing to clean up, and Ctrl-C ends the process at once: Python
    would print a traceback of its imports.
    """
    previous = signal.getsignal(signal.SIGINT)
    gc.set_threshold(200_000, 20, 100)  # what is imported stays: 8% of a start searched in vain
    immediate = signal.SIG_DFL if previous is signal.default_int_handler else previous
    signal.signal(signal.SIGINT, immediate)
    # NumPy's threads are not used here, and wait busily: a third of the time of many a start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        load_own_core()
        with _session_process():
            from tui_meta.cli.main import main

            signal.signal(signal.SIGINT, previous)
            return main()
    finally:
        signal.signal(signal.SIGINT, immediate)


def _session_process() -> AbstractContextManager[None]:
    """Start the process of the session that will train, before all else is imported."""
    if not opens_dashboard(sys.argv[1:]):
        return nullcontext()
    from core.remote.spawn import early_process

    return early_process()


def load_own_core() -> None:
    """Import the ``core`` beside this package, whatever else has that name on Python's path.

    Another one that something has imported before is forgotten with its modules.
    """
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    spec = PathFinder.find_spec("core", [folder])
    if spec is None or spec.loader is None or spec.origin is None:
        return  # installed in an unusual way: Python finds it
    found = getattr(sys.modules.get("core"), "__file__", None)
    if found is not None and os.path.exists(found) and os.path.samefile(found, spec.origin):
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "core"]:
        del sys.modules[name]
    core = sys.modules["core"] = module_from_spec(spec)
    spec.loader.exec_module(core)


if __name__ == "__main__":
    sys.exit(run())
