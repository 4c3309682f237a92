"""The battery's lines and plots, without a terminal."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

import msgspec
import pytest
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet

from core.analysis.answers import BatteryResult
from tests.support.dashboard.answers import TITLES, surveyed
from tui_meta.views.battery import results as battery
from tui_meta.views.numbers import loss
from tui_meta.views.plots.heat import ASCII, COLORS, SHADES, Ramp, ramp
from tui_meta.views.text import Span, cells, plain

WIDTHS = [1, 20, 59, 60, 80, 120, 200]


def changed(source: int = 0, **values: Any) -> BatteryResult:
    sources = list(surveyed().sources)
    sources[source] = msgspec.structs.replace(sources[source], **values)
    return msgspec.structs.replace(surveyed(), sources=tuple(sources))


@pytest.mark.parametrize("width", WIDTHS)
def test_everything_fits_its_width(width: int) -> None:
    answer = surveyed()
    lines = [
        battery.progress_line(128, 900, width),
        battery.title_line(answer, TITLES, width),
        *battery.pair_lines(answer, TITLES, 0, width),
        *battery.table(answer, TITLES, width),
        *battery.heat_lines(answer, 0, width),
        *battery.worst_lines(answer, 0, 3, width),
    ]
    assert {cells(one) for one in lines} == {width}


def test_the_table_has_a_row_for_each_source_with_all_its_numbers() -> None:
    head, *rows = battery.table(surveyed(), TITLES, 80)
    assert plain(head).split("  ")[0] == "loss"
    for title, source, row in zip(TITLES, surveyed().sources, rows, strict=True):
        values = [source.mean, source.low, source.high, source.median]
        values += [source.quantiles[index] for index in (0, 1, 3, 4)]
        assert plain(row).split() == [title, *(loss(value) for value in values), "0"]


def test_a_narrow_table_keeps_mean_and_median() -> None:
    head, row, *_ = battery.table(surveyed(), TITLES, 30)
    source = surveyed().sources[0]
    assert plain(head).split() == ["loss", "mean", "median"]
    assert plain(row).split() == ["FOMAML", loss(source.mean), loss(source.median)]


def test_a_source_that_diverged_has_a_count_of_tasks_in_place_of_a_mean() -> None:
    answer = changed(mean=None, low=None, high=None, diverged=12)
    row = plain(battery.table(answer, TITLES, 80)[1]).split()
    assert row[1:4] == ["inf", "-", "-"]
    assert row[-1] == "12"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.3, -0.1, "FOMAML's loss is lower"),
        (0.1, 0.3, "Reptile's loss is lower"),
        (-0.1, 0.1, "no significant difference (95%)"),
        (0.0, 0.0, "no significant difference (95%)"),
    ],
)
def test_the_verdict_on_a_pair_follows_from_its_interval(
    low: float, high: float, verdict: str
) -> None:
    pair = msgspec.structs.replace(
        surveyed().pairs[0], mean=(low + high) / 2, low=low, high=high, first_better=0.25
    )
    answer = msgspec.structs.replace(surveyed(), pairs=(pair,))
    (said,) = battery.pair_lines(answer, TITLES, 0, 120)
    assert plain(said).rstrip().endswith(f": {verdict}; FOMAML lower on 25% of the tasks")
    (short,) = battery.pair_lines(answer, TITLES, 0, 48)
    fitting = "not significant" if verdict.startswith("no ") else verdict
    assert plain(short).rstrip().endswith(f": {fitting}")


def test_pairs_are_those_of_the_source_that_is_looked_at() -> None:
    for source, title in enumerate(TITLES):
        said = [plain(one) for one in battery.pair_lines(surveyed(), TITLES, source, 120)]
        assert len(said) == 2
        assert all(title in one.partition(":")[0] for one in said)


@pytest.mark.parametrize("width", [80, 120])
def test_runs_of_a_sweep_are_told_apart_in_rows_and_pairs(width: int) -> None:
    titles = [f"Reptile inner_lr=0.005 seed {seed}" for seed in (0, 1)] + ["random init"]
    head, *rows = battery.table(surveyed(), titles, width)
    assert "95% interval" in plain(head)
    assert [plain(row).split("  ")[0] for row in rows] == titles
    pairs = battery.pair_lines(surveyed(), titles, 0, width)
    assert all(" to " in plain(one) and "…  " not in f"{plain(one)}  " for one in pairs)


def test_a_pair_without_a_mean_shows_why() -> None:
    pair = msgspec.structs.replace(surveyed().pairs[0], mean=None, low=None, high=None)
    answer = msgspec.structs.replace(surveyed(), pairs=(pair,))
    assert "a task diverged" in plain(battery.pair_lines(answer, TITLES, 0, 120)[0])


def test_the_histogram_has_a_curve_of_counts_for_each_source() -> None:
    plot = battery.histogram(surveyed(), TITLES)
    for title, source, series in zip(TITLES, surveyed().sources, plot.series, strict=True):
        assert series.label == title
        assert series.y == source.counts
    assert plot.y.upper >= max(max(source.counts) for source in surveyed().sources)


@pytest.mark.parametrize("scale", [COLORS, SHADES, ASCII])
def test_the_heat_map_is_ordered_by_loss_from_end_to_end_of_its_scale(scale: Ramp) -> None:
    answer = surveyed()
    heat = answer.sources[0].heat
    rows = [one[1:] for one in battery.heat_lines(answer, 0, 80, scale)][: len(heat)]
    cells = [[Span(char, span.style) for span in row for char in span.text] for row in rows]
    ranks = {
        mean: scale.index(cells[len(heat) - 1 - row][5 * column])
        for row, line in enumerate(heat)
        for column, mean in enumerate(line)
        if mean is not None
    }
    in_order = [ranks[mean] for mean in sorted(ranks)]
    assert in_order == sorted(in_order)
    assert (in_order[0], in_order[-1]) == (0, len(scale) - 1)


def test_rows_of_a_mixture_have_the_names_of_its_families() -> None:
    answer = surveyed()
    names = tuple(f"family{row}" for row in range(len(answer.rows) - 1))
    named = msgspec.structs.replace(answer, names=names)
    rows = battery.heat_lines(named, 0, 80)[: len(names)]
    assert [plain(row).split()[0] for row in rows] == [*reversed(names)]


def test_every_colour_of_a_heat_map_is_lighter_than_the_one_before() -> None:
    colors = [Color.parse(one.style) for one in COLORS]
    light = [0.2126 * r**2.2 + 0.7152 * g**2.2 + 0.0722 * b**2.2 for r, g, b in map(rgb, colors)]
    assert light == sorted(light)
    assert min(b / a for a, b in pairwise(light)) > 1.1
    plainest = [color.downgrade(ColorSystem.STANDARD).number for color in colors]
    assert len([number for number, _ in groupby(plainest)]) == len(set(plainest)) == 5


def rgb(color: Color) -> ColorTriplet:
    return color.get_truecolor()


def test_a_heat_map_of_characters_has_no_colour_and_in_ascii_no_other_characters() -> None:
    assert ramp(color=True, ascii=True) == ramp(color=False, ascii=True) == ASCII
    assert ramp(color=False, ascii=False) == SHADES
    assert not any(one.style for one in (*SHADES, *ASCII))
    assert "".join(one.text for one in ASCII).isascii()
    for scale in (SHADES, ASCII):
        assert len({one.text for one in scale}) == len(scale)


def test_an_empty_cell_is_blank_and_one_that_diverged_is_marked() -> None:
    heat = [list(row) for row in surveyed().sources[0].heat]
    tasks = [list(row) for row in surveyed().tasks]
    heat[-1][0], tasks[-1][0] = None, 0
    heat[-1][1], tasks[-1][1] = None, 3
    answer = msgspec.structs.replace(
        changed(heat=tuple(map(tuple, heat)), diverged=1), tasks=tuple(map(tuple, tasks))
    )
    top, *_, key = (plain(one) for one in battery.heat_lines(answer, 0, 80))
    assert top[12:22] == "     !!!!!"
    assert key.rstrip().endswith("! diverged")


def test_adjacent_maps_share_one_scale() -> None:
    alone = plain(battery.heat_lines(surveyed(), 0, 80)[-1])
    first = plain(battery.heat_lines(surveyed(), 0, 80, beside=(2,))[-1])
    second = plain(battery.heat_lines(surveyed(), 2, 80, beside=(0,))[-1])
    assert first == second != alone


def test_the_worst_tasks_are_listed_and_the_selected_one_is_marked() -> None:
    head, *rows = battery.worst_lines(surveyed(), 0, 2, 60)
    assert len(rows) == 10
    for poor, row in zip(surveyed().sources[0].worst, rows, strict=True):
        assert loss(poor.loss) in plain(row)
        assert f"{poor.task.parameters[0]:.2f}·sin" in plain(row)
    assert [plain(row).startswith("▸") for row in rows] == [False, False, True] + [False] * 7
    assert "task" in plain(head)


def test_the_title_names_the_tasks() -> None:
    expected = "300 random tasks, 10 points, whole range, 4 gradient steps, seed 0"
    assert plain(battery.title_line(surveyed(), TITLES, 80)).rstrip() == expected
    wide = plain(battery.title_line(surveyed(), TITLES, 120))
    assert wide.startswith(expected.replace("points, whole", "support points over the whole"))
    assert wide.endswith("FOMAML at 50, Reptile at 50")


def test_the_selected_task_is_among_the_rows_that_there_is_room_for() -> None:
    for selected in range(10):
        rows = [plain(one) for one in battery.worst_lines(surveyed(), 0, selected, 60, 5)]
        assert len(rows) == 5
        assert sum(row.startswith("▸") for row in rows) == 1


def test_cells_of_a_map_may_be_several_rows_high() -> None:
    low = [plain(one)[12:] for one in battery.heat_lines(surveyed(), 0, 60)]
    high = [plain(one)[12:] for one in battery.heat_lines(surveyed(), 0, 60, rows=2)]
    assert high[:-2] == [row for row in low[:-2] for _ in range(2)]
    assert high[-2:] == low[-2:]


def test_the_edges_of_narrow_cells_have_more_decimals_and_room() -> None:
    edges = tuple(-0.2 + 0.05 * index for index in range(9))
    answer = msgspec.structs.replace(surveyed(), axes=("a", "b"), rows=edges)
    rows = [plain(row) for row in battery.heat_lines(answer, 0, 60)]
    assert rows[0].lstrip().startswith("0.15 to 0.20 ")
    assert rows[7].startswith("-0.20 to -0.15 ")
    assert rows[8].split()[0] == "a"
    assert {row[14] for row in rows[:8]} == {" "}
