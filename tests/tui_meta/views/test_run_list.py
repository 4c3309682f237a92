"""The list of runs and the report of one, without a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.algorithms.registry import ALGORITHMS
from core.config import RunConfig
from core.events import Diverged, Validation
from core.storage.run_index import RunSummary, read_run
from tests.support.run_folders import (
    make_checkpoint,
    make_run,
    progress,
    run_summary,
    stamp,
    started,
    validated,
)
from tui_meta.views.plots.axis import Axis
from tui_meta.views.plots.plot import Plot, curve
from tui_meta.views.runs.comparison import compared_lines
from tui_meta.views.runs.curves import MOST_CURVES
from tui_meta.views.runs.details import cannot_resume, resume_command, run_lines
from tui_meta.views.runs.report import recorded_config, report
from tui_meta.views.runs.run_list import SORT_KEYS, RunList
from tui_meta.views.runs.summary import brief_age
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


@pytest.mark.parametrize("width", [120, 64])
@pytest.mark.parametrize("sort", SORT_KEYS)
def test_the_column_that_sorts_is_marked(sort: str, width: int) -> None:
    runs = listed(3)
    while runs.sort != sort:
        runs = runs.sorted_by_next(1)
    assert f"{sort}▾" in plain(runs.table(width, 5)[0])


def test_sorting_by_validation_puts_the_lowest_loss_first() -> None:
    runs = listed(5)
    while runs.sort != "validation":
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
        runs = RunList().with_entries(entries, NOW).filtered(wanted)
        assert sorted(one.name for one in runs.shown) == names


def test_marks_stay_on_their_runs_when_the_folder_is_read_again() -> None:
    runs = listed(3).toggled().moved(1).toggled()
    first, second = runs.marked_entries
    again = runs.with_entries([second, run_summary("other")], NOW)
    assert again.marked_entries == [second]
    assert first.path not in again.marked


def test_no_more_runs_are_marked_than_curves_can_be_told_apart() -> None:
    runs = listed(19)
    for _ in range(18):
        runs = runs.toggled().moved(1)
    assert len(runs.marked) == MOST_CURVES


def with_settings(name: str, *, seed: int = 0, **values: Any) -> RunSummary:
    algorithm = ALGORITHMS[values.pop("algorithm", "fomaml")](**values)
    return run_summary(
        name, algorithm=algorithm.name, config=RunConfig(algorithm=algorithm, seed=seed).to_dict()
    )


def headings(entries: Sequence[RunSummary], width: int) -> list[str]:
    runs = RunList().with_entries(entries, NOW)
    return plain(runs.table(width, 9)[0]).replace("▾", "").split()


BASE = ["state", "iteration", "validation", "age"]


def test_settings_that_differ_are_columns_in_their_order() -> None:
    runs = [with_settings("a", seed=1, inner_lr=0.5, tasks=7), with_settings("b", tasks=8)]
    assert headings(runs, 140) == ["name", "tasks", "inner_lr", "seed", *BASE]
    assert headings(runs[:1] * 2, 140) == ["name", *BASE]
    (row,) = [
        plain(one) for one in RunList().with_entries(runs, NOW).table(140, 9) if " a " in plain(one)
    ]
    assert row.split()[1:5] == ["a", "7", "0.5", "1"]


def test_without_room_the_settings_that_vary_within_an_algorithm_stay() -> None:
    names = [
        with_settings(f"{name}{seed}", algorithm=name, seed=seed)
        for name in ("fomaml", "reptile")
        for seed in (0, 1)
    ]
    assert headings(names, 160) == ["name", "algorithm", "outer_lr", "tasks", "seed", *BASE]
    assert headings(names, 80) == ["name", "seed", *BASE]


@pytest.mark.parametrize("width", [79, 80])
def test_runs_whose_names_are_cut_are_told_apart_by_their_settings(width: int) -> None:
    names = [
        with_settings(
            f"reptile-inner_lr-{lr}-s{seed}-20261128-23284{seed}",
            algorithm="reptile",
            inner_lr=lr,
            seed=seed,
        )
        for lr in (0.005, 0.02)
        for seed in (0, 1)
    ]
    runs = [replace(one, iteration=3_000, target=3_000) for one in names]
    runs.append(with_settings("fomaml-20261128-232933", inner_lr=0.02, seed=7))
    columns = ["name", "inner_lr", "seed", "state", "iteration", "validation"]
    assert headings(runs, width)[:6] == columns
    rows = [plain(row) for row in RunList().with_entries(runs, NOW).table(width, 9)[1:]]
    name, *values = rows[1][2:].split()[:3]
    assert (name[:8], name[-7:], values) == ("reptile-", "-232840", ["0.005", "0"])
    assert len(set(rows)) == 5


def test_a_filter_decides_which_settings_differ() -> None:
    runs = RunList().with_entries(
        [with_settings("c", seed=2), with_settings("b1", seed=1), with_settings("b2", seed=1)], NOW
    )
    assert " seed " in plain(runs.table(140, 9)[0])
    assert " seed " not in plain(runs.filtered("b").table(140, 9)[0])


def test_a_damaged_run_has_no_settings_and_a_run_without_validation_no_loss() -> None:
    entries = [with_settings("a", seed=1), with_settings("b"), run_summary("c", state="damaged")]
    rows = [plain(one).split() for one in RunList().with_entries(entries, NOW).table(140, 9)]
    assert rows[1][-2:] == ["-", "-"]
    assert rows[3][:2] == ["c", "damaged"]


def test_runs_in_training_keep_their_order_while_they_train() -> None:
    training = [
        run_summary(name, trained_by="process 1 on a", last_event=at)
        for name, at in (("b", 9.0), ("a", 3.0))
    ]
    runs = RunList().with_entries([*training, run_summary("c", last_event=99.0)], NOW)
    assert [one.name for one in runs.shown] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "now"), (59, "50 s"), (61, "1 min"), (3_599, "59 min"), (7_199, "1 h"), (2e5, "2 d")],
)
def test_an_age_in_the_list_changes_rarely(seconds: float, words: str) -> None:
    assert brief_age(run_summary("a", last_event=NOW), NOW + seconds) == words


def test_entries_that_have_not_changed_cost_nothing() -> None:
    runs = listed(3)
    listing = runs.listing
    assert runs.with_entries(list(runs.entries), NOW + 1).listing is listing
    assert runs.with_entries(runs.entries[1:], NOW + 1).listing is not listing


def test_a_list_that_was_read_takes_the_place_of_one_that_changed_meanwhile() -> None:
    runs = listed(5)
    read = runs.with_entries(runs.entries[1:], NOW)
    now = runs.moved(2).toggled().filtered("run").sorted_by_next(1)
    shown = read.in_place_of(now)
    assert (shown.cursor, shown.marked, shown.sort, shown.wanted) == (
        *(now.cursor, now.marked, now.sort, now.wanted),
    )
    assert len(shown.shown) == 4


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


def test_the_table_of_a_comparison_has_what_differs_and_the_values_at_the_cursor() -> None:
    entries = [with_settings("a", inner_lr=0.5), with_settings("b", algorithm="reptile")]
    plot = Plot(
        "",
        (curve("a", (0, 10), (1.0, 3.0)), curve("b", (0, 4), (1.0, 2.0), 1)),
        Axis(0, 10, label="iteration"),
        Axis(0, 5),
        cursor=5.0,
    )
    heading, *rows = map(plain, compared_lines(entries, ["a", "b"], plot, 140))
    assert heading.split()[:4] == ["run", "algorithm", "outer_lr", "tasks"]
    assert heading.split()[-2:] == ["at", "5"]
    assert [row.split()[:3] for row in rows] == [["⠒⠒", "a", "fomaml"], ["╍╍", "b", "reptile"]]
    assert [row.split()[-1] for row in rows] == ["2.00", "-"]
    assert rows[0].index("fomaml") == heading.index("algorithm")
    narrow = map(plain, compared_lines(entries, ["a", "b"], plot, 44))
    assert "algorithm" not in next(narrow)
