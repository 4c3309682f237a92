"""Moving through a run's checkpoints, without a terminal."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bench.answers import PastEvaluation, Recalled, SavedTheta
from core.bench.questions import Drawn, Saved
from tui_meta.views import time_machine
from tui_meta.views.text import cells, plain
from tui_meta.views.time_machine import HistoryChart, TimeMachine, arrive, renewed, travel


def past(*iterations: int, evaluations: range = range(0, 500, 50), damaged: int = 0) -> Recalled:
    return Recalled(
        folder="checkpoints/run",
        checkpoints=tuple(
            SavedTheta(name=f"{i:09d}.safetensors", iteration=i, kind="auto") for i in iterations
        ),
        damaged=damaged,
        evaluations=tuple(
            PastEvaluation(
                iteration=i, index=i, amplitude=1.0, phase=0.0, before=4.0, after=1 / (1 + i)
            )
            for i in evaluations
        ),
    )


PAST = past(100, 200, 300)


def test_one_arrives_at_the_newest_checkpoint() -> None:
    assert arrive(PAST).iteration == 300


@given(st.lists(st.integers(-4, 4), max_size=9))
def test_one_stays_among_the_checkpoints(steps: list[int]) -> None:
    machine = arrive(PAST)
    for by in steps:
        place = machine.place
        machine = travel(machine, by)
        assert machine.place == max(0, min(2, place + by))
    assert machine.iteration in (100, 200, 300)


@pytest.mark.parametrize(
    ("at", "iterations", "expected"),
    [
        (200, (100, 200, 300, 400), 200),
        (300, (100, 200, 300, 400), 400),
        (200, (100, 300, 400), 100),
        (100, (300, 400), 300),
    ],
)
def test_new_checkpoints_leave_one_where_one_was(
    at: int, iterations: tuple[int, ...], expected: int
) -> None:
    machine = TimeMachine(PAST, [100, 200, 300].index(at))
    assert renewed(machine, past(*iterations)).iteration == expected


def test_without_a_checkpoint_there_is_nothing_to_ask() -> None:
    machine = travel(arrive(past()), -1)
    assert machine.iteration is None
    assert time_machine.question(machine, Drawn("standard"), 5) is None
    assert plain(time_machine.rows(machine, 5, 40)[0]).strip() == "there is no checkpoint yet"
    assert plain(time_machine.place_line(machine)) == "no checkpoint"
    assert renewed(machine, PAST).iteration == 300


def test_the_chosen_theta_is_asked_by_its_path() -> None:
    asked = time_machine.question(travel(arrive(PAST), -1), Drawn("standard"), 5, 0.1)
    assert asked is not None
    assert asked.source == Saved("checkpoints/run/000000200.safetensors")
    assert (asked.task, asked.updates, asked.lr) == (Drawn("standard"), 5, 0.1)


@given(n=st.integers(1, 30), height=st.integers(1, 10), place=st.integers(0, 29))
def test_the_chosen_checkpoint_is_always_among_the_rows(n: int, height: int, place: int) -> None:
    machine = TimeMachine(past(*range(10, 10 * n + 10, 10)), min(place, n - 1))
    rows = time_machine.rows(machine, height, 40)
    assert len(rows) == min(n, height)
    assert sum(plain(row).startswith("▸") for row in rows) == 1
    assert {cells(row) for row in rows} == {40}


def test_a_row_has_the_loss_of_the_evaluation_before_it() -> None:
    first, *_ = time_machine.rows(arrive(past(120, evaluations=range(0, 500, 50))), 3, 40)
    assert plain(first).split() == ["▸", "120", "auto", "0.0099", "0.0099"]


def test_damaged_checkpoints_are_told() -> None:
    machine = arrive(past(100, 200, damaged=2))
    assert plain(time_machine.place_line(machine)) == "checkpoint 2 of 2, iteration 200, 2 damaged"


def test_the_history_marks_where_the_chosen_checkpoint_is() -> None:
    plot = HistoryChart().plot(travel(arrive(PAST), -1))
    history, chosen = plot.series
    assert history.x == tuple(range(0, 500, 50))
    assert history.y == pytest.approx([math.log10(1 / (1 + i)) for i in range(0, 500, 50)])
    assert chosen.x == (200,)
    assert chosen.y == pytest.approx([math.log10(1 / 201)])


def test_moving_does_not_move_the_axes() -> None:
    chart = HistoryChart()
    plots = [chart.plot(TimeMachine(PAST, place)) for place in range(3)]
    assert len({(plot.x, plot.y) for plot in plots}) == 1


def test_a_run_that_was_never_evaluated_has_an_empty_history() -> None:
    plot = HistoryChart().plot(arrive(past(100, evaluations=range(0))))
    assert not any(series.x for series in plot.series)
    assert plot.empty == "no evaluation yet"
