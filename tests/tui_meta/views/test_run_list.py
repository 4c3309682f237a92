"""The list of runs and the report of one, without a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import Diverged, Validation
from core.storage.run_index import read_run
from tests.support.run_folders import (
    NASTY,
    evaluated,
    make_checkpoint,
    make_run,
    progress,
    run_summary,
    stamp,
    started,
    validated,
)
from tui_meta.views.runs.curves import MOST_CURVES, both_losses, compared_plot, loss_plot
from tui_meta.views.runs.details import cannot_resume, resume_command, run_lines
from tui_meta.views.runs.report import recorded_config, report
from tui_meta.views.runs.run_list import SORT_KEYS, RunList
from tui_meta.views.text import cells, plain

NOW = 10_000.0


def listed(count: int = 1_000) -> RunList:
    entries = [
        run_summary(
            f"run-{index:04d}",
            best=Validation(7, 1 / (index + 1), 0.0, 2 / (index + 1)),
            last_event=float(index),
        )
        for index in range(count)
    ]
    return RunList().with_entries(entries, NOW)


@pytest.mark.parametrize("width", [1, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("height", [1, 5, 20])
def test_a_thousand_runs_fit_any_size(width: int, height: int) -> None:
    runs = listed().moved(500)
    rows = runs.table(width, height)
    assert len(rows) == height
    assert {cells(row) for row in rows} == {width}


@given(st.integers(0, 60), st.lists(st.integers(-70, 70)), st.integers(2, 30))
def test_the_cursor_is_always_in_view(count: int, steps: list[int], height: int) -> None:
    runs = listed(count)
    for step in steps:
        runs = runs.moved(step)
    marked = [plain(row) for row in runs.table(80, height) if plain(row).startswith("▸")]
    assert len(marked) == (1 if count else 0)
    if runs.current:
        assert runs.current.name in marked[0]


@pytest.mark.parametrize("width", [60, 72, 80])
def test_names_that_end_in_the_time_stay_distinguishable(width: int) -> None:
    names = [f"reptile-20261124-{time}" for time in ("101500", "101501")]
    entries = [run_summary(name, iteration=458_000, target=100_000_000) for name in names]
    runs = RunList().with_entries(entries, NOW)
    assert all(
        name in plain(row) for name, row in zip(names, runs.table(width, 5)[1:], strict=True)
    )


@pytest.mark.parametrize("width", [120, 60])
@pytest.mark.parametrize("sort", SORT_KEYS)
def test_the_column_that_sorts_is_marked(sort: str, width: int) -> None:
    runs = listed(3)
    while runs.sort != sort:
        runs = runs.sorted_by_next(1)
    assert f"{sort}▾" in plain(runs.table(width, 5)[0])


def test_sorting_by_best_puts_the_lowest_loss_first() -> None:
    runs = listed(5)
    while runs.sort != "best":
        runs = runs.sorted_by_next(1)
    bests = [one.best.mean for one in runs.shown if one.best]
    assert len(bests) == 5
    assert bests == sorted(bests)


def test_all_words_of_a_filter_must_be_there_in_any_case() -> None:
    entries = [
        run_summary("Alpha", state="diverged"),
        run_summary("beta"),
        run_summary("alp", algorithm="reptile"),
    ]
    for wanted, names in {
        "ALP": ["Alpha", "alp"],
        "alp div": ["Alpha"],
        "reptile": ["alp"],
        "x": [],
        "": ["Alpha", "alp", "beta"],
    }.items():
        runs = RunList(wanted=wanted).with_entries(entries, NOW)
        assert sorted(one.name for one in runs.shown) == names


def test_marks_stay_on_their_runs_when_the_folder_is_read_again() -> None:
    runs = listed(3).toggled().moved(1).toggled()
    first, second = runs.marked_entries
    again = runs.with_entries([second, run_summary("other")], NOW)
    assert again.marked_entries == [second]
    assert first.path not in again.marked


def test_at_most_as_many_runs_are_marked_as_curves_differ() -> None:
    runs = listed(9)
    for _ in range(8):
        runs = runs.toggled().moved(1)
    assert len(runs.marked) == MOST_CURVES
    plot = compared_plot({one.name: ((1.0,), (1.0,)) for one in runs.marked_entries}, "adapted")
    assert len({series.marker for series in plot.series}) == MOST_CURVES


def test_curves_of_several_runs_share_their_axes() -> None:
    plot = compared_plot(
        {f"a{NASTY}": ((10.0, 20.0), (1.0, 0.1)), "b": ((500.0,), (0.001,))}, "training"
    )
    assert plot.title == "training loss of 2 runs"
    assert plot.x.upper >= 500
    assert plot.y.lower <= -3
    assert plot.series[0].label.isprintable()


def test_one_run_s_losses_are_those_of_its_log() -> None:
    events = [
        progress(100, 0.5),
        evaluated(100, 4.0, 0.2),
        validated(100, 4.0, 0.3),
    ]
    assert both_losses(events) == {"training": ((100,), (0.5,)), "adapted": ((100,), (0.3,))}
    assert [series.label for series in loss_plot(events).series] == ["training", "validation"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trouble = Diverged(problem="the loss is no longer finite", advice="lower it", **stamp(300))
    events = [started(), progress(100), validated(200, 4.0, 0.25), trouble]
    path = make_run(tmp_path / "run", events, commit="abc123")
    make_checkpoint(path, 200, {"kind": "best"})
    (path / "000000300.safetensors").write_bytes(b"no")
    return path


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_report_of_a_run_is_complete(folder: Path, width: int) -> None:
    opened = read_run(folder)
    config = recorded_config(folder, opened.record)
    text = "\n".join(plain(one) for one in run_lines(report(opened, config, NOW), width))
    for part in (
        "run, FOMAML:",
        "state         diverged",
        "300 / 1,000",
        "0.250 ± 0.025 at 200",
        "the loss is no longer finite",
        "iterations  1000   50000",
        "000000200.safetensors",
        "best so far",
        "damaged",
        "Validation on 2 tasks, 1 gradient steps",
        "2026-11-23T22:36:12+0000",
        "torch on cpu",
        "abc123",
        "tui-meta --name 'a name'",
    ):
        assert part in text


def test_the_command_to_resume_a_run_depends_on_the_process_that_has_it() -> None:
    free, held = (
        run_summary("a b", state="stopped"),
        run_summary("a", trained_by="process 12 on here"),
    )
    assert cannot_resume(free, is_here=False) == ""
    assert resume_command(free) == "tui-meta resume '/runs/a b'"
    assert "in use by process 12 on here; view: tui-meta attach" in cannot_resume(
        held, is_here=False
    )
    assert "this session" in cannot_resume(held, is_here=True)
    assert cannot_resume(run_summary("a", problem="torn"), is_here=False) == "torn"


def test_a_finished_run_is_resumed_with_more_iterations() -> None:
    command = "tui-meta resume /runs/a --iterations 40"
    assert cannot_resume(run_summary("a"), is_here=False) == f"finished; to continue: {command}"
