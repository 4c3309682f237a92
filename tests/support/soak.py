"""Sizes of tests: small in every run of the suite, large under ``make soak``."""

import os


def soak(short: int, long: int) -> int:
    """Return ``long`` if ``TUI_META_SOAK`` is set, else ``short``."""
    return long if os.environ.get("TUI_META_SOAK") else short
