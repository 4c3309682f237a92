"""Moving through a run's checkpoints, without a terminal."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.answers import PastEvaluation, RunHistory, SavedTheta
from core.analysis.questions import SampledTask, Saved
from core.evaluation.few_shot_tasks import PROBES, draw_task
from core.events import Validation
from core.tasks.sine import SineTasks
from tests.support.dashboard.answers import SOURCES, adapted
from tui_meta.views import checkpoint_travel as time_machine
from tui_meta.views.checkpoint_travel import TimeMachine, at_newest, moved, refreshed
from tui_meta.views.lab import state as lab
from tui_meta.views.short_names import shorter_forms
from tui_meta.views.text import cells, plain
from tui_meta.views.time_machine import text as time_text
from tui_meta.views.time_machine.charts import HistoryChart, ThroughTimeChart

SWEEP = [f"Reptile inner_lr={rate} seed {seed}" for rate in (0.005, 0.02) for seed in (0, 1, 2)]


@pytest.mark.parametrize("width", [34, 60, 80, 200])
@pytest.mark.parametrize("chosen", range(6))
def test_the_row_of_names_keeps_the_chosen_run_in_view(chosen: int, width: int) -> None:
    row = time_text.runs_line(SWEEP, chosen, width)
    assert cells(row) <= width
    (lit,) = [one.text.strip() for one in row if one.style == "reverse"]
    assert lit == SWEEP[chosen] or width < 200
    assert lit in [form[chosen] for form in shorter_forms(SWEEP)]


def past(*iterations: int, evaluations: range = range(0, 500, 50), damaged: int = 0) -> RunHistory:
    return RunHistory(
        folder="checkpoints/run",
        checkpoints=tuple(
            SavedTheta(name=f"{i:09d}.safetensors", iteration=i, kind="auto") for i in iterations
        ),
        damaged=damaged,
        evaluations=tuple(
            PastEvaluation(
                iteration=i, index=i, parameters=(1.0, 0.0), before=4.0, after=1 / (1 + i)
            )
            for i in evaluations
        ),
    )


PAST = past(100, 200, 300)


def test_one_arrives_at_the_newest_checkpoint() -> None:
    assert at_newest(PAST).iteration == 300


@given(st.lists(st.integers(-4, 4), max_size=9))
def test_one_stays_among_the_checkpoints(steps: list[int]) -> None:
    machine = at_newest(PAST)
    for by in steps:
        place = machine.place
        machine = moved(machine, by)
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
    assert refreshed(machine, past(*iterations)).iteration == expected


def test_without_a_checkpoint_there_is_nothing_to_ask() -> None:
    machine = moved(at_newest(past()), -1)
    assert machine.iteration is None
    assert time_machine.question(machine, SampledTask("standard"), 5) is None
    assert plain(time_text.rows(machine, 5, 40)[0]).strip() == "no checkpoint yet"
    assert plain(time_text.place_line(machine, 80)) == "no checkpoint"
    assert refreshed(machine, PAST).iteration == 300


def test_the_chosen_theta_is_asked_by_its_path() -> None:
    asked = time_machine.question(moved(at_newest(PAST), -1), SampledTask("standard"), 5, 0.1)
    assert asked is not None
    assert asked.source == Saved("checkpoints/run/000000200.safetensors")
    assert (asked.task, asked.updates, asked.lr) == (SampledTask("standard"), 5, 0.1)


@given(
    n=st.integers(1, 30),
    evaluations=st.integers(0, 30),
    height=st.integers(1, 40),
    place=st.integers(0, 29),
    by=st.none() | st.integers(0, 29),
)
def test_the_position_is_always_among_the_rows(
    n: int, evaluations: int, height: int, place: int, by: int | None
) -> None:
    known = past(*range(10, 10 * n + 10, 10), evaluations=range(0, 10 * evaluations, 10))
    machine = TimeMachine(known, min(place, n - 1))
    if by is not None:
        machine = time_machine.at_evaluation(machine, by)
    rows = time_text.rows(machine, height, 40)
    assert len(rows) <= max(2, height)
    lit = [plain(row) for row in rows if any(span.style == "reverse" for span in row)]
    at = machine.chosen_evaluation or machine
    assert [row.split()[:2] for row in lit] == [["▸", str(at.iteration)]]
    assert {cells(row) for row in rows} == {40}


VALIDATED = (
    Validation(0, 4.5, 4.0, 5.0),
    Validation(100, 0.5, 0.4, 0.6),
    Validation(200, 0.7, 0, 1),
)


def test_a_row_has_the_mean_of_a_validation_of_the_checkpoint_and_the_best_until_then() -> None:
    history = msgspec.structs.replace(past(200, 220), validations=VALIDATED)
    _, validated, between, *_ = time_text.rows(at_newest(history), 12, 40)
    assert plain(validated).split() == ["200", "auto", "0.700", "0.500"]
    assert plain(between).split() == ["▸", "220", "auto", "-", "0.500"]


def test_the_chart_of_the_past_is_that_of_validations_where_there_are_some() -> None:
    history = msgspec.structs.replace(PAST, validations=VALIDATED)
    plot = HistoryChart().plot(moved(at_newest(history), -2))
    curve, chosen = plot.series
    assert plot.title == "validation loss"
    assert curve.x == (0, 100, 200)
    assert (chosen.x, chosen.y) == ((100,), pytest.approx([math.log10(0.5)]))
    assert HistoryChart().plot(at_newest(PAST)).title == "loss on random tasks"


@given(n=st.integers(1, 30), place=st.integers(0, 29), width=st.integers(20, 120))
def test_the_timeline_shows_the_position(n: int, place: int, width: int) -> None:
    machine = TimeMachine(past(*range(10, 10 * n + 10, 10)), min(place, n - 1))
    row = time_text.timeline(machine, width)
    assert cells(row) == width
    assert f"▸{machine.iteration} " in plain(row)


# Through the evaluations.


EVALUATED = past(100, 200, 300, evaluations=range(0, 500, 40))


def test_the_other_path_begins_at_the_evaluation_behind_and_leads_back() -> None:
    machine = time_machine.other_path(moved(at_newest(EVALUATED), -1))
    assert machine.chosen_evaluation == EVALUATED.evaluations[5]
    assert machine.iteration == 200
    assert time_machine.other_path(machine) == moved(at_newest(EVALUATED), -1)


def test_the_checkpoint_is_the_nearest_to_the_evaluation() -> None:
    machine = time_machine.other_path(at_newest(EVALUATED))
    found = []
    for number in range(len(EVALUATED.evaluations)):
        machine = time_machine.at_evaluation(machine, number)
        found.append((EVALUATED.evaluations[number].iteration, machine.iteration))
    assert found == [
        (at, min((100, 200, 300), key=lambda one: abs(one - at))) for at in range(0, 500, 40)
    ]


def test_without_evaluations_one_stays_with_the_checkpoints() -> None:
    machine = at_newest(past(100, evaluations=range(0)))
    assert time_machine.other_path(machine) == machine


@pytest.mark.parametrize(("number", "expected"), [(3, 120), (12, 800)])
def test_new_evaluations_leave_one_where_one_was_and_the_newest_at_the_newest(
    number: int, expected: int
) -> None:
    machine = time_machine.at_evaluation(at_newest(EVALUATED), number)
    after = refreshed(machine, past(100, 700, evaluations=range(0, 801, 40)))
    at = after.chosen_evaluation
    assert at is not None
    assert at.iteration == expected
    assert after.iteration == (700 if expected == 800 else 100)


def test_the_task_of_an_evaluation_is_drawn_again() -> None:
    known = msgspec.structs.replace(EVALUATED, seed=5)
    machine = time_machine.at_evaluation(at_newest(known), 3)
    task = time_machine.evaluated_task(machine, SineTasks())
    expected = draw_task(SineTasks(), 5, PROBES["validation"], 120)
    assert task is not None
    assert task.parameters == expected.function.parameters
    assert task.support_x == tuple(expected.support_x)
    assert task.support_y == tuple(expected.support_y)
    assert time_machine.evaluated_task(at_newest(known), SineTasks()) is None
    unknown = time_machine.at_evaluation(at_newest(EVALUATED), 3)
    assert time_machine.evaluated_task(unknown, SineTasks()) is None


@given(n=st.integers(1, 60), place=st.integers(0, 59), most=st.integers(3, 12))
def test_a_strip_ascends_from_the_first_to_the_last_and_has_the_chosen_one(
    n: int, place: int, most: int
) -> None:
    machine = TimeMachine(past(*range(1, n + 1)), min(place, n - 1))
    numbers = time_machine.strip(machine, most)
    assert len(numbers) == min(n, most)
    assert numbers == sorted(set(numbers))
    assert {0, n - 1, machine.place} <= set(numbers)


def test_one_task_through_time_has_its_losses_at_the_present_step() -> None:
    state = lab.step(lab.begin(SineTasks()), -30)
    one = adapted(next(iter(lab.questions(state, SOURCES).values())))
    plot = ThroughTimeChart().plot(state, {100: one, 200: None, 300: one}, 300)
    first, now, chosen = plot.series
    assert first.x == now.x == (100, 300)
    assert one.losses[0] is not None
    assert one.losses[2] is not None
    assert first.y == pytest.approx([math.log10(one.losses[0])] * 2)
    assert now.y == pytest.approx([math.log10(one.losses[2])] * 2)
    assert (chosen.x, chosen.y) == ((300,), now.y[:1])
    assert now.label == "at step 2"


def test_a_theta_that_is_not_that_of_the_evaluation_is_named() -> None:
    machine = time_machine.other_path(at_newest(past(100, 300)))
    there = [
        time_machine.at_evaluation(machine, number)
        for number in range(len(machine.past.evaluations))
    ]
    for one in there:
        assert one.chosen_evaluation is not None
        said = plain(time_text.place_line(one, 80))
        at = one.chosen_evaluation.iteration
        assert (f"; nearest θ: {one.iteration}" in said) == (one.iteration != at)
    assert any("nearest θ" in plain(time_text.place_line(one, 80)) for one in there)


def test_where_room_is_short_the_position_keeps_which_theta_adapts() -> None:
    one = time_machine.at_evaluation(at_newest(past(100, 300)), 3)
    assert plain(time_text.place_line(one, 80)).endswith("nearest θ: 100; logged 4.00 → 0.0066")
    assert plain(time_text.place_line(one, 50)).endswith("nearest θ: 100")


def test_damaged_checkpoints_are_counted() -> None:
    machine = at_newest(past(100, 200, damaged=2))
    assert plain(time_text.place_line(machine, 80)) == "checkpoint 2 of 2, iteration 200, 2 damaged"


def test_the_history_marks_where_the_chosen_checkpoint_is() -> None:
    plot = HistoryChart().plot(moved(at_newest(PAST), -1))
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
    plot = HistoryChart().plot(at_newest(past(100, evaluations=range(0))))
    assert not any(series.x for series in plot.series)
    assert plot.empty == "no evaluation yet"
