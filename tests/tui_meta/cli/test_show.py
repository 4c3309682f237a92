"""``show`` reports one run: settings, provenance, checkpoints, evaluations, loss curve."""

import json
import sys

import pytest

from core.algorithms.reptile import Reptile
from core.config import RunConfig
from core.events import Diverged
from core.models.settings import NetworkConfig
from tests.support.run_folders import (
    NASTY,
    evaluated,
    make_checkpoint,
    make_run,
    progress,
    stamp,
    started,
    validated,
)
from tui_meta.cli.main import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    config = RunConfig(
        algorithm=Reptile(inner_lr=0.5), network=NetworkConfig(hidden=(4, 8)), iterations=1_000
    )
    events = [started()]
    for iteration in range(100, 1_300, 100):
        losses = [3.0, 1 / iteration]
        events += [
            progress(iteration, losses[1]),
            evaluated(iteration, *losses),
            validated(iteration, *losses),
        ]
    path = make_run(tmp_path / "run", events, config)
    make_checkpoint(path, 1_200, {"kind": "hand", "target": 2_000})
    return path


def shown(capsys, path):
    assert main(["show", str(path)]) == 0
    return capsys.readouterr().out


def rows(out):
    return [line.split() for line in out.splitlines()]


def test_only_changed_settings_are_shown_with_their_defaults(run, capsys):
    out = rows(shown(capsys, run))
    assert ["reptile.inner_lr", "0.5", "0.02"] in out
    assert ["network.hidden", "4", "8", "64", "64"] in out
    assert ["iterations", "1000", "50000"] in out
    assert not any(row[:1] == ["seed"] for row in out)


def test_a_run_with_default_settings_says_so(tmp_path, capsys):
    make_run(tmp_path / "run", config=RunConfig(algorithm=Reptile()))
    assert "All settings are defaults" in shown(capsys, tmp_path / "run")


def test_the_provenance_is_shown(run, capsys):
    out = shown(capsys, run)
    for fact in ("abacus", "torch on cpu", "numpy 2.4.6", "tui-meta --name 'a name'"):
        assert fact in out


def test_the_state_and_the_best_are_shown(run, capsys):
    out = shown(capsys, run)
    for fact in (
        ["state", "interrupted"],
        ["iteration", "1,200", "/", "1,000"],
        ["validation", "0.0008", "±", "8.3e-5", "at", "1,200,", "the", "best"],
    ):
        assert fact in rows(out)


def test_a_run_of_the_first_version_shows_its_best_random_task(tmp_path, capsys):
    """It had no validation."""
    losses = [evaluated(500, 4.0, 0.5), evaluated(900, 4.0, 0.25), evaluated(999, 4.0, 0.3)]
    out = shown(capsys, make_run(tmp_path / "run", [started(), *losses]))
    assert "- (best on one random task: 0.250 at 900)" in " ".join(out.split())


def test_checkpoints_are_shown_with_kind_and_damage(run, capsys):
    (run / "000000900.safetensors").write_bytes(b"damaged")
    out = shown(capsys, run)
    (hand,) = [row for row in rows(out) if row[:1] == ["000001200.safetensors"]]
    assert hand[1:] == ["manual,", "best", "so", "far", "4.3", "kB"]
    assert "damaged: " in out


def test_checkpoints_of_the_history_are_one_row_but_for_the_best_and_the_latest(tmp_path, capsys):
    run = make_run(tmp_path / "run", [started(), validated(30, 3.0, 0.5), validated(50, 3.0, 0.6)])
    for iteration in (0, 10, 20, 30, 40, 50):
        make_checkpoint(run, iteration, {"kind": "history"})
    kept = [row for row in rows(shown(capsys, run)) if "history" in " ".join(row)]
    assert [row[:-2] for row in kept] == [
        ["000000030.safetensors", "history,", "best", "so", "far"],
        ["000000050.safetensors", "history"],
        ["4", "of", "iterations", "0", "to", "40", "history"],
    ]


def test_the_last_evaluations_are_shown(run, capsys):
    out = shown(capsys, run)
    assert "Evaluations on one task, the last 10 of 12" in out
    table = [row for row in rows(out) if row[1:3] == ["random", "task"]]
    assert table[-1] == ["1,200", "random", "task", "1", "3.00", "0.0008"]
    assert len(table) == 10


def test_the_last_validations_are_shown_with_interval_median_and_diverged_tasks(run, capsys):
    out = shown(capsys, run)
    assert "Validation on 2 tasks, 1 gradient steps, the last 10 of 12" in out
    assert ["1,200", "3.00", "0.0008", "0.0008", "to", "0.0009", "0.0008", "0"] in rows(out)


def test_the_curves_are_drawn_in_80_columns_without_escape_codes(run, capsys, monkeypatch):
    monkeypatch.chdir(run.parent)
    out = shown(capsys, run.name)
    assert "Validation: loss on 64 tasks, 10 points, 32 steps" in out
    assert "Training loss" in out
    assert "iteration" in out.splitlines()[-2] or "iteration" in out.splitlines()[-3]
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_no_color_is_respected_on_a_terminal(run, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[3" in shown(capsys, run) or "\x1b[9" in shown(capsys, run)
    monkeypatch.setenv("NO_COLOR", "1")
    out = shown(capsys, run)
    assert "\x1b[3" not in out
    assert "\x1b[9" not in out


def test_why_a_run_ended_is_shown(tmp_path, capsys):
    end = Diverged(problem="the loss is no longer finite", advice="lower it", **stamp(5))
    make_run(tmp_path / "run", [started(), end])
    assert "the loss is no longer finite" in shown(capsys, tmp_path / "run")


def test_a_run_without_events_is_shown(tmp_path, capsys):
    out = shown(capsys, make_run(tmp_path / "run"))
    for what in ("checkpoint", "validation", "evaluation", "iteration"):
        assert f"no {what} yet" in out.lower()


def test_a_checkpoint_shows_its_run(run, capsys):
    assert f"run, Reptile: {run}" in shown(capsys, run / "000001200.safetensors")


def test_text_from_files_is_shown_escaped(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    nasty = f"{NASTY}[/][/none]"
    end = Diverged(problem=nasty, advice=nasty, **stamp(5))
    fields = ("engine", "device", "python", "host", "processor", "started")
    said = dict.fromkeys(fields, nasty)
    run = make_run(tmp_path / NASTY, [end], versions={nasty: nasty}, command_line=[nasty], **said)
    make_checkpoint(run, 5, {"kind": nasty})
    out = shown(capsys, run)
    assert all(char == "\n" or char.isprintable() for char in out)
    assert "".join(out.split()).count("[bold]mark") >= 10


@pytest.mark.parametrize("change", [{"seed": -1}, {"algorithm": {"name": "other"}}, {"odd": 1}])
def test_an_invalid_configuration_is_one_line(run, capsys, change):
    record = json.loads((run / "run.json").read_text())
    record["config"] |= change
    (run / "run.json").write_text(json.dumps(record))
    assert main(["show", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "run.json: " in line


def test_a_folder_that_is_not_a_run_is_one_line(tmp_path, capsys):
    assert main(["show", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "choose a folder created by tui-meta" in line


def test_numbers_out_of_reach_are_shown_or_left_out(tmp_path, capsys):
    huge = [progress(10**400), evaluated(10**30, 1.0), progress(5, 1e308), progress(6, 1e308)]
    run = make_run(tmp_path / "run", [*huge, evaluated(8, float("nan"), 1e-320)])
    assert "evaluations" in shown(capsys, run).lower()
