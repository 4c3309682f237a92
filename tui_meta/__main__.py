"""Entry point of ``python -m tui_meta`` and of the program ``tui-meta``."""

import signal
import sys


def run() -> int:
    """Run the command line in a process of its own; return the exit code.

    Before and after it there is nothing to clean up, and Ctrl-C ends the process at once: Python
    would print a traceback of its imports.
    """
    previous = signal.getsignal(signal.SIGINT)
    immediate = signal.SIG_DFL if previous is signal.default_int_handler else previous
    signal.signal(signal.SIGINT, immediate)
    from tui_meta.cli.main import main

    signal.signal(signal.SIGINT, previous)
    try:
        return main()
    finally:
        signal.signal(signal.SIGINT, immediate)


if __name__ == "__main__":
    sys.exit(run())
