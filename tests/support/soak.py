"""How much a test tries: a little in every run of the suite, a lot under ``make soak``."""

import os


def soak(short: int, long: int) -> int:
    """``long`` where ``TUI_META_SOAK`` is set, else ``short``."""
    return long if os.environ.get("TUI_META_SOAK") else short
