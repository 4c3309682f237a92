"""Charts draw any data at any size, distinguishable without colour, with few repaints."""

import math
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import product
from typing import get_args

import plotext  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from tui_meta.upstream.plotext import own_figure
from tui_meta.views.plots.axis import Axis, Limits, limits_around
from tui_meta.views.plots.plot import Kind, Mark, Marker, Plot, Series, curve, empty_plot
from tui_meta.views.plots.wave import error_strip
from tui_meta.widgets.canvas import Canvas
from tui_meta.widgets.chart import Chart, draw

SIZES = [(0, 0), (0, 3), (3, 0), (1, 1), (5, 2), (2, 5), (36, 9), (58, 15), (200, 3), (3, 200)]

any_floats = st.lists(st.floats(), max_size=60)
kinds: st.SearchStrategy[Kind] = st.sampled_from(get_args(Kind))
markers: st.SearchStrategy[Marker] = st.sampled_from(get_args(Marker))


def support(x: Sequence[float], y: Sequence[float]) -> Series:
    return Series("support", x, y, "points", "bright_magenta", "●")


def wave_plot(title: str = "wave") -> Plot:
    x = [-5 + index * 10 / 49 for index in range(50)]
    series = (
        Series("true", x, [4 * math.sin(value + 1) for value in x]),
        Series("before", x, [math.sin(value) for value in x], "line", "bright_blue", "•"),
        curve("after", x, [3 * math.sin(value + 0.5) for value in x], 1),
        support([-3.0, 0.0, 3.0], [4.5, 4.5, 4.5]),
    )
    return Plot(title, series, Axis(-5, 5, "x"), Axis(-5, 5, "y"))


def text(strips: Sequence[Strip]) -> str:
    return "\n".join(strip.text for strip in strips)


def plain(plot: Plot, width: int, height: int, *, ascii: bool = False) -> str:
    return text(draw(plot, width, height, color=False, ascii=ascii))


def has_size(strips: Sequence[Strip], width: int, height: int) -> bool:
    return len(strips) == height and all(
        strip.cell_length == Strip(list(strip)).cell_length == width for strip in strips
    )


@settings(deadline=None)
@given(any_floats, st.integers(0, 200), st.integers(0, 200), kinds, markers, st.booleans())
def test_any_floats_at_any_size_give_strips_of_exactly_that_size(
    values: list[float], width: int, height: int, kind: Kind, marker: Marker, ascii: bool
) -> None:
    series = Series("loss", values, values[::-1], kind, "cyan", marker)
    x, y = Limits(0, 1).follow(values).axis("x"), Axis(0, 5, "y")
    strips = draw(Plot("any", (series, series), x, y), width, height, color=True, ascii=ascii)
    assert has_size(strips, width, height)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_size_is_filled_exactly(width: int, height: int) -> None:
    for ascii in (False, True):
        strips = draw(wave_plot(), width, height, color=True, ascii=ascii)
        assert has_size(strips, width, height)


def test_numbers_that_abort_plotext_are_drawn() -> None:
    # In a process of its own, for a kernel that aborts takes the test runner with it.
    script = """
import math
from tui_meta.views.plots.axis import Axis
from tui_meta.views.plots.plot import Plot, Series
from tui_meta.widgets.chart import draw
bad = [math.nan, math.inf, -math.inf, 1e9, -1e9, 1e300, -1e300, 1.7e308, 5e-324, 0.0, 2.0]
x = [a for a in bad for _ in bad]
y = [b for _ in bad for b in bad]
for upper in (5e-324, 1e-300, 5.0, 1e16, 1e300):
    for kind in ("line", "points"):
        plot = Plot("", (Series("bad", x, y, kind),), Axis(0, upper), Axis(0, upper))
        for size in range(0, 40):
            assert len(draw(plot, size, size, color=True, ascii=False)) == size
print("survived")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == "survived\n", (done.returncode, done.stderr)


def test_two_threads_draw_at_once_what_one_draws_alone() -> None:
    sizes = [(20 + index, 6 + index % 20) for index in range(60)]
    alone = [plain(wave_plot(), *size) for size in sizes]
    drawn: dict[int, list[str]] = {}

    def work(number: int) -> None:
        drawn[number] = [plain(wave_plot(), *size) for size in sizes]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == {0: alone, 1: alone}


def test_drawing_leaves_plotexts_public_figure_alone() -> None:
    size = plotext.figure.size()
    draw(wave_plot(), 77, 33, color=True, ascii=False)
    assert plotext.figure.size() == size
    assert plotext.figure._signals._get_length() == 0


def test_a_frame_keeps_nothing_of_the_one_before() -> None:
    first = plain(wave_plot(), 40, 12)
    plain(Plot("", (curve("loss", [0, 1], [0, 1]),), Axis(0, 1), Axis(0, 1)), 40, 12)
    assert plain(wave_plot(), 40, 12) == first


def test_a_canvas_draws_a_plot_as_one_that_has_drawn_no_other() -> None:
    waves, lines = wave_plot(), wave_plot().series[:2]
    plots = [waves, replace(waves, series=lines), replace(waves, y=Axis(-9, 9)), waves]
    canvas = Canvas()
    for plot, color, ascii in product(plots, (True, False), (True, False)):
        again = draw(plot, 58, 15, color=color, ascii=ascii, canvas=canvas)
        assert again == draw(plot, 58, 15, color=color, ascii=ascii)


def test_lines_are_not_drawn_again_where_points_move(monkeypatch: pytest.MonkeyPatch) -> None:
    waves, canvas = wave_plot(), Canvas()
    moved = replace(waves, series=(*waves.series[:-1], support([0.0], [0.0])))
    expected = draw(moved, 58, 15, color=True, ascii=False)
    draw(waves, 58, 15, color=True, ascii=False, canvas=canvas)
    monkeypatch.delattr("tui_meta.widgets.canvas.draw_lines")
    assert draw(moved, 58, 15, color=True, ascii=False, canvas=canvas) == expected


def test_importing_the_widget_does_not_import_plotext() -> None:
    script = "import sys, tui_meta.widgets.chart; print('plotext' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize("rows", range(4, 40))
def test_a_tick_is_in_the_row_of_the_points_it_names(rows: int) -> None:
    # The chart repeats plotext's rounding; this notices when plotext changes it.
    # A gap on either side makes each of them a line of its own.
    y = [value for tenth in range(11) for value in (tenth / 10, math.nan)]
    series = Series("", [0.5] * len(y), y, marker="●")
    plot = Plot("", (series,), Axis(0, 1), Axis(0, 1))
    named = [line for line in plain(plot, 60, rows).splitlines() if "┤" in line]
    assert len(named) >= 2
    assert all("●" in line for line in named)


@pytest.mark.parametrize("columns", range(20, 60))
def test_a_tick_is_in_the_column_of_the_points_it_names(columns: int) -> None:
    x = [value for tenth in range(11) for value in (tenth / 10, math.nan)]
    series = Series("", x, [0.0] * len(x), marker="●")
    plot = Plot("", (series,), Axis(0, 1), Axis(0, 1))
    *_, points, line, _ = plain(plot, columns, 10).splitlines()
    marked = [index for index, mark in enumerate(line) if mark == "┬"]
    assert len(marked) >= 2
    assert all(points[index] == "●" for index in marked)


def test_lines_differ_without_colour() -> None:
    strips = draw(wave_plot(), 58, 15, color=False, ascii=False)
    legend, *canvas = [strip.text for strip in strips]
    assert legend.split() == ["y", "⠒■", "true", "••", "before", "╍▲", "after", "●", "support"]
    drawn = "".join(canvas)
    assert all(mark in drawn for mark in "•●")
    assert any("\u2800" < mark <= "\u28ff" for mark in drawn)


def test_no_colour_means_none_at_all() -> None:
    styles = [
        one.style for strip in draw(wave_plot(), 58, 15, color=False, ascii=False) for one in strip
    ]
    assert all(style is None or style.color is style.bgcolor is None for style in styles)


def test_colours_are_names_of_the_16_colour_palette_on_the_terminals_own_background() -> None:
    styles: list[Style] = [
        one.style
        for strip in draw(wave_plot(), 58, 15, color=True, ascii=False)
        for one in strip
        if one.style is not None
    ]
    used = {style.color for style in styles if style.color is not None}
    assert len(used) >= 3
    assert all(color.number is not None and color.number < 16 for color in used)
    assert all(style.bgcolor is None for style in styles)


@pytest.mark.parametrize(("width", "height"), [(36, 9), (58, 15), (100, 30), (12, 4)])
def test_ascii_charts_are_pure_ascii(width: int, height: int) -> None:
    assert plain(wave_plot(), width, height, ascii=True).isascii()


def test_support_points_are_drawn_over_the_lines_even_when_listed_first() -> None:
    x = [0.0, 0.5, 1.0]
    series = (support([0.5], [0.5]), curve("after", x, [0.5] * 3, 1))
    assert plain(Plot("", series, Axis(0, 1), Axis(0, 1)), 40, 9).count("●") == 2  # and legend


@given(edge=st.sampled_from([0, 1]), cells=st.floats(-2, 2), columns=st.integers(2, 200))
@example(edge=0, cells=-0.7, columns=60)
def test_a_point_near_an_edge_is_where_plotext_would_draw_it_or_left_out(
    edge: int, cells: float, columns: int
) -> None:
    share = edge + cells / columns
    figure, _, new_marker = own_figure()
    figure.clear.data()
    figure.plot_size(columns, 1)
    signal = figure.signal([share], [0.5], marker=new_marker("●", 0))
    figure.draw(signal.lines(False))
    theirs = re.sub("\x1b\\[[^m]*m", "", figure.build().string()).split("\n")[0]
    point = Series("", (share,), (0.5,), "points", "default", "●")
    plot = Plot("", (point,), Axis(0, 1), Axis(0, 1))
    (ours,) = Canvas().draw(plot, columns, 1, color=True, ascii=False)
    assert ours.text.find("●") == theirs.find("●")


def test_gaps_in_the_data_are_gaps_in_the_line() -> None:
    y = [0.5, 0.5, math.nan, 0.5, 0.5]
    plot = Plot("", (Series("", range(5), y, marker="+"),), Axis(0, 4), Axis(0, 1))
    row = plain(plot, 41, 2).splitlines()[0] + plain(plot, 41, 2).splitlines()[1]
    assert row.strip().replace("+", "") == " " * 19


def test_a_line_that_leaves_the_limits_is_drawn_up_to_them() -> None:
    line = Series("", [0, 1, 2], [0, 1e12, 0], marker="+")
    plot = Plot("", (line,), Axis(0, 2, ticked=False), Axis(0, 1))
    assert all("+" in line for line in plain(plot, 41, 9).splitlines())


def test_a_chart_without_data_shows_that_there_is_none() -> None:
    plot = Plot("", (curve("loss", [0, 1], [math.nan, math.inf]),), Axis(0, 1), Axis(0, 1))
    assert "no data yet" in plain(plot, 36, 9)


def test_a_chart_without_data_says_what_it_will_show_where_all_of_that_fits() -> None:
    about = "The mean loss after the last step on a fixed set of tasks."
    plot = Plot("", (), Axis(0, 1, ticked=False), Axis(0, 1, ticked=False), about=about)
    read = " ".join(plain(plot, 36, 9).split())
    assert read == f"no data yet {about}"
    for width, height in ((36, 3), (5, 9)):
        assert "mean" not in plain(plot, width, height)


def test_a_chart_of_36_by_9_shows_legend_ticks_and_data() -> None:
    legend, *rows, labels = plain(wave_plot(), 36, 9).splitlines()
    assert all(name in legend for name in ("true", "before", "after", "support"))
    assert labels.split() == ["-4", "-2", "0", "2", "4", "x"]
    assert [row.split("┤")[0].strip() for row in rows if "┤" in row] == ["5", "0", "-5"]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("manywords", "morewords"), ["■", "manywo…", "▲", "morewo…"]),
        (("0.02, 0.2", "0.02, 0.1"), ["■", "…0.2", "▲", "…0.1"]),
        (("sgd rate=0.1", "sgd rate=0.2", "none"), ["■", "…0.1", "▲", "…0.2", "□", "none"]),
    ],
)
def test_names_that_a_legend_has_no_room_for_are_cut_where_they_are_alike(
    names: Sequence[str], shown: list[str]
) -> None:
    lines = tuple(curve(name, [0, 1], [0, 1], n) for n, name in enumerate(names))
    legend = plain(Plot("", lines, Axis(0, 1), Axis(0, 1)), 20, 9).splitlines()[0]
    assert legend.split() == shown


def test_a_small_chart_drops_ticks_before_the_legend_and_the_data_never() -> None:
    assert "┤" not in plain(wave_plot(), 14, 5)
    assert plain(wave_plot(), 14, 5).splitlines()[0].startswith("■ t")
    assert plain(wave_plot(), 14, 2).strip()


def test_a_long_curve_costs_no_more_points_than_the_chart_has_columns() -> None:
    n = 20_000
    long = Plot("", (curve("", range(n), [0.5] * n),), Axis(0, n), Axis(0, 1))
    assert has_size(draw(long, 40, 9, color=True, ascii=False), 40, 9)


def colored(plot: Plot, width: int, height: int) -> str:
    """Return the text of a chart in colour."""
    return text(draw(plot, width, height, color=True, ascii=False))


class ChartApp(App[None]):
    """One chart with a border, and a count of what it asks to repaint."""

    CSS = "Chart { width: 40; height: 14; border: round white; }"

    def __init__(self) -> None:
        super().__init__()
        self.chart = CountingChart(can_focus=True)

    def compose(self) -> ComposeResult:
        yield self.chart


class CountingChart(Chart):
    """A chart that remembers which regions it asked to repaint; `()` is all of it."""

    def __init__(self, *, can_focus: bool) -> None:
        self.repaints: list[tuple[Region, ...]] = []
        super().__init__(can_focus=can_focus)

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> "CountingChart":
        self.repaints.append(regions)
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


def shown(app: ChartApp) -> str:
    lines = app.screen._compositor.render_strips()
    return text([line.crop(1, 39) for line in lines[1:13]])


async def test_the_widget_shows_what_draw_draws_under_its_title() -> None:
    app = ChartApp()
    async with app.run_test() as pilot:
        app.chart.show(wave_plot("[a] wave"))
        await pilot.pause()
        assert shown(app) == colored(wave_plot(), 38, 12)
        assert app.screen._compositor.render_strips()[0].text[3:13] == "[a] wave ─"
        assert app.chart.can_focus


async def test_showing_an_equal_plot_repaints_nothing() -> None:
    app = ChartApp()
    async with app.run_test() as pilot:
        app.chart.show(wave_plot())
        await pilot.pause()
        app.chart.repaints.clear()
        app.chart.show(wave_plot())
        assert app.chart.repaints == []


async def test_showing_a_new_plot_repaints_only_the_lines_that_changed() -> None:
    app = ChartApp()
    async with app.run_test() as pilot:
        old = wave_plot()
        app.chart.show(old)
        await pilot.pause()
        app.chart.repaints.clear()
        new = Plot(old.title, (*old.series[:3], support([-3.0], [4.5])), old.x, old.y)
        app.chart.show(new)
        regions = [region for repaint in app.chart.repaints for region in repaint]
        assert len(app.chart.repaints) == 1
        assert [(region.y, region.height) for region in regions] == [(1, 1)]
        await pilot.pause()
        assert shown(app) == colored(new, 38, 12)


async def test_a_resized_widget_draws_its_plot_again() -> None:
    app = ChartApp()
    async with app.run_test() as pilot:
        app.chart.show(wave_plot())
        await pilot.pause()
        app.chart.styles.height = 10
        await pilot.pause()  # lays out
        await pilot.pause()
        lines = [app.chart.render_line(y).text for y in range(8)]
        assert "\n".join(lines) == colored(wave_plot(), 38, 8)


async def test_a_hidden_widget_shows_the_newest_plot_when_it_comes_back() -> None:
    app = ChartApp()
    async with app.run_test() as pilot:
        app.chart.show(wave_plot())
        await pilot.pause()
        app.chart.display = False
        await pilot.pause()
        newer = Plot("newer", (), Axis(0, 1), Axis(0, 1))
        app.chart.show(newer)
        app.chart.display = True
        await pilot.pause()
        assert shown(app) == colored(newer, 38, 12)


async def test_a_chart_without_a_plot_is_blank() -> None:
    app = ChartApp()
    async with app.run_test():
        assert shown(app).strip() == ""


async def test_a_plot_without_a_title_is_shown() -> None:
    app = ChartApp()
    async with app.run_test() as pilot:
        app.chart.show(wave_plot(""))
        await pilot.pause()
        assert shown(app) == colored(wave_plot(), 38, 12)


async def test_no_color_reaches_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = ChartApp()
    async with app.run_test() as pilot:
        app.chart.show(wave_plot())
        await pilot.pause()
        expected = draw(wave_plot(), 38, 12, color=False, ascii=False)
        assert app.chart._strips == expected


# What is laid over a chart.


def marked_plot() -> Plot:
    line = curve("a", range(101), [0.5] * 101)
    marks = (Mark(0, "s"), Mark(50, "e"), Mark(100, "p"))
    x, y = Axis(0, 100, ticked=False), Axis(0, 1, ticked=False)
    return Plot("", (line,), x, y, marks=marks, cursor=50)


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_cursor_and_marks_keep_the_size(width: int, height: int, ascii: bool) -> None:
    strips = draw(marked_plot(), width, height, color=True, ascii=ascii)
    assert [strip.cell_length for strip in strips] == [width] * height


def test_the_cursor_crosses_every_row_and_the_curve_shows_on_it() -> None:
    strips = draw(marked_plot(), 102, 12, color=False, ascii=True)
    columns = [strip.crop(51, 52) for strip in strips[1:]]
    assert [column.text for column in columns].count(":") == 9  # the lowest has a mark
    (crossed,) = [column for column in columns if column.text == "*"]
    assert all(segment.style and segment.style.reverse for segment in crossed)


def test_marks_stand_at_the_bottom_where_it_happened() -> None:
    last = draw(marked_plot(), 102, 8, color=False, ascii=True)[-1].text
    assert (last[1], last[51], last[101]) == ("s", "e", "p")


@pytest.mark.parametrize(("color", "ascii"), [(False, False), (True, True), (False, True)])
def test_without_colour_or_unicode_lines_are_named_at_their_ends(color: bool, ascii: bool) -> None:
    lines = (curve("one", (0, 50), (0.2, 0.2)), curve("two", (0, 60), (0.7, 0.7), 1))
    plot = Plot("", lines, Axis(0, 100), Axis(0, 1))
    rows = [strip.text for strip in draw(plot, 80, 12, color=color, ascii=ascii)][1:]
    ends = {name: row.rindex(name) for row in rows for name in ("one", "two") if name in row}
    assert 42 <= ends["one"] <= 46
    assert 50 <= ends["two"] <= 54
    with_color = draw(plot, 80, 12, color=True, ascii=False)[1:]
    assert not any("one" in strip.text for strip in with_color)


def test_names_of_lines_that_end_at_the_edge_are_above_them_in_their_order() -> None:
    names = ("four", "three", "two", "one")
    lines = [
        curve(name, (0, 100), (0.2 + place / 50,) * 2, place)
        for place, name in enumerate(reversed(names))
    ]
    plot = Plot("", tuple(lines), Axis(0, 100), Axis(0, 1))
    for ascii, marks in ((False, "◇□▲■"), (True, "=+#*")):
        rows = [strip.text for strip in draw(plot, 80, 14, color=False, ascii=ascii)][1:]
        named = [row.split()[-2:] for row in rows if row.split()[-1:] and row.split()[-1] in names]
        assert named == [list(pair) for pair in zip(marks, names, strict=True)]


def test_a_name_without_room_at_the_end_of_its_line_is_left_out() -> None:
    falling = curve("one", range(101), [10 ** (-at / 50) for at in range(101)])
    covers = [curve("", (0, 100), (0.02 + level / 20,) * 2, 1) for level in range(5)]
    plot = Plot("", (falling, *covers), Axis(0, 100), Axis(0, 1))
    rows = [strip.text for strip in draw(plot, 80, 14, color=False, ascii=False)]
    assert "■ one" in rows[0]
    assert not any("■ one" in row for row in rows[1:])


def test_a_chart_that_waits_for_its_data_has_no_axes() -> None:
    assert colored(empty_plot("", "asked"), 40, 12).split() == ["asked"]


def test_without_colour_lines_carry_marks_in_columns_of_their_own() -> None:
    lines = tuple(curve(str(place), (0, 100), (0.5, 0.5), place) for place in range(4))
    plot = Plot("", lines, Axis(0, 100, ticked=False), Axis(0, 1, ticked=False))
    row = max(plain(plot, 80, 9).splitlines()[1:], key=lambda one: one.count("■"))
    assert all(row.count(mark) >= 4 for mark in "■▲□◇")
    assert not any(mark in colored(plot, 80, 9) for mark in "■▲□◇")


# The strip, the scale of the axes, and arrow heads.


def with_strip(*errors: float) -> Plot:
    x = [index - 5 for index in range(11)]
    wave = wave_plot()
    error = curve("after", x, errors or [0.3] * 11, 1)
    return replace(wave, strip=error_strip([error]))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_chart_with_a_strip_keeps_the_size(width: int, height: int) -> None:
    for ascii in (False, True):
        strips = draw(with_strip(), width, height, color=True, ascii=ascii)
        assert has_size(strips, width, height)


def test_the_strip_has_its_own_axis_around_zero_below_the_curves() -> None:
    rows = colored(with_strip(), 60, 16).splitlines()
    title = next(place for place, row in enumerate(rows) if "error" in row)
    assert rows[title].lstrip().startswith("├─ error: after \N{MINUS SIGN} true ──")
    strip = rows[title + 1 : title + 4]
    assert [row.split("┤")[0].strip() for row in strip if "┤" in row] == ["0.2", "-0.2"]
    assert any("\u2800" < mark <= "\u28ff" for mark in strip[0])  # the error
    assert any("\u2800" < mark <= "\u28ff" for mark in strip[1])  # the line at 0
    assert not any("\u2800" < mark <= "\u28ff" for mark in strip[2])


def test_a_low_chart_has_no_strip() -> None:
    assert colored(with_strip(), 60, 12) == colored(wave_plot(), 60, 12)
    assert "error" in colored(with_strip(), 60, 13)


@given(any_floats)
def test_a_strip_of_any_errors_is_drawn(errors: list[float]) -> None:
    plot = replace(wave_plot(), strip=error_strip([Series("", errors, errors[::-1])]))
    assert has_size(draw(plot, 40, 16, color=True, ascii=False), 40, 16)


def path(*points: tuple[float, float]) -> Plot:
    x, y = zip(*points, strict=True)
    line = Series("", x, y, arrows=True, tag="7")
    axes = limits_around(x).axis("axis 1"), limits_around(y).axis("axis 2")
    return Plot("", (line, Series("path", (), ())), *axes, same_scale=True)


@pytest.mark.parametrize(
    ("to", "head", "ascii"),
    [
        ((1, 0.01), "→", ">"),
        ((1, 1), "↗", ">^"),
        ((0.01, 1), "↑", "^"),
        ((-1, 1), "↖", "<^"),
        ((-1, 0.01), "←", "<"),
        ((-1, -1), "↙", "<v"),
        ((0.01, -1), "↓", "v"),
        ((1, -1), "↘", ">v"),
    ],
)
def test_arrow_heads_show_where_a_path_goes(to: tuple[float, float], head: str, ascii: str) -> None:
    plot = replace(path((0, 0), to), same_scale=False, x=Axis(-1.05, 1.05), y=Axis(-1.05, 1.05))
    drawn = colored(plot, 48, 25)
    assert drawn.count(head) == 2  # halfway and at the end
    assert " 7" in drawn
    assert any(mark in plain(plot, 48, 25, ascii=True) for mark in ascii)


def test_a_unit_is_as_long_on_both_axes() -> None:
    drawn = colored(path((0, 0), (1, 0.5), (0.5, 1)), 60, 20)
    assert "axis 2  " in drawn
    rows = drawn.splitlines()
    ruler = next(row for row in rows if "┬" in row)
    columns = [column for column, mark in enumerate(ruler) if mark == "┬"]
    assert rows[-1].split()[:3] == ["0", "0.5", "1.0"]
    y = {row.split("┤")[0].strip(): place for place, row in enumerate(rows) if "┤" in row}
    assert columns[2] - columns[0] == pytest.approx(2 * (y["0"] - y["1.0"]), abs=2)


def test_a_flat_path_is_stretched_and_the_factor_is_written() -> None:
    flat, steep = path((0, 0), (1, 0.01), (2, 0.02)), path((0, 0), (0.01, 1), (0.02, 2))
    assert "axis 2 \N{MULTIPLICATION SIGN}50  " in colored(flat, 60, 20)
    assert "axis 1 \N{MULTIPLICATION SIGN}100" in colored(steep, 60, 20)


def test_values_in_a_legend_have_shorter_names_before_none() -> None:
    names = ("FOMAML seed 0", "Reptile", "FOMAML seed 1")
    lines = tuple(curve(name, (0.0, 1.0), (0.0, 1.0), index) for index, name in enumerate(names))
    plot = replace(
        Plot("validation", lines, Axis(0, 1, "x"), Axis(0, 1, "loss")), values=("0.12",) * 3
    )

    def legend(width: int) -> str:
        return draw(plot, width, 9, color=True, ascii=False)[0].text

    assert "FOMAML seed 0 0.12" in legend(80)
    assert "FOMAML s0 0.12" in legend(54)
    assert "FOMAML" not in legend(30)
    assert legend(30).count("0.12") == 3
