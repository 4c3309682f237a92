"""Runs in numbers, without a terminal."""

import msgspec
import pytest

from core.algorithms.base import Algorithm
from core.algorithms.cavia import Cavia
from core.algorithms.fomaml import Fomaml
from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.tasks.sine import SineTasks
from tests.support.dashboard.watch_state import started_session, watch_state
from tui_meta.views.run_settings import settings_words
from tui_meta.views.run_status import RunStatus, run_statuses
from tui_meta.views.text import cells, plain
from tui_meta.views.watch.facts import fact_lines, fact_rows, facts


def statuses() -> list[RunStatus]:
    state = watch_state(started_session()).dashboard
    return run_statuses(state.snapshots, state.history, state.titles)


def test_steps_quantiles_budget_and_settings_have_a_row_each() -> None:
    found = facts(statuses())
    assert found["validation at"] == ["10,000", "15,000"]
    assert all(" ± " in value for value in found["after 32 steps"])
    names = list(found)
    assert [name for name in names if name.startswith("after")] == [
        "after 0 steps", "after 1 step", "after 5 steps", "after 10 steps", "after 32 steps",
    ]  # fmt: skip
    assert {"10% of tasks below", "50% of tasks below", "90% of tasks below"} <= set(names)
    assert found["gradient evaluations"] == ["73,800", "93,500"]
    assert found["per iteration"] == ["3 x 10 shots", "1 x 50 points"]
    assert found["seed"] == ["0", "0"]


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        (Cavia(), "inner 1 · outer 0.001 adam · 3 tasks · 10 shots · context 5 · 64-64 tanh"),
        (Reptile(inner_optimizer="adam"), "inner 0.02 adam · outer 0.1 sgd · 1 task · 50 points"),
    ],
)
def test_settings_that_make_another_algorithm_are_among_the_main_ones(
    algorithm: Algorithm, words: str
) -> None:
    config = RunConfig(algorithm=algorithm).to_dict(complete=True)
    snapshot = msgspec.structs.replace(statuses()[0].snapshot, config=config)
    assert settings_words(snapshot).startswith(words)


def test_unusual_data_of_a_run_are_in_its_settings() -> None:
    session = started_session()
    assert "data" not in facts(statuses())
    config = RunConfig(
        algorithm=Fomaml(query="random"),
        tasks=SineTasks(frequency=(0.8, 1.2)),
        noise=0.3,
        fixed_tasks=1_600,
    )
    session.change("fomaml-1", config=config.to_dict(complete=True))
    state = watch_state(session).dashboard
    found = facts(run_statuses(state.snapshots, state.history, state.titles))
    words = "frequency 0.8 to 1.2, random query points, noise 0.3, 1,600 fixed tasks"
    assert found["data"] == [words, ""]
    assert f" · {words} · " in settings_words(state.snapshots["fomaml-1"])


def test_a_copy_has_a_column_for_each_run() -> None:
    head, *rows = fact_rows(statuses())
    assert head == ("", "FOMAML", "Reptile")
    assert ("seed", "0", "0") in rows


def test_quantiles_are_losses_of_tasks_even_where_some_are_not_finite() -> None:
    run = statuses()[0]
    assert run.validated
    losses = (*(one / 10 for one in range(1, 9)), None, None)
    validated = msgspec.structs.replace(
        run.validated, losses=losses, mean=(None,) * len(run.validated.steps)
    )
    found = facts([msgspec.structs.replace(run, validated=validated)])
    assert found["10% of tasks below"] == ["0.100"]
    assert found["50% of tasks below"] == ["0.500"]
    assert found["90% of tasks below"] == ["inf"]
    assert found["after 32 steps"] == ["not finite"]


@pytest.mark.parametrize("width", [1, 36, 52, 118])
def test_the_table_fits_any_size_and_loses_its_last_rows(width: int) -> None:
    for rows in (0, 5, 40):
        lines = fact_lines(statuses(), width, rows)
        assert len(lines) <= rows
        assert {cells(one) for one in lines} <= {width}
    assert "FOMAML" in plain(fact_lines(statuses(), 52, 5)[0])
