"""Forms of tests: short in every run of the suite, long under ``make soak``."""

import os
from typing import TypeVar

T = TypeVar("T")


def soak(short: T, long: T) -> T:
    """Return ``long`` if ``TUI_META_SOAK`` is set, else ``short``."""
    return long if os.environ.get("TUI_META_SOAK") else short
