"""Charts as SVG pictures: plain elements, and points where the data is."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.run_folders import NASTY
from tui_meta.views.plots.axis import Axis, Limits, log10s
from tui_meta.views.plots.plot import BAND_EDGES, Mark, Plot, PlotStrip, Series, curve, empty_plot
from tui_meta.views.plots.svg import HEIGHT, WIDTH, plot_svg, x_ticks, y_ticks

SVG = "{http://www.w3.org/2000/svg}"
PLAIN = {"svg", "title", "desc", "rect", "clipPath", "g", "path", "circle", "text"}

Point = tuple[float, float]

X = tuple(range(0, 5_001, 250))
LOSSES = tuple(4 * math.exp(-at / 900) + 0.05 for at in X)


def chart(*series: Series, **values: object) -> Plot:
    x, y = Limits(0, 5_000).axis("iteration"), Limits(-2, 1, "log").axis("loss")
    return Plot("validation: loss on 64 tasks", series, x, y, **values)  # type: ignore[arg-type]


def parsed(plot: Plot) -> ElementTree.Element:
    return ElementTree.fromstring(plot_svg(plot).encode())


def texts(root: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


def axes_box(root: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the area between the axes."""
    (rect,) = root.findall(f"{SVG}clipPath/{SVG}rect")
    x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def drawn(root: ElementTree.Element) -> list[list[Point]]:
    """The points of each path in the area between the axes."""
    (area,) = root.findall(f"{SVG}g")
    return [
        [
            (float(x), float(y))
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.attrib["d"])
        ]
        for path in area.findall(f"{SVG}path")
    ]


def expected(root: ElementTree.Element, plot: Plot, series: Series) -> list[Point]:
    left, top, right, bottom = axes_box(root)
    across, up = (axis.upper - axis.lower for axis in (plot.x, plot.y))
    return [
        (
            left + (x - plot.x.lower) / across * (right - left),
            bottom - (y - plot.y.lower) / up * (bottom - top),
        )
        for x, y in zip(series.x, series.y, strict=True)
    ]


def assert_near(
    points: Sequence[tuple[float, float]], wanted: Sequence[tuple[float, float]]
) -> None:
    assert len(points) == len(wanted)
    for (x, y), (at, height) in zip(points, wanted, strict=True):
        assert abs(x - at) <= 0.5
        assert abs(y - height) <= 0.5


def test_the_points_of_a_line_are_where_its_data_is() -> None:
    line = curve("FOMAML", X, log10s(LOSSES))
    plot = chart(line)
    root = parsed(plot)
    (path,) = drawn(root)
    assert_near(path, expected(root, plot, line))


def test_a_band_is_the_area_between_its_edges() -> None:
    low, high = (
        replace(curve(f"FOMAML{end}", X, log10s(factor * y for y in LOSSES)), listed=False)
        for end, factor in zip(BAND_EDGES, (0.8, 1.2), strict=True)
    )
    line = curve("FOMAML", X, log10s(LOSSES))
    plot = chart(low, high, line)
    root = parsed(plot)
    band, middle = drawn(root)
    assert_near(band, [*expected(root, plot, low), *reversed(expected(root, plot, high))])
    assert_near(middle, expected(root, plot, line))


def test_title_legend_ticks_and_limits_are_texts() -> None:
    plot = chart(
        curve("FOMAML", X, log10s(LOSSES)),
        curve("Reptile <&>", X, log10s(LOSSES), 1),
        values=("0.050", "0.063"),
        caption="not comparable",
    )
    root = parsed(plot)
    said = texts(root)
    for part in (plot.title, "FOMAML 0.050", "Reptile <&> 0.063", "not comparable"):
        assert part in said
    assert {plot.x.label, plot.y.label} <= set(said)
    assert {label for _, label in (*x_ticks(plot.x), *y_ticks(plot.y))} <= set(said)
    limits = "iteration from 0 to 5000; loss from 0.01 to 10, logarithmic"
    assert root.findtext(f"{SVG}desc") == limits


def test_the_legend_names_series_that_a_table_names_on_the_screen() -> None:
    hidden = [replace(curve(name, X, LOSSES), listed=False) for name in ("a", "untrained")]
    plot = chart(*hidden, curve("untrained", X, LOSSES), names=("untrained", "a"))
    said = [text for text in texts(parsed(plot)) if text in ("a", "untrained")]
    assert said == ["untrained", "a"]


def test_series_differ_in_colour_and_dashes() -> None:
    root = parsed(chart(*(curve(str(index), X, LOSSES, index) for index in range(4))))
    looks = {
        (path.attrib["stroke"], path.attrib.get("stroke-dasharray"))
        for path in root.findall(f"{SVG}g/{SVG}path")
    }
    assert len({stroke for stroke, _ in looks}) == len({dash for _, dash in looks}) == 4


def test_a_gap_divides_a_line_and_a_single_point_is_a_dot() -> None:
    line = curve("a", (0, 1_000, 2_000, 3_000, 4_000), (0.1, 0.2, math.nan, 0.3, math.inf))
    root = parsed(chart(line))
    (path,) = drawn(root)
    assert len(path) == 2
    assert len(root.findall(f"{SVG}g/{SVG}circle")) == 1


def test_points_marks_and_cursor_are_drawn() -> None:
    support = Series("support", (100, 200), (0, 0.5), "points", "default", "●")
    plot = chart(support, marks=(Mark(300, "e"),), cursor=400)
    root = parsed(plot)
    circles = root.findall(f"{SVG}g/{SVG}circle")
    centres = [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in circles]
    assert_near(centres, expected(root, plot, support))
    assert "e" in texts(root)
    assert len(drawn(root)) == 1


def test_the_ticks_stay_apart_and_inside_the_picture() -> None:
    root = parsed(chart(curve("a", X, log10s(LOSSES))))
    left, top, right, bottom = axes_box(root)
    assert (0 < left < right < WIDTH, 0 < top < bottom < HEIGHT) == (True, True)
    places = sorted(
        float(one.attrib["x"])
        for one in root.iter(f"{SVG}text")
        if bottom + 10 < float(one.attrib["y"]) < bottom + 20
    )
    assert len(places) == len(x_ticks(chart().x))
    assert all(b - a > 30 for a, b in pairwise(places))


def test_a_long_legend_takes_several_rows() -> None:
    root = parsed(chart(*(curve(f"a run with a name {index}", X, LOSSES) for index in range(8))))
    _, top, _, _ = axes_box(root)
    names = [one for one in root.iter(f"{SVG}text") if (one.text or "").startswith("a run")]
    assert len({one.attrib["y"] for one in names}) > 1
    assert all(float(one.attrib["y"]) < top for one in names)


@pytest.mark.parametrize("label", [NASTY, "a\udc80b", "<script>&amp;\"'"])
def test_any_text_is_harmless(label: str) -> None:
    root = parsed(replace(chart(curve(label, X, LOSSES)), title=label, caption=label))
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= PLAIN


def test_an_empty_plot_says_so() -> None:
    assert "damaged" in texts(parsed(empty_plot("run", "damaged")))


ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(ANY, ANY), max_size=20), st.sampled_from(["line", "points"]))
def test_any_values_give_a_picture(points: list[Point], kind: str) -> None:
    series = Series("a", [x for x, _ in points], [y for _, y in points], kind)  # type: ignore[arg-type]
    root = parsed(Plot("t", (series,), Axis(-1, 1), Axis(-1e-9, 1e-9)))
    written = ElementTree.tostring(root, "unicode")
    assert not re.search(r"\b(nan|inf)\b|e\+", written)
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= PLAIN


def test_axes_of_one_scale_are_so_in_the_picture_or_the_factor_is_written() -> None:
    line = Series("path", (0.0, 1.0), (0.0, 0.01))
    plot = Plot("", (line,), Axis(0, 1, "axis 1"), Axis(0, 0.01, "axis 2"), same_scale=True)
    assert "axis 2 \N{MULTIPLICATION SIGN}50<" in plot_svg(plot)
    assert "axis 1<" in plot_svg(plot)


def test_a_strip_has_axes_of_its_own_below_the_curves() -> None:
    line = Series("after", (0.0, 1.0, 2.0), (1.0, 3.0, 2.0))
    error = Series("error", (0.0, 1.0, 2.0), (0.5, -0.5, 0.25))
    strip = PlotStrip("error: after - true", (error,), Axis(-0.5, 0.5))
    root = parsed(Plot("wave", (line,), Axis(0.0, 2.0), Axis(0.0, 4.0), strip=strip))
    clips = root.findall(f".//{SVG}clipPath/{SVG}rect")
    upper, lower = ({key: float(one.get(key, "")) for key in ("y", "height")} for one in clips)
    assert upper["y"] + upper["height"] < lower["y"]
    assert "error: after - true" in texts(root)
    (path,) = root.findall(f"{SVG}g[@clip-path='url(#strip)']/{SVG}path")
    _, y = map(float, path.attrib["d"].split("L")[-1].split(" "))
    assert abs(y - (lower["y"] + 0.25 * lower["height"])) < 0.5


def test_a_path_with_arrows_has_heads_in_its_direction_and_a_tag_at_its_end() -> None:
    path = Series("task 1", (0.0, 1.0), (0.0, 0.0), arrows=True, tag="1")
    root = parsed(Plot("paths", (path,), Axis(0.0, 1.0), Axis(-1.0, 1.0)))
    turned = [
        one.get("transform", "") for one in root.iter() if "translate" in one.get("transform", "")
    ]
    assert len(turned) == 2
    assert all("rotate(0.0)" in one for one in turned)
    assert "1" in texts(root)
