"""The charts of the Sweep screen: which there are, and that their numbers are the summary's."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.seed_interval import SeedInterval
from core.experiments.specification import specification_of
from tests.support.dashboard.grouped import grouped_session
from tests.support.dashboard.sweep_status import GRID, RATES, status, swept
from tests.support.dashboard.watch_state import watch_state
from tests.support.sweeps import loss_of, result
from tui_meta.views.numbers import loss
from tui_meta.views.plots.heat import ASCII, COLORS, SHADES
from tui_meta.views.plots.plot import Plot
from tui_meta.views.sweep.chart_choice import ChartChoice, possible
from tui_meta.views.sweep.charts import (
    MOST_LINES,
    MOST_PARALLEL,
    Shown,
    curves_plot,
    looks,
    parallel_plot,
    setting_plot,
)
from tui_meta.views.sweep.heat_map import HeatMap
from tui_meta.views.sweep.heat_svg import heat_svg
from tui_meta.views.sweep.layout import arrange
from tui_meta.views.sweep.live import live_status
from tui_meta.views.sweep.rows import group_listing
from tui_meta.views.sweep.status import SweepStatus
from tui_meta.views.sweep.table import Table
from tui_meta.views.text import cells, plain

SVG = "{http://www.w3.org/2000/svg}"


def shown(sweep: SweepStatus) -> Shown:
    return Shown(sweep, sweep.groups)


@pytest.mark.parametrize(
    ("sweep", "kinds"),
    [
        ({}, ["curves"]),
        ({"reptile.inner_lr": RATES}, ["setting", "curves"]),
        ({"network.activation": ["relu", "tanh"]}, ["curves"]),
        (GRID, ["heat", "setting", "parallel", "curves"]),
        ({**GRID, "reptile.outer_lr": [0.1, 0.2]}, ["parallel", "heat", "setting", "curves"]),
    ],
)
def test_the_chart_follows_from_what_varies(sweep: Mapping[str, Any], kinds: list[str]) -> None:
    one = swept(sweep)
    assert possible(one) == kinds
    choice = ChartChoice()
    turned = [choice.shown(one)]
    for _ in kinds[1:]:
        choice = choice.turned(one)
        turned.append(choice.shown(one))
    assert turned == kinds
    assert choice.turned(one).shown(one) == kinds[0]


def test_the_two_settings_of_a_heat_map_are_chosen() -> None:
    sweep = swept({**GRID, "reptile.outer_lr": [0.1, 0.2]})
    choice = ChartChoice("heat")
    pairs = set()
    for _ in range(3):
        for _ in range(2):
            across, up = choice.across_of(sweep), choice.up_of(sweep)
            assert across is not None
            assert up is not None
            pairs.add((across.title, up.title))
            choice = choice.with_other_up(sweep)
        choice = choice.with_other_across(sweep)
    assert pairs == set(itertools.permutations(("hidden", "inner_lr", "outer_lr"), 2))


@given(st.lists(st.booleans(), min_size=6, max_size=6), st.sampled_from([COLORS, SHADES, ASCII]))
def test_a_heat_map_has_a_cell_for_each_pair_and_marks_the_best(
    measured: list[bool], ramp: Any
) -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 1, "sweep": GRID}).expand()
    results = {
        run.digest: result(run, loss_of(run))
        for run, is_measured in zip(runs, measured, strict=True)
        if is_measured
    }
    sweep = status(results, runs)
    choice = ChartChoice("heat")
    across, up = choice.across_of(sweep), choice.up_of(sweep)
    assert across is not None
    assert up is not None
    heat = HeatMap(sweep, sweep.groups, across, up)
    assert len(heat.cells) == len(across.values) * len(up.values) == 6
    lines = heat.lines(60, 20, ramp, sweep.groups[0])
    assert len(lines) <= 20
    assert all(cells(one) == 60 for one in lines)
    marked = [one for one in lines[1:] if "◆" in plain(one)]
    assert len(marked) == (sweep.best is not None)
    if sweep.best:
        assert heat.cells[heat.place(sweep.best) or ("", "")] is sweep.best


def test_a_heat_map_fits_any_size() -> None:
    values = [round(0.001 * 1.3**n, 6) for n in range(18)]
    sweep = swept({"reptile.inner_lr": values, "reptile.outer_lr": values}, seeds=1)
    across, up = sweep.dimensions
    heat, chosen = HeatMap(sweep, sweep.groups, across, up), sweep.groups[-1]
    for width, height in ((0, 0), (1, 1), (10, 3), (30, 6), (300, 80)):
        lines = heat.lines(width, height, chosen=chosen)
        assert all(cells(one) == width for one in lines)
        assert len(lines) <= max(4, height)
        if width >= 30:
            assert "▸" in "".join(map(plain, lines))


def test_a_cell_of_more_settings_shows_its_best_group() -> None:
    sweep = swept({**GRID, "reptile.outer_lr": [0.1, 0.2]})
    across, up, _ = sweep.dimensions
    heat = HeatMap(sweep, sweep.groups, across, up)
    for place, group in heat.cells.items():
        means = [one.mean for one in sweep.groups if heat.place(one) == place]
        assert group.mean == min(one for one in means if one)
    assert "best of each cell" in plain(heat.lines(80, 20)[0])


def drawn(plot: Plot, label: str) -> tuple[list[float], list[float]]:
    (found,) = [one for one in plot.series if one.label == label and one.kind == "line"]
    return [plot.x.value(x) for x in found.x], [plot.y.value(y) for y in found.y]


def test_the_loss_over_a_setting_is_the_mean_of_each_group_in_its_band() -> None:
    sweep = swept({"reptile.inner_lr": RATES})
    plot = setting_plot(shown(sweep), sweep.dimensions[0], sweep.groups[0])
    x, y = drawn(plot, "reptile")
    assert x == pytest.approx(RATES)
    assert y == pytest.approx([one.mean for one in sweep.groups])
    _, low = drawn(plot, "reptile over seeds 95 % low")
    intervals = [one.summary.validation for one in sweep.groups]
    assert low == pytest.approx([one.low for one in intervals if one])
    (best,) = [one for one in plot.series if one.label == "best"]
    assert plot.x.value(best.x[0]) == pytest.approx(0.02)


def test_a_group_without_the_setting_is_a_level_line() -> None:
    sweep = swept({"reptile.inner_lr": RATES}, algorithms=["fomaml", "reptile"])
    plot = setting_plot(shown(sweep), sweep.dimensions[0], sweep.groups[0])
    _, (left, right) = drawn(plot, "fomaml")
    assert left == right == pytest.approx(sweep.groups[0].mean)


def test_many_lines_are_the_best_ones_and_the_chosen_one() -> None:
    sweep = swept({"reptile.inner_lr": [n / 1_000 for n in range(1, 60)]}, seeds=1)
    worst = max(range(len(sweep.groups)), key=lambda n: sweep.groups[n].mean or 0)
    curves = curves_plot(shown(sweep), sweep.groups[worst])
    assert len(curves.legend) == MOST_LINES
    assert f"{MOST_LINES} of 59 groups" in curves.title
    names = {one.label for one in curves.legend}
    assert sweep.label(sweep.groups[worst]) in names
    assert sweep.best is not None
    assert sweep.label(sweep.best) in names
    parallel = parallel_plot(shown(sweep), sweep.groups[worst])
    assert len(parallel.series) == MOST_PARALLEL
    assert [one.label.partition(":")[0] for one in parallel.legend] == ["selected", "best"]


def test_rows_have_samples_of_their_curves() -> None:
    sweep = swept(GRID)
    curves = curves_plot(shown(sweep), sweep.groups[0])
    samples = looks(curves, shown(sweep).curve_names(sweep.groups[0]))
    assert len(samples) == len({(one.text, one.style) for one in samples.values()}) == MOST_LINES
    (across,) = [one for one in sweep.dimensions if one.title == "inner_lr"]
    over = setting_plot(shown(sweep), across, None)
    samples = looks(over, shown(sweep).line_names(across))
    assert len(samples) == len(sweep.groups)
    assert len(set(samples.values())) == 2
    rows = Table(group_listing(sweep)).lines(100, 20, samples)[1:]
    assert all(row[1].text in ("⠒⠒ ", "╍╍ ") for row in rows)
    one_line = swept({"reptile.inner_lr": RATES})
    plot = setting_plot(shown(one_line), one_line.dimensions[0], None)
    assert not looks(plot, shown(one_line).line_names(one_line.dimensions[0]))


def test_parallel_axes_run_from_the_least_value_to_the_largest() -> None:
    sweep = swept({**GRID, "reptile.outer_lr": [0.1, 0.2]})
    plot = parallel_plot(shown(sweep), None)
    assert [label for _, label in plot.x.places] == ["hidden", "inner_lr", "outer_lr", "validation"]
    ends = [{min(at), max(at)} for at in zip(*(one.y for one in plot.series), strict=True)]
    assert ends == [{0.0, 1.0}] * 4
    (best,) = [one for one in plot.series if one.label.startswith("best")]
    assert best.y[-1] == 0.0
    assert "inner_lr 0.005 to 0.08" in plot.caption


def test_what_has_exploded_leaves_the_others_readable() -> None:
    runs = specification_of({"algorithms": ["reptile"], "sweep": GRID}).expand()
    results = {run.digest: result(run, loss_of(run)) for run in runs}
    results[runs[-1].digest] = result(runs[-1], 1e17)
    sweep = status(results, runs)
    across, up = sweep.dimensions
    heat = HeatMap(sweep, sweep.groups, across, up)
    assert 10 ** heat.limits[1] < 1
    assert "and more" in plain(heat.lines(80, 20)[0])
    for plot in (curves_plot(shown(sweep), None), setting_plot(shown(sweep), up, None)):
        assert plot.y.value(plot.y.upper) < 10
    tops = [one.y[-1] for one in parallel_plot(shown(sweep), None).series]
    assert sorted(tops)[-2:] == [1.0, 1.0]


def test_a_session_counts_what_two_seeds_have_at_the_same_iteration() -> None:
    session = grouped_session(2, 0.005)
    session.start()
    dashboard = watch_state(session).dashboard
    first, second = (dashboard.history.validations[run] for run in ("reptile-1", "reptile-2"))
    for _ in range(2):
        second.pop()
    assert first[-1].iteration > second[-1].iteration
    values = [one.mean[-1] for one in (first[-3], second[-1])]
    (group,) = (sweep := live_status(dashboard)).groups
    assert group.summary.validation == SeedInterval.of(values)
    assert [one.x[-1] for one in curves_plot(shown(sweep), None).series] == 3 * [
        second[-1].iteration
    ]


def test_a_curve_over_seeds_ends_where_a_single_one_is_left() -> None:
    runs = specification_of({"algorithms": ["reptile"], "seeds": 2}).expand()
    long, short = (result(run, 0.5) for run in runs)
    short = msgspec.structs.replace(short, validations=short.validations[:-1])
    sweep = status({runs[0].digest: long, runs[1].digest: short}, runs)
    ends = {one.x[-1] for one in curves_plot(shown(sweep), None).series}
    assert ends == {short.validations[-1].iteration}


def test_charts_without_results_say_so() -> None:
    runs = specification_of({"algorithms": ["reptile"], "sweep": GRID}).expand()
    sweep = status({}, runs)
    for plot in (
        curves_plot(shown(sweep), None),
        parallel_plot(shown(sweep), None),
        setting_plot(shown(sweep), sweep.dimensions[1], None),
    ):
        assert not any(one.x for one in plot.series)
        assert plot.empty in ("no validation yet", "no result yet")


@pytest.mark.parametrize("width", [1, 40, 80, 119, 120, 200])
@pytest.mark.parametrize("height", [1, 8, 16, 60])
@pytest.mark.parametrize("turned", [False, True])
def test_a_layout_shows_something_and_fits(width: int, height: int, turned: bool) -> None:
    layout = arrange(width, height, 90, 500, turned=turned)
    assert layout.table or layout.chart
    assert layout.table_width <= max(width, 40)
    assert layout.table_rows <= height


def test_a_heat_map_is_saved_as_a_picture() -> None:
    sweep = swept(GRID)
    across, up = sweep.dimensions
    heat = HeatMap(sweep, sweep.groups, across, up)
    root = ElementTree.fromstring(heat_svg(heat))
    texts = [one.text or "" for one in root.iter(f"{SVG}text")]
    numbers = [loss(one.mean) for one in sweep.groups if one is not sweep.best]
    assert not set(numbers) - set(texts)
    assert sum(text.startswith("◆") for text in texts) == 1
    assert {"inner_lr", "hidden", "0.005", "16, 16"} <= set(texts)
    colours = [one.get("fill") for one in root.iter(f"{SVG}rect")]
    assert len(colours) == 1 + len(COLORS) + len(heat.cells)
