"""Checks of single settings."""

import pytest

from core import validation
from core.errors import ConfigError


@pytest.mark.parametrize("pace", [1e-320, 1e-300, 1e-7])
def test_a_pace_that_no_clock_can_wait_for_is_refused(pace: float) -> None:
    with pytest.raises(ConfigError, match="must be a finite number of at least 1e-06"):
        validation.pace("pace", pace)


@pytest.mark.parametrize("pace", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_pace_is_refused(pace: float) -> None:
    with pytest.raises(ConfigError, match="must be a finite number"):
        validation.pace("pace", pace)


def test_one_iteration_a_day_is_a_pace() -> None:
    validation.pace("pace", 1 / 86_400)
