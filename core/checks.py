"""Checks of single settings, shared by every configuration; each raises ``ConfigError``."""

import math
from collections.abc import Collection

from core.errors import ConfigError

LARGEST_COUNT = 2**53
"""Iteration counts and sizes stay exact in JSON and in a float64."""

SLOWEST_PACE = 1e-6
"""Iterations per second: one in twelve days."""


def positive(field: str, value: float) -> None:
    """``value`` is a finite number above zero."""
    if not _is_number(value) or not math.isfinite(value) or value <= 0:
        raise ConfigError(field, value, "a finite number above 0")


def pace(field: str, value: float) -> None:
    """``value``, in iterations per second, is finite and a wait that the clock can count."""
    if not _is_number(value) or not math.isfinite(value) or value < SLOWEST_PACE:
        raise ConfigError(field, value, f"a finite number from {SLOWEST_PACE:g}")


def within(field: str, value: float, low: float, high: float) -> None:
    """``low <= value < high``."""
    if not _is_number(value) or not low <= value < high:
        raise ConfigError(field, value, f"a number from {low:g} to below {high:g}")


def count(field: str, value: int, low: int = 1, high: int = LARGEST_COUNT) -> None:
    """``value`` is a whole number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(field, value, f"a whole number from {low:,} to {high:,}")


def one_of(field: str, value: object, choices: Collection[str]) -> None:
    """``value`` is one of ``choices``."""
    if value not in choices:
        raise ConfigError(field, value, "one of " + ", ".join(choices))


def interval(field: str, value: tuple[float, float]) -> None:
    """``value`` is a pair of finite numbers, the first not above the second."""
    numbers = len(value) == 2 and all(_is_number(v) and math.isfinite(v) for v in value)
    if not numbers or value[0] > value[1]:
        raise ConfigError(field, value, "two finite numbers, the lower first")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
