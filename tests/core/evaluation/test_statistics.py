"""Quantiles that intervals over few seeds need."""

import pytest

from core.evaluation.seed_interval import students_t


@pytest.mark.parametrize(
    ("level", "freedom", "t"),
    [
        (0.95, 1, 12.706205),
        (0.95, 2, 4.302653),
        (0.95, 3, 3.182446),
        (0.95, 4, 2.776445),
        (0.95, 9, 2.262157),
        (0.95, 30, 2.042272),
        (0.95, 100, 1.983972),
        (0.99, 4, 4.604095),
        (0.999, 10, 4.586894),
        (0.95, 9_999, 1.960201),
    ],
)
def test_students_t_is_that_of_published_tables(level: float, freedom: int, t: float) -> None:
    assert students_t(level, freedom) == pytest.approx(t, abs=2e-6)
