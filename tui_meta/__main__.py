"""``python -m tui_meta``, and what the program ``tui-meta`` starts."""

import signal
import sys


def run() -> int:
    """The command line in a process of its own; gives the exit code.

    Before it and after it there is nothing to tidy up, and Ctrl-C ends the process at once: Python
    would show a traceback of its imports.
    """
    usual = signal.getsignal(signal.SIGINT)
    at_once = signal.SIG_DFL if usual is signal.default_int_handler else usual
    signal.signal(signal.SIGINT, at_once)
    from tui_meta.cli.main import main

    signal.signal(signal.SIGINT, usual)
    try:
        return main()
    finally:
        signal.signal(signal.SIGINT, at_once)


if __name__ == "__main__":
    sys.exit(run())
