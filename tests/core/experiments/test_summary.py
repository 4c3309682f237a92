"""Groups: their means and intervals over seeds, and differences seed by seed."""

import math
from typing import Any

import pytest

from core.experiments.results import failed
from core.experiments.specification import specification_of
from core.experiments.summary import GroupSummary, summarize
from tests.support.sweeps import result


def summary(values: dict[float, dict[int, float | None]], **more: Any) -> list[GroupSummary]:
    """Return groups by inner rate, each with the validation loss of some seeds."""
    table = {"algorithms": ["reptile"], "sweep": {"reptile.inner_lr": [*values]}, "seeds": 3}
    runs = specification_of({**table, **more}).expand()
    results = [
        result(run, values[run.config.algorithm.inner_lr][run.config.seed])
        for run in runs
        if run.config.seed in values[run.config.algorithm.inner_lr]
    ]
    return summarize(runs, {one.digest: one for one in results})


def test_a_group_has_the_mean_and_the_interval_over_its_seeds() -> None:
    (group,) = summary({0.01: {0: 1.0, 1: 2.0, 2: 6.0}})
    assert group.planned == group.count("finished") == 3
    assert group.validation is not None
    assert group.validation.mean == 3.0
    assert group.validation.margin == pytest.approx(4.302653 * math.sqrt(7.0 / 3))
    assert group.difference is None


def test_one_seed_has_a_mean_without_an_interval() -> None:
    (group,) = summary({0.01: {1: 2.0}})
    assert group.validation is not None
    assert (group.validation.n, group.validation.mean) == (1, 2.0)
    assert math.isnan(group.validation.margin)


def test_runs_that_did_not_finish_are_counted_and_not_averaged() -> None:
    (run, other, third) = specification_of({"algorithms": ["reptile"], "seeds": 3}).expand()
    results = [result(run, 4.0), result(other, 0.5, "diverged"), failed(third, "no luck")]
    (group,) = summarize([run, other, third], {one.digest: one for one in results})
    assert [group.count(state) for state in ("finished", "diverged", "failed")] == [1, 1, 1]
    assert group.validation is not None
    assert group.validation.mean == 4.0


def test_a_loss_that_is_not_finite_is_left_out() -> None:
    (group,) = summary({0.01: {0: None, 1: 2.0}})
    assert group.validation is not None
    assert group.validation.n == 1


def test_groups_are_compared_with_the_best_seed_by_seed() -> None:
    first, best, third = summary(
        {
            0.01: {0: 1.5, 1: 2.5, 2: 3.5},
            0.02: {0: 1.0, 1: 2.0, 2: 3.0},
            0.03: {0: 1.2, 2: 3.6},
        }
    )
    assert best.difference is None
    assert first.difference is not None
    assert first.difference.best == best.group
    assert (first.difference.interval.mean, first.difference.interval.margin) == (0.5, 0.0)
    assert first.difference.is_significant
    assert third.difference is not None
    # Of the two seeds in common; with one degree of freedom, t is tan(0.975 pi / 2) at 97.5 %.
    assert third.difference.interval.n == 2
    assert third.difference.interval.mean == pytest.approx(0.4)
    assert third.difference.interval.level == 0.975
    assert third.difference.interval.margin == pytest.approx(0.2 * math.tan(0.975 * math.pi / 2))
    assert not third.difference.is_significant


def test_a_group_below_the_best_on_the_seeds_they_share_is_marked_too() -> None:
    best, other = summary({0.01: {0: 1.0, 1: 2.0, 2: 3.0}, 0.02: {1: 1.9, 2: 2.9}})
    assert best.difference is None
    assert other.difference is not None
    assert other.difference.interval.high < 0
    assert other.difference.is_significant


def test_groups_without_two_common_seeds_are_not_compared() -> None:
    assert [one.difference for one in summary({0.01: {0: 1.0}, 0.02: {0: 2.0}})] == [None, None]


@pytest.mark.parametrize(
    "more",
    [
        {"sweep": {"validation.shots": [5, 10]}},
        {"sweep": {"tasks": ["sine", "line"]}},
        {
            "runs": [
                {"name": "one", "algorithm": "reptile"},
                {"name": "other", "algorithm": "reptile", "waves": {"x": [0.0, 2.0]}},
            ]
        },
    ],
)
def test_groups_that_are_validated_in_different_ways_are_not_compared(more: dict[str, Any]) -> None:
    table = {"seeds": 2, **({} if "runs" in more else {"algorithms": ["reptile"]}), **more}
    runs = specification_of(table).expand()
    results = {run.digest: result(run, 1.0 + n) for n, run in enumerate(runs)}
    assert [one.difference for one in summarize(runs, results)] == [None, None]
