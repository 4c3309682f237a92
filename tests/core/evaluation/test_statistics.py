"""Statistics of losses: of each step alone, and quantiles that intervals over few seeds need."""

import numpy as np
import pytest

from core.evaluation.seed_interval import SeedInterval, students_t
from core.evaluation.statistics import Statistics


@pytest.mark.parametrize("n", [1, 2, 9, 64, 129, 1_000])
@pytest.mark.parametrize("last", [1.0, np.inf, np.nan])
def test_statistics_of_a_step_do_not_depend_on_the_others_to_the_bit(n: int, last: float) -> None:
    losses = np.random.default_rng(n).lognormal(0, 3, (n, 3))
    losses[-1, 1] = last
    found = Statistics.per_step(losses)
    for one, column in zip(found, losses.T, strict=True):
        alone = Statistics.per_step(column[:, None])[0]
        with np.errstate(all="ignore"):
            expected = [float(column.mean()), float(np.median(column))]
        assert repr([one.mean, one.median]) == repr(expected)
        assert repr((one.low, one.high)) == repr((alone.low, alone.high))


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


@pytest.mark.parametrize("size", [1e90, 1e155, 1e250])
def test_an_interval_over_losses_that_diverged_is_one_of_large_numbers(size: float) -> None:
    small, large = SeedInterval.of([1.0, 2.0, 4.0]), SeedInterval.of([size, 2 * size, 4 * size])
    assert large.mean == pytest.approx(small.mean * size)
    assert large.margin == pytest.approx(small.margin * size)
    assert SeedInterval.of([1.7e308, 1.7e308]).mean == pytest.approx(1.7e308)
