"""The picture of one iteration and its numbers, without a terminal."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.dashboard.answers import traced
from tui_meta.views.geometry.picture import GeometryChart, chooser_line, number_lines
from tui_meta.views.plots.plot import curve
from tui_meta.views.text import cells, plain


@pytest.mark.parametrize("title", ["FOMAML", "Reptile"])
def test_every_path_begins_at_theta_and_has_all_inner_steps(title: str) -> None:
    answer = traced(title)
    *paths, outer, theta = GeometryChart().plot(answer).series
    assert (theta.x, theta.y) == ((0,), (0,))
    assert list(zip(outer.x, outer.y, strict=True)) == [(0, 0), answer.update]
    assert len(paths) == len(answer.paths)
    for path, steps in zip(paths, answer.paths, strict=True):
        assert list(zip(path.x, path.y, strict=True)) == [(0, 0), *steps]


@pytest.mark.parametrize("title", ["FOMAML", "Reptile"])
def test_all_of_the_picture_is_inside_its_axes(title: str) -> None:
    plot = GeometryChart().plot(traced(title))
    for series in plot.series:
        assert plot.x.lower <= min(series.x) <= max(series.x) <= plot.x.upper
        assert plot.y.lower <= min(series.y) <= max(series.y) <= plot.y.upper


def test_the_axes_of_successive_iterations_stay_put() -> None:
    chart, answer = GeometryChart(), traced("Reptile")
    first = chart.plot(answer)
    x, y = answer.update
    second = chart.plot(msgspec.structs.replace(answer, update=(0.99 * x, 0.99 * y)))
    assert (first.x, first.y) == (second.x, second.y)


def test_axes_that_one_large_iteration_needed_close_in_when_small_ones_have_followed() -> None:
    chart, large = GeometryChart(), traced("Reptile")
    small = msgspec.structs.replace(
        large,
        update=(0.01 * large.update[0], 0.01 * large.update[1]),
        paths=tuple(tuple((0.01 * x, 0.01 * y) for x, y in path) for path in large.paths),
    )
    wide = chart.plot(large)
    assert chart.plot(small).x == wide.x
    assert chart.plot(small).x == wide.x  # the same answer, painted again
    for _ in range(20):
        last = chart.plot(msgspec.structs.replace(small))
    assert last.x.upper - last.x.lower < 0.1 * (wide.x.upper - wide.x.lower)


def test_paths_have_the_colour_of_their_run_and_the_numbers_of_their_tasks() -> None:
    *paths, outer, theta = GeometryChart(1).plot(traced("FOMAML")).series
    assert [path.tag for path in paths] == ["1", "2", "3"]
    assert {path.color for path in paths} == {curve("", (), (), 1).color}
    assert all(line.arrows for line in (*paths, outer))
    assert len({one.marker for one in (paths[0], outer, theta)}) == 3


def test_one_name_stands_for_all_tasks() -> None:
    answer = traced("FOMAML")
    many = msgspec.structs.replace(
        answer, paths=answer.paths * 4, lengths=answer.lengths * 4, distances=answer.distances * 4
    )
    plot = GeometryChart().plot(many)
    assert [series.label for series in plot.legend] == ["tasks 1 to 12", "outer step", "θ"]
    assert [one.tag for one in plot.series][8:11] == ["9", "", ""]


def test_the_numbers_are_those_of_the_answer() -> None:
    answer = traced("FOMAML")
    said = [plain(one) for one in number_lines(answer)]
    assert f"{sum(answer.lengths) / 3:.3g}" in said[0]
    assert "1 step, mean of 3 tasks" in said[0]
    assert f"{answer.update_norm:.3g}" in said[2]
    assert f"{answer.fomaml_reptile:+.3f}" in said[3]
    assert f"{answer.successive:+.3f}" in said[4]
    assert len(said) == 5


def test_a_path_of_several_steps_has_its_straightness() -> None:
    answer = traced("Reptile")
    said = plain(number_lines(answer)[1])
    assert f"straightness {answer.distances[0] / answer.lengths[0]:.2f}" in said


def test_unknown_values_are_shown_as_unknown() -> None:
    answer = msgspec.structs.replace(traced("FOMAML"), exact=False, successive=None)
    said = [plain(one) for one in number_lines(answer)]
    assert "as with plain SGD" in said[-1]
    assert said[4].split()[1] == "-"


def test_numbers_of_pictures_side_by_side_are_apart_and_not_cut() -> None:
    answer = msgspec.structs.replace(traced("FOMAML"), exact=False)
    lines = number_lines(answer, 60)
    assert {cells(one) for one in lines} == {59}
    assert not any("…" in plain(one) for one in lines)
    assert all(plain(one).endswith("…") for one in number_lines(answer, 30)[3:])


@pytest.mark.parametrize("chosen", range(6))
def test_the_chosen_of_many_runs_is_in_view(chosen: int) -> None:
    titles = [f"Reptile inner_lr=0.005 seed {seed}" for seed in range(6)]
    row = plain(chooser_line(titles, [chosen], chosen, 80, following=False))
    assert f"▸Reptile inner_lr=0.005 seed {chosen} " in row
    assert len(row) <= 80
    assert "seed 3 after 50 · PCA plane" in GeometryChart().plot(traced("Reptile"), titles[3]).title


def test_the_chosen_run_is_marked_where_not_all_are_shown() -> None:
    one = plain(chooser_line(["FOMAML", "Reptile"], [1], 1, 80, following=False))
    assert "▸Reptile" in one
    both = plain(chooser_line(["FOMAML", "Reptile"], [0, 1], 1, 80, following=True))
    assert "▸" not in both
    assert "following, once per second" in both
