"""The verdict on groups of runs with different seeds, without a terminal."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.support.dashboard.grouped import GroupedSession, battery_loss, grouped_session
from tui_meta.views.run_groups import run_groups, titles
from tui_meta.views.text import cells, plain
from tui_meta.views.watch.seed_verdict import SeedVerdict
from tui_meta.views.watch.verdict import Verdict, judge
from tui_meta.views.watch.verdicts import judged_runs


def verdict(session: GroupedSession) -> SeedVerdict:
    """Return the verdict on ``session``, whose runs have ended."""
    runs, names = list(session.snapshots().values()), titles(session.snapshots())
    finished = judged_runs(runs)
    found = judge(finished, [names[one.run] for one in finished], session.answer)
    assert isinstance(found, Verdict)
    return SeedVerdict.of(run_groups(runs), runs, found, samples=True)


def finished(seeds: int, *rates: float, diverged: int = 0) -> GroupedSession:
    """Return runs that have finished, but for the first ``diverged``."""
    session = grouped_session(seeds, *rates)
    session.start()
    for number, run in enumerate(session.snapshots()):
        if number < diverged:
            session.diverge(run)
        else:
            session.finish(run)
    return session


def text(shown: SeedVerdict, width: int, rows: int) -> list[str]:
    return [plain(one).rstrip() for one in shown.lines(width, rows)]


def test_means_and_differences_are_those_of_the_runs_by_seed() -> None:
    session = finished(3, 0.02, 0.01, 0.03)
    losses = np.reshape([battery_loss(one.config) for one in session.snapshots().values()], (3, 3))
    best, second, third = verdict(session).groups
    assert [one.title for one in (best, second, third)] == [
        f"Reptile inner_lr={rate}" for rate in (0.01, 0.02, 0.03)
    ]
    assert best.loss is not None
    assert best.difference is None
    t = 4.302653  # of two degrees of freedom, at 95 %
    assert best.loss.mean == pytest.approx(losses[1].mean())
    assert best.loss.margin == pytest.approx(t * losses[1].std(ddof=1) / 3**0.5)
    assert second.difference is not None
    difference = second.difference.interval
    assert difference.level == 0.975, "two comparisons"
    assert difference.mean == pytest.approx((losses[0] - losses[1]).mean())
    t = 6.205347  # at 97.5 %
    assert difference.margin == pytest.approx(t * (losses[0] - losses[1]).std(ddof=1) / 3**0.5)


def test_a_table_names_seeds_and_the_number_of_comparisons() -> None:
    shown = verdict(finished(3, 0.02, 0.01, 0.03, diverged=1))
    head, *groups, notes, used = text(shown, 120, shown.most_rows)
    assert head.split("  ")[0] == "1,000 tasks, 10 points, 32 steps"
    assert head.endswith("more than the best")
    assert groups[0].startswith("╍╍ Reptile inner_lr=0.01")
    assert "over 3 seeds" in groups[0]
    assert groups[0].endswith("best")
    assert "0.02" in groups[1]
    assert "over 2 of 3 seeds" in groups[1]
    assert groups[2].endswith(" *")
    assert notes == (
        "untrained 4.50 · differences seed by seed, * excludes 0 · 2 comparisons, each at 97.5 %"
    )
    assert used == "used by each: 50,000 iterations, 250,000 gradient evaluations"


def test_where_rows_are_short_the_best_are_shown_and_counted() -> None:
    shown = verdict(finished(3, 0.02, 0.01, 0.03))
    _, *groups, notes = text(shown, 120, 4)
    assert len(groups) == 2
    assert "best 2 of 3" in notes
    losses, differences = text(shown, 80, 2)
    assert losses.startswith("mean over 3 seeds, best of 3: Reptile inner_lr=0.01 0.127 ± 0.076")
    assert differences.startswith(
        "more than the best (each at 97.5 %): Reptile inner_lr=0.02 0.110 ± "
    )


def test_one_group_has_no_column_of_differences() -> None:
    shown = verdict(finished(2, 0.01))
    head, group, notes, _ = text(shown, 120, 4)
    assert "best" not in head + group
    assert "excludes" not in notes
    (losses,) = text(shown, 120, 1)
    assert losses == (
        "1,000 tasks, 10 points, 32 steps, mean over 2 seeds: Reptile 0.110 ± 0.13 · untrained 4.50"
    )


def test_a_group_of_which_no_run_finished_is_last_and_without_a_mean() -> None:
    best, none = verdict(finished(3, 0.02, 0.01, diverged=3)).groups
    assert (best.text, best.seeds) == ("0.127 ± 0.076", "over 3 seeds")
    assert (none.text, none.seeds, none.more) == ("no finite loss", "over 0 of 3 seeds", "")


def test_diverged_tasks_are_counted_over_all_seeds() -> None:
    shown = verdict(finished(2, 0.01)).single
    sources = [msgspec.structs.replace(one, diverged=2) for one in shown.result.sources]
    single = replace(shown, result=msgspec.structs.replace(shown.result, sources=tuple(sources)))
    runs = list(shown.runs)
    (group,) = SeedVerdict.of(run_groups(runs), runs, single).groups
    assert group.text == "0.110 ± 0.13, 4 diverged"


@pytest.mark.parametrize("width", [1, 40, 80, 120, 200])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 5, 6])
def test_the_verdict_fits_any_size(width: int, rows: int) -> None:
    lines = verdict(finished(2, 0.02, 0.01, 0.03)).lines(width, rows)
    assert len(lines) == rows
    assert {cells(one) for one in lines} <= {width}
