"""The pure part of the Sweep screen: settings, tables, charts, and how long a sweep still takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.experiments.specification import specification_of
from core.experiments.summary import best_of, summarize
from tests.support.dashboard.sweep_status import GRID, RATES, status, swept
from tests.support.sweeps import SECONDS, loss_of, make_sweep, result, write_results
from tui_meta.cli.experiments import result_line
from tui_meta.views.sweep import progress
from tui_meta.views.sweep.folder import SweepReader
from tui_meta.views.sweep.head import best_line, progress_line, roughly
from tui_meta.views.sweep.rows import copied_groups, copied_runs, group_listing, run_listing
from tui_meta.views.sweep.settings import setting_of
from tui_meta.views.sweep.status import SweepStatus
from tui_meta.views.sweep.table import Table
from tui_meta.views.sweep.words import footnotes, troubles
from tui_meta.views.text import cells, plain


def titles(sweep: SweepStatus) -> list[str]:
    return [one.title for one in sweep.dimensions]


# Settings.


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.005, 0.01, 0.02], "log"),
        ([1, 2, 3, 4], "linear"),
        ([0.001, 0.1], "log"),
        ([1, 2], "linear"),
        ([0.0, 0.1, 1.0], "linear"),
        (["adam", "sgd"], "linear"),
        ([5], "linear"),
    ],
)
def test_numbers_are_on_the_scale_on_which_they_are_spaced_evenly(
    values: list[Any], scale: str
) -> None:
    assert setting_of("x", "x", values).scale == scale


def test_values_are_in_order_whatever_their_kind() -> None:
    setting = setting_of("network.hidden", "hidden", [[64, 64], None, [8], [64, 64]])
    assert setting.values == ([64, 64], [8])
    assert setting.is_partial
    assert not setting.is_numeric
    assert setting_of("tasks", "tasks", [10, 2, 1]).values == (1, 2, 10)


def test_the_algorithm_is_no_dimension_where_a_setting_implies_it() -> None:
    sweep = swept({"reptile.inner_lr": RATES}, algorithms=["fomaml", "reptile"])
    assert [one.title for one in sweep.settings] == ["algorithm", "inner_lr"]
    assert titles(sweep) == ["inner_lr"]
    both = swept({"network.hidden": [[8], [16]]}, algorithms=["fomaml", "reptile"])
    assert titles(both) == ["algorithm", "hidden"]


def test_settings_of_the_same_name_keep_that_of_their_table() -> None:
    rates = {"fomaml.inner_lr": RATES, "reptile.inner_lr": RATES, "reptile.outer_lr": [0.1, 0.2]}
    sweep = swept(rates, algorithms=["fomaml", "reptile"])
    assert titles(sweep) == ["fomaml.inner_lr", "reptile.inner_lr", "outer_lr"]
    assert Table(group_listing(sweep)).listing.columns[0].title == "algorithm"


def test_runs_with_names_of_their_own_are_categories() -> None:
    rows = [
        {"name": name, "algorithm": "reptile", "reptile": {"inner_lr": rate}}
        for name, rate in (("slow", 0.001), ("fast", 0.1))
    ]
    runs = specification_of({"runs": rows, "seeds": 2}).expand()
    sweep = status({run.digest: result(run, loss_of(run)) for run in runs}, runs)
    assert titles(sweep) == ["run"]
    assert Table(group_listing(sweep)).lines(80, 3)[1][1].text.strip() in ("slow", "fast")


# Tables.


def test_the_best_group_is_first_and_marked() -> None:
    sweep = swept(GRID)
    table = Table(group_listing(sweep))
    best = best_of([one.summary for one in sweep.groups])
    assert best is not None
    assert sweep.best is not None
    assert table.current == sweep.best.name == best.group
    lines = [plain(one) for one in table.lines(100, 20)]
    assert lines[1].startswith("▸◆")
    assert sum("◆" in one for one in lines) == 1
    means = [sweep.by_name[row.key].mean for row in table.listing.shown]
    assert means == sorted(means, key=lambda one: one or 0)


@given(st.data())
def test_sorting_keeps_every_row_and_the_cursor_on_its_own(data: st.DataObject) -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 2, "sweep": GRID}).expand()
    states = st.sampled_from(["finished", "diverged", "failed", None])
    results = {
        run.digest: result(run, data.draw(st.floats(1e-3, 10)), state)
        for run in runs
        if (state := data.draw(states))
    }
    sweep = status(results, runs)
    table = Table(group_listing(sweep)).moved(data.draw(st.integers(0, 5)))
    cursor = table.current
    for _ in table.listing.columns:
        table = table.sorted_by_next(1)
        assert {row.key for row in table.listing.shown} == {one.name for one in sweep.groups}
        assert table.current == cursor
        orders = [row.order[table.listing.sort] for row in table.listing.shown]
        assert orders == sorted(orders)
    assert [row.key for row in table.listing.shown if row.marked] == (
        [sweep.best.name] if sweep.best else []
    )


def test_a_filter_keeps_rows_with_every_word() -> None:
    sweep = swept(GRID)
    table = Table(group_listing(sweep)).filtered("16 0.02")
    assert [row.key for row in table.listing.shown] == [
        "reptile network.hidden=16,16 inner_lr=0.02"
    ]
    assert not table.filtered("nowhere").listing.shown
    assert table.filtered("nowhere").current == ""
    assert len(table.filtered("").listing.shown) == 6


def test_new_rows_keep_order_filter_and_cursor() -> None:
    before = Table(group_listing(swept({"reptile.inner_lr": RATES})))
    before = before.filtered("0.0").sorted_by_next(1).moved(2)
    after = before.showing(group_listing(swept({"reptile.inner_lr": [*RATES, 0.01]})))
    assert (after.sort, after.current) == (before.sort, before.current)
    assert after.listing.wanted == "0.0"
    assert len(after.listing.shown) == 4


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
@pytest.mark.parametrize("height", [0, 1, 2, 5, 40])
def test_a_table_takes_the_cells_that_it_is_given(width: int, height: int) -> None:
    sweep = swept(GRID)
    for table in (Table(group_listing(sweep)), Table(run_listing(sweep.groups[0]))):
        lines = table.moved(99).lines(width, height)
        assert len(lines) <= max(1, height)
        assert all(cells(one) == width for one in lines)
        if height > 1 and width > 1:
            assert any(plain(one).startswith("▸") for one in lines[1:])


def test_runs_are_listed_with_what_they_have_measured() -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 3}).expand()
    results = {
        runs[0].digest: result(runs[0], 0.25),
        runs[1].digest: result(runs[1], None, "diverged"),
    }
    (group,) = status(results, runs).groups
    lines = [plain(one) for one in Table(run_listing(group)).lines(120, 10)]
    assert "finished" in lines[1]
    assert "0.250 ± 0.000 " in lines[1]
    assert "0.500" in lines[1]
    assert "diverged" in lines[2]
    assert "the loss is no longer finite" in lines[2]
    assert "waiting" in lines[3]
    header, first, *_ = copied_runs(group)
    assert dict(zip(header, first, strict=True))["validation"] == 0.25


def test_a_copy_has_the_numbers_of_the_summary() -> None:
    sweep = swept(GRID)
    header, *rows = copied_groups(sweep, [one.name for one in sweep.groups])
    assert header[:3] == ["group", "algorithm", "network.hidden"]
    for row, one in zip(rows, sweep.groups, strict=True):
        assert one.mean in row
        if one.summary.difference:
            assert one.summary.difference.interval.mean in row


def test_tasks_on_which_adaptation_diverged_are_counted_beside_the_mean() -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 2}).expand()
    results = {run.digest: result(run, 2e14, diverged=run.config.seed) for run in runs}
    (group,) = status(results, runs).groups
    words = "1 of 2 tasks diverged"
    assert troubles(group.summary) == words
    assert words in plain(Table(group_listing(status(results, runs))).lines(120, 10)[1])
    first, second = [plain(one) for one in Table(run_listing(group)).lines(120, 10)][1:3]
    assert "diverged" not in first
    assert "1 of 1 tasks diverged" in second
    assert "(1 of 1 tasks diverged)" in result_line(results[runs[1].digest])
    assert "diverged" not in result_line(results[runs[0].digest])


def test_results_of_machines_that_compute_other_bits_are_noted() -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 3}).expand()
    noted = "the last digits depend on that"
    for kinds, is_noted in (
        (("a", "a", ""), False),
        (("a", "b", "a"), True),
        (("a", "a", "b"), True),
    ):
        results = {
            run.digest: msgspec.structs.replace(result(run, 0.1), engine="fused", sample=sample)
            for run, sample in zip(runs, kinds, strict=True)
        }
        (group,) = status(results, runs).groups
        assert any(noted in line for line in footnotes([group.summary])) == is_noted


# The lines above.


def test_the_head_names_the_best_and_counts_the_runs() -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 2, "sweep": GRID}).expand()
    results = {run.digest: result(run, loss_of(run)) for run in runs[:-4]}
    results[runs[-1].digest] = result(runs[-1], None, "diverged")
    sweep = status(results, runs)
    best = plain(best_line(sweep, 120)).rstrip()
    assert best.startswith("best so far: reptile network.hidden=8 inner_lr=0.02   validation 0.0")
    assert best.endswith("over 2 seeds")
    said = plain(progress_line(sweep, "rates", "by done", 120))
    assert said.startswith("rates: 8 of 12 runs done, 1 diverged  ·  by done")
    assert plain(best_line(status({}, runs), 80)).startswith("best: no result yet")


def test_groups_that_are_validated_in_different_ways_have_no_best() -> None:
    sweep = swept({"validation.shots": [5, 10]})
    assert "validated in different ways" in plain(best_line(sweep, 80))
    assert "◆" not in "".join(plain(one) for one in Table(group_listing(sweep)).lines(80, 9))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "10 s"), (44, "40 s"), (600, "10 min"), (9_000, "2.5 h"), (400_000, "5 days")],
)
def test_an_estimate_is_in_round_words(seconds: float, words: str) -> None:
    assert roughly(seconds) == words


# How long still.


def test_two_runs_at_once_take_half_the_time_of_one() -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 20}).expand()
    for workers in (1, 2):
        ends = [SECONDS * (1 + n // workers) for n in range(10)]
        results = {
            run.digest: result(run, 1.0, time=100.0 + end)
            for run, end in zip(runs, ends, strict=False)
        }
        assert progress.at_once(results) == pytest.approx(workers)
        assert progress.work_left(runs, results) == pytest.approx(10 * SECONDS)


def test_a_pause_between_two_nights_does_not_count() -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 4}).expand()
    ends = (100.0, 100.0, 90_000.0, 90_000.0)
    results = {run.digest: result(run, 1.0, time=end) for run, end in zip(runs, ends, strict=True)}
    assert progress.at_once(results) == pytest.approx(2)


def test_nothing_is_estimated_without_results_or_long_after_them(tmp_path: Path) -> None:
    table = {"algorithms": ["reptile"], "seeds": 4}
    runs = make_sweep(tmp_path / "rates", table, lambda _: None)
    reader = SweepReader(tmp_path / "rates")
    assert reader.look(100.0).seconds_left is None
    write_results(tmp_path / "rates", [result(one, 1.0, time=100.0) for one in runs[:2]])
    now = reader.look(101.0)
    assert now.seconds_left == pytest.approx(SECONDS)
    assert reader.look(102.0) is now
    assert reader.look(10_000.0).seconds_left is None


def test_what_is_read_of_a_folder_is_the_report(tmp_path: Path) -> None:
    runs = make_sweep(tmp_path / "rates", {"algorithms": ["reptile"], "seeds": 2, "sweep": GRID})
    sweep = SweepReader(tmp_path / "rates").look(0.0)
    results = {run.digest: result(run, loss_of(run)) for run in runs}
    expected = summarize(runs, results)
    for one, group in zip(sweep.groups, expected, strict=True):
        assert (one.summary.validation, one.summary.difference) == (
            group.validation,
            group.difference,
        )
