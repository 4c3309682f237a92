"""The charts of the watch screen."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dashboard.fake_session import FakeSession
from tests.support.dashboard.watch_state import NAMES, one_evaluation, started_session, watch_state
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.plots.axis import log10s
from tui_meta.views.plots.plot import Plot
from tui_meta.views.text import plain
from tui_meta.views.watch import layout
from tui_meta.views.watch.state import WatchState


def test_a_requested_evaluation_stays_while_periodic_ones_arrive() -> None:
    session = started_session()
    state = watch_state(session)
    state.turn_to_evaluation("standard")
    session.evaluate("standard")
    state.dashboard.update(session.events(0), session.snapshots())
    state.dashboard.history.add([one_evaluation(run, 20_000) for run in NAMES])
    state.arrange(120, 40)
    assert "standard" in state.plots()["wave-0"][0].title
    assert state.go_back()
    assert "random task · at 20,000" in state.plots()["wave-0"][0].title


def test_escape_closes_a_requested_evaluation_while_no_periodic_one_arrives() -> None:
    session = started_session()
    state = watch_state(session)
    state.arrange(120, 40)
    before = state.plots()["wave-0"]
    state.turn_to_evaluation("standard")
    session.evaluate("standard")
    state.dashboard.update(session.events(0), session.snapshots())
    assert state.plots()["wave-0"] != before
    assert state.go_back()
    assert state.plots()["wave-0"] == before


def test_escape_closes_a_requested_evaluation_where_there_is_no_periodic_one() -> None:
    session = started_session(fomaml=100, reptile=100)
    state = watch_state(session)
    state.turn_to_evaluation("half-range")
    session.evaluate("half-range")
    state.dashboard.update(session.events(0), session.snapshots())
    state.arrange(120, 40)
    assert state.plots()["wave-0"][0].series
    assert state.go_back()
    plot, below = state.plots()["wave-0"]
    assert not plot.series
    assert plot.empty == "no evaluation yet"
    assert below == ""


def wave_plot(*x: float) -> Plot:
    """The chart of an evaluation whose query set lies at ``x``, as any process may tell of it."""
    state = watch_state(started_session(fomaml=1_000))
    evaluated = msgspec.structs.replace(
        one_evaluation("fomaml-1", 2_000), query_x=x, before=(0.5,) * len(x), after=(1.0,) * len(x)
    )
    state.dashboard.history.add([evaluated])
    state.arrange(120, 40)
    plot = state.plots()["wave-0"][0]
    assert "2,000" in plot.title
    return plot


def test_a_query_set_of_one_point_has_an_axis_with_a_length() -> None:
    plot = wave_plot(2.0, 2.0)
    assert plot.x.lower < 2 < plot.x.upper


@given(st.lists(st.floats(), min_size=1, max_size=4))
def test_any_query_set_has_a_chart(x: list[float]) -> None:
    plot = wave_plot(*x)
    assert all(plot.x.lower <= value <= plot.x.upper for value in x if abs(value) <= 1e300)


def test_axes_stay_put_while_values_stay_within() -> None:
    state = watch_state(started_session())
    state.arrange(200, 60)
    first = {panel: (plot.x, plot.y) for panel, (plot, _) in state.plots().items()}
    state.dashboard.history.add([one_evaluation(run, 13_000) for run in NAMES])
    second = {panel: (plot.x, plot.y) for panel, (plot, _) in state.plots().items()}
    assert first == second


def test_a_diverged_run_does_not_flatten_the_others() -> None:
    session = started_session()
    curve = session.snapshots()["fomaml-1"].curve
    losses = tuple(10.0**n for n in range(len(curve.losses)))
    session.change("fomaml-1", curve=msgspec.structs.replace(curve, losses=losses))
    session.diverge("fomaml-1")
    state = watch_state(session)
    state.turn_to("training")
    state.arrange(120, 40)
    assert state.plots()["training"][0].y.upper <= 2


def test_plots_without_data_say_that_there_is_none_yet() -> None:
    state = WatchState(DashboardState(FakeSession().snapshots()))
    state.arrange(200, 60)
    assert {plot.empty for plot, _ in state.plots().values()} == {
        "no validation yet",
        "no iteration yet",
        "no evaluation yet",
    }


def test_plots_without_data_are_about_different_things() -> None:
    state = WatchState(DashboardState(FakeSession().snapshots()))
    state.arrange(200, 60)
    about = [plot.about for plot, _ in state.plots().values()]
    assert len(set(about)) == len(about) == 5
    assert not any("{" in one for one in about)


def test_an_evaluation_without_gradient_steps_has_an_axis_with_a_length() -> None:
    alone = msgspec.structs.replace(one_evaluation("fomaml-1", 1_000), losses=(0.25,))
    state = WatchState(DashboardState(started_session().snapshots(), [alone]))
    state.arrange(200, 60)
    plot, _ = state.plots()[layout.UPDATES]
    assert (plot.x.lower, plot.x.upper) == (0, 1)


def test_validation_is_drawn_in_its_band_above_the_line_of_no_training() -> None:
    session = started_session()
    state = watch_state(session)
    state.arrange(120, 40)
    plot, _ = state.plots()["validation"]
    assert plot.title == "validation: loss on 64 tasks, 10 points, 32 steps"
    assert [one.label for one in plot.legend] == ["FOMAML", "Reptile", "untrained"]
    by_name = {one.label: one for one in plot.series}
    events = state.dashboard.history.validations["reptile-1"]
    assert (
        by_name["Reptile"].x
        == tuple(one.iteration for one in events)
        == (0, 100, 1_000, 5_000, 10_000, 15_000)
    )
    for name, values in {
        "Reptile 95 % low": [one.low[-1] for one in events],
        "Reptile": [one.mean[-1] for one in events],
        "Reptile 95 % high": [one.high[-1] for one in events],
    }.items():
        assert by_name[name].y == pytest.approx(log10s(map(float, values)))
    assert by_name["Reptile 95 % low"].dim
    assert by_name["untrained"].y[0] in (by_name["Reptile"].y[0], by_name["FOMAML"].y[0])


def test_a_diverged_validation_is_a_gap() -> None:
    session = started_session()
    state = watch_state(session)
    state.arrange(120, 40)
    newest = state.dashboard.history.validations["reptile-1"].pop()
    none = (None,) * len(newest.steps)
    state.dashboard.history.add(
        [msgspec.structs.replace(newest, mean=none, low=none, high=none, median=none)]
    )
    plot, _ = state.plots()["validation"]
    assert math.isnan(plot.series[-1].y[-1])
    assert plain(state.table(58).foot[1]).split()[-2:] == ["now", "-"]


def test_training_losses_are_captioned_with_their_definitions() -> None:
    state = watch_state(started_session())
    state.turn_to("training")
    state.arrange(120, 40)
    assert state.plots()["training"][0].caption == (
        "FOMAML: query loss after the inner step; Reptile: mean minibatch loss on the way; "
        "not comparable"
    )


def test_without_validations_the_training_loss_is_the_first_chart() -> None:
    session = started_session(fomaml=300)
    for run, snapshot in session.snapshots().items():
        validation = snapshot.config["validation"] | {"interval": 0}
        session.change(run, config=snapshot.config | {"validation": validation})
    state = WatchState(DashboardState(session.snapshots()))
    assert state.chart == "training"
