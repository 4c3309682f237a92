"""What the charts of the watch screen promise: any lens, marks, and values read off."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands import Evaluate, Pause, Save
from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch_state import started_session, watch_state
from tui_meta.views.plots.axis import Axis, Limits, log10s
from tui_meta.views.plots.plot import Plot, Series, curve
from tui_meta.views.text import plain
from tui_meta.views.watch import layout
from tui_meta.views.watch.lens import Lens, moved, read_out, reading, stops, value_at
from tui_meta.views.watch.state import WatchState

TRAINING = layout.TRAINING


def looked_at(session: FakeSession | None = None) -> WatchState:
    watching = watch_state(session or started_session())
    watching.turn_to(TRAINING)
    watching.arrange(120, 40)
    return watching


def shown(watching: WatchState, panel: str = TRAINING) -> tuple[Plot, str]:
    return watching.plots([panel])[panel]


def losses_of(watching: WatchState, run: str) -> dict[int, float]:
    kept = watching.dashboard.snapshots[run].curve
    return dict(zip(kept.iterations, kept.losses, strict=True))


def test_a_linear_scale_shows_the_losses_themselves_from_zero() -> None:
    watching = looked_at()
    watching.change_lens("smoothing")
    watching.change_lens("scale")
    plot, _ = shown(watching)
    assert plot.y.lower == 0
    assert plot.y.scale == "linear"
    drawn = dict(zip(plot.series[0].x, plot.series[0].y, strict=True))
    assert drawn == losses_of(watching, "fomaml-1")
    assert plot.title == "training loss · linear · not smoothed"


def test_a_logarithmic_scale_shows_exponents_of_ten() -> None:
    watching = looked_at()
    watching.change_lens("smoothing")
    plot, _ = shown(watching)
    expected = [math.log10(value) for value in losses_of(watching, "fomaml-1").values()]
    assert plot.series[0].y == pytest.approx(expected)


def test_without_smoothing_every_point_is_drawn_and_with_it_few() -> None:
    watching = looked_at()
    assert len(shown(watching)[0].series[0].x) <= 96
    watching.change_lens("smoothing")
    assert len(shown(watching)[0].series[0].x) == len(losses_of(watching, "fomaml-1"))


def test_the_last_tenth_begins_with_the_run_that_is_behind() -> None:
    watching = looked_at()
    watching.change_lens("window")
    plot, _ = shown(watching)
    assert plot.x.lower <= 0.9 * 12_300 < plot.x.lower + 2_000
    assert plot.x.upper >= 18_700
    assert all(min(series.x) >= plot.x.lower for series in plot.series)


def test_the_newest_window_follows_in_steps_so_that_the_axis_stays_put() -> None:
    session = FakeSession({"fomaml": 20_000})
    session.start()
    watching = looked_at(session)
    watching.change_lens("window")
    watching.change_lens("window")
    axes = []
    for iteration in range(20_000, 22_000, 50):
        session.change("fomaml-1", iteration=iteration)
        watching.dashboard.update((), session.snapshots())
        plot, _ = shown(watching)
        assert plot.x.lower <= iteration - 2_000
        assert plot.x.upper >= iteration
        axes.append((plot.x.lower, plot.x.upper))
    assert len(set(axes)) <= 5
    watching.change_lens("window")
    assert shown(watching)[0].x.lower == 0


def test_the_x_axis_ends_with_the_data_where_no_run_trains() -> None:
    session = FakeSession({"fomaml": 32_000, "reptile": 31_000})
    session.start()
    watching = looked_at(session)
    assert shown(watching)[0].x.upper == 40_000
    for state in ("paused", "finished", "diverged"):
        for run in session.snapshots():
            session.change(run, state=state)
        watching.dashboard.update((), session.snapshots())
        assert shown(watching)[0].x.upper == 32_000


def test_a_window_brings_the_losses_in_it_nearer() -> None:
    watching = looked_at()
    everything = shown(watching)[0].y
    watching.change_lens("window")
    part, _ = shown(watching)
    assert part.y.upper - part.y.lower < everything.upper - everything.lower
    assert all(part.y.lower <= y <= part.y.upper for series in part.series for y in series.y)


def test_each_chart_keeps_a_lens_of_its_own() -> None:
    watching = looked_at()
    watching.change_lens("scale")
    watching.turn_to(layout.VALIDATION)
    watching.arrange(120, 40)
    assert shown(watching, layout.VALIDATION)[0].y.scale == "log"
    watching.turn_to(layout.TABLE)
    assert watching.lens_panel == layout.VALIDATION


def test_the_x_axis_counts_what_iterations_have_used() -> None:
    watching = looked_at()
    watching.change_lens("smoothing")
    iterations = list(losses_of(watching, "fomaml-1"))
    for part, each in (("tasks", 3), ("points", 180), ("gradients", 6)):
        watching.change_lens("x")
        plot, _ = shown(watching)
        assert watching.lens(TRAINING).x == part
        assert plot.series[0].x == tuple(each * iteration for iteration in iterations)
        assert plot.x.lower == 0
        assert plot.x.upper >= each * 12_300
    watching.change_lens("x")
    assert shown(watching)[0].series[0].x == pytest.approx([at / 3_900 for at in iterations])
    watching.change_lens("x")
    assert shown(watching)[0].series[0].x == tuple(iterations)


def test_a_logarithmic_x_axis_begins_with_the_first_point() -> None:
    watching = looked_at()
    watching.change_lens("x_scale")
    for panel in (TRAINING, layout.VALIDATION):
        watching.turn_to(panel)
        if panel == layout.VALIDATION:
            watching.change_lens("x_scale")
        watching.arrange(120, 40)
        plot, _ = shown(watching, panel)
        assert 1 <= plot.x.lower <= 2
        assert math.log10(18_700) <= plot.x.upper <= 5
        drawn = [x for one in plot.series for x in one.x]
        assert min(drawn) >= plot.x.lower
    watching.toggle_cursor()
    assert "at 15,000: " in shown(watching, layout.VALIDATION)[1]


def test_the_next_dashboard_has_the_same_lens_but_no_cursor() -> None:
    watching, other = looked_at(), looked_at()
    for part in ("scale", "window", "smoothing", "x", "x_scale"):
        watching.change_lens(part)  # type: ignore[arg-type]
    watching.toggle_cursor()
    other.restore(watching.view())
    assert other.lens(TRAINING) == Lens("linear", "tail", False, x="tasks", x_scale="log")


@given(st.dictionaries(st.sampled_from(["lens training", "lens wave-0"]), st.text() | st.none()))
def test_what_is_no_lens_is_passed_over(view: dict[str, str | None]) -> None:
    watching = looked_at()
    watching.restore(dict(view))
    assert not watching.lenses


@pytest.mark.parametrize("part", ["scale", "window", "smoothing"])
def test_a_wave_shows_why_it_has_no_lens(part: str) -> None:
    watching = looked_at()
    watching.turn_to("wave-0")
    watching.change_lens(part)  # type: ignore[arg-type]
    assert "wave charts have a fixed scale" in watching.messages.all[-1].text
    assert not watching.lenses


def test_the_loss_per_step_has_a_scale_and_shows_why_it_has_no_window() -> None:
    watching = looked_at()
    watching.turn_to(layout.UPDATES)
    watching.change_lens("window")
    assert "has no window" in watching.messages.all[-1].text
    watching.change_lens("scale")
    assert watching.lens(layout.UPDATES) == Lens(scale="linear")


# The cursor.


def test_the_cursor_reads_the_loss_of_each_run_off_the_curve() -> None:
    watching = looked_at()
    watching.change_lens("smoothing")
    watching.toggle_cursor()
    watching.move_cursor(-9_999)
    plot, below = shown(watching)
    assert plot.cursor == 50
    losses = [losses_of(watching, run)[50] for run in ("fomaml-1", "reptile-1")]
    assert below == f"at 50: FOMAML {losses[0]:.2f} · Reptile {losses[1]:.2f}"


def test_beyond_the_end_of_a_run_there_is_nothing_to_read() -> None:
    watching = looked_at()
    watching.toggle_cursor()
    _, below = shown(watching)
    assert "FOMAML - · Reptile 0." in below


def test_a_cursor_without_a_curve_shows_a_message() -> None:
    watching = looked_at(FakeSession())
    watching.toggle_cursor()
    assert "no curve to read values from yet" in watching.messages.all[-1].text
    assert not watching.cursor_on


def test_escape_removes_the_cursor_first() -> None:
    watching = looked_at()
    watching.enlarged = True
    watching.toggle_cursor()
    assert watching.go_back()
    assert watching.enlarged
    assert not watching.cursor_on


FINITE = st.floats(1e-9, 1e9)


@given(
    st.lists(FINITE, min_size=1, max_size=50),
    st.lists(st.integers(-60, 60), min_size=1, max_size=10),
    st.booleans(),
)
def test_the_cursor_stays_on_the_curve_and_reads_its_values(
    losses: list[float], moves: list[int], log: bool
) -> None:
    y = log10s(losses) if log else losses
    scale = "log" if log else "linear"
    limits = Limits(0, 1, scale).follow(losses)  # type: ignore[arg-type]
    x_axis = Axis(0, 50, label="iteration")
    plot = Plot("", (curve("a", range(len(losses)), y),), x_axis, limits.axis("loss"))
    cursor = None
    for steps in moves:
        cursor = moved(plot, cursor, steps)
        assert cursor in stops(plot)
        assert value_at(plot, plot.series[0], cursor) == pytest.approx(losses[int(cursor)])
        assert reading(plot, cursor).isprintable()


def test_a_reading_is_interpolated_between_points_and_absent_in_gaps() -> None:
    series = Series("a", (0, 2, 4), (1.0, 3.0, math.nan))
    plot = Plot("", (series,), Axis(0, 4), Axis(0, 4))
    assert value_at(plot, series, 1) == 2
    assert value_at(plot, series, 3) is None
    assert value_at(plot, series, 5) is None


def test_a_panel_without_a_lower_edge_has_the_values_in_its_title() -> None:
    watching = looked_at()
    watching.arrange(80, 24)
    watching.change_lens("scale")
    watching.toggle_cursor()
    plot, below = shown(watching)
    assert plot.title.startswith("training loss · at 18,")
    assert not below


# Marks.


def test_commands_are_marked_at_their_iterations() -> None:
    session = started_session(fomaml=12_300)
    watching = looked_at(session)
    seen = len(session.events(0))
    session.send(Save())
    session.send(Evaluate("standard", 0))
    session.change("fomaml-1", iteration=12_400)
    session.send(Pause())
    watching.dashboard.update(session.events(seen), session.snapshots())
    plot, _ = shown(watching)
    assert [(mark.x, mark.letter) for mark in plot.marks] == [
        (12_300, "s"), (12_300, "e"), (12_400, "p"),
    ]  # fmt: skip
    assert {mark.color for mark in plot.marks} == {plot.series[0].color}


def test_what_comes_by_itself_is_not_marked() -> None:
    assert not shown(looked_at())[0].marks


# The frozen view.


def test_a_frozen_view_stays_while_the_header_continues() -> None:
    session = started_session()
    watching = looked_at(session)
    before, rows = shown(watching), watching.table(60).count
    watching.freeze()
    seen = len(session.events(0))
    session.change("reptile-1", iteration=30_000)
    session.trainers["reptile-1"].evaluate("validation", 30, 30_000)
    watching.dashboard.update(session.events(seen), session.snapshots())
    assert shown(watching) == before
    assert watching.table(60).count == rows
    assert watching.dashboard.statuses[1].snapshot.iteration == 30_000
    watching.freeze()
    assert watching.table(60).count == rows + 1


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_footer_shows_a_frozen_view_at_every_width(width: int) -> None:
    watching = looked_at()
    assert "frozen" not in plain(watching.footer(None, width))
    watching.freeze()
    assert "z frozen" in plain(watching.footer(None, width))
    assert "z frozen" in plain(watching.footer("run-0", width))


def test_a_frozen_view_can_still_be_looked_at_through_another_lens() -> None:
    watching = looked_at()
    watching.freeze()
    watching.change_lens("scale")
    assert shown(watching)[0].y.scale == "linear"


def test_an_evaluation_that_is_asked_for_thaws_the_view_for_it_is_to_be_seen() -> None:
    watching = looked_at()
    watching.freeze()
    watching.turn_to_evaluation("standard")
    assert not watching.frozen


def test_the_x_axis_is_named_in_the_plural() -> None:
    assert Lens().words_of("x") == "x axis in iterations"
    assert Lens(x="tasks").words_of("x") == "x axis in tasks"


def test_values_that_the_lower_edge_would_cut_are_in_the_legend() -> None:
    names = [f"FOMAML seed {seed}" for seed in range(4)]
    for count in (1, 4):
        lines = tuple(curve(name, (0.0, 1.0), (0.0, 1.0)) for name in names[:count])
        plot = Plot("validation", lines, Axis(0, 1, "iteration"), Axis(0, 1, "loss"))
        read, below = read_out(plot, 1.0, "validation", at_edge=True)
        assert bool(below) == (count == 1)
        assert len(read.values) == (0 if below else count)
