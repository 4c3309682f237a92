"""Checks of single settings."""

import pytest

from core import validation
from core.errors import ConfigError


@pytest.mark.parametrize("pace", [1e-320, 1e-300, 1e-7])
def test_a_pace_too_slow_to_wait_for_is_refused(pace: float) -> None:
    with pytest.raises(ConfigError, match="must be a finite number of at least 1e-06"):
        validation.pace("pace", pace)


@pytest.mark.parametrize("pace", [0.0, -1.0, float("nan"), float("inf")])
def test_an_invalid_pace_is_refused(pace: float) -> None:
    with pytest.raises(ConfigError, match="must be a finite number"):
        validation.pace("pace", pace)


def test_one_iteration_a_day_is_a_valid_pace() -> None:
    validation.pace("pace", 1 / 86_400)
