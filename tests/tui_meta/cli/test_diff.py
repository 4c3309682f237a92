"""diff says what differs between two runs, and its exit code says whether."""

import json
import shutil

import numpy as np
import pytest

from core.engines.base import TrainState
from tests.support.run_folders import NASTY
from tui_meta.cli.commands.diff import parameters_apart
from tui_meta.cli.main import main

TINY = ["--no-tui", "--iterations", "20", "--eval-interval", "10", "--network.hidden", "4"]
MADE_BY = ["--engine", "torch", "--algorithms"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs that differ by seed or algorithm, and one that was made twice."""
    out = tmp_path_factory.mktemp("runs")
    for name, tokens in {
        "one": ["fomaml"],
        "again": ["fomaml"],
        "seed": ["fomaml", "--seed", "1"],
        "other": ["reptile"],
    }.items():
        assert main([*TINY, "--out", str(out), "--name", name, *MADE_BY, *tokens]) == 0
    return out


@pytest.fixture
def runs(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    shutil.copytree(trained, tmp_path / "runs")
    return tmp_path / "runs"


def compared(capsys, a, b):
    capsys.readouterr()
    code = main(["diff", str(a), str(b)])
    return code, capsys.readouterr().out


def rows(out):
    return [line.split() for line in out.splitlines()]


def test_two_runs_with_the_same_settings_are_identical(runs, capsys):
    code, out = compared(capsys, runs / "fomaml-one", runs / "fomaml-again")
    assert code == 0
    assert "Settings: identical" in out
    assert "Results: identical (parameters bit-for-bit)" in out


def test_what_a_resume_reported_as_different_is_shown(runs, capsys):
    log = runs / "fomaml-again" / "events.jsonl"
    first, *rest = log.read_text().splitlines(keepends=True)
    started = {**json.loads(first), "differs": ["device cpu (avx2) (was cpu (avx512))"]}
    log.write_text(json.dumps(started) + "\n" + "".join(rest))
    code, out = compared(capsys, runs / "fomaml-one", runs / "fomaml-again")
    assert code == 0
    shown = " ".join(out.split())
    assert "changed later - device cpu (avx2) (was cpu (avx512))" in shown


def test_another_seed_differs_in_setting_and_results(runs, capsys):
    code, out = compared(capsys, runs / "fomaml-one", runs / "fomaml-seed")
    assert code == 1
    assert ["seed", "0", "1"] in rows(out)
    assert "last validation loss" in out
    assert "best validation loss" in out
    assert "largest difference" in out


def test_settings_that_one_algorithm_lacks_are_a_dash(runs, capsys):
    code, out = compared(capsys, runs / "fomaml-one", runs / "reptile-other")
    assert code == 1
    assert ["algorithm", "fomaml", "reptile"] in rows(out)
    assert ["algorithm.inner_epochs", "-", "1"] in rows(out)
    assert not any(row[:1] == ["algorithm.inner_lr"] for row in rows(out))


def test_a_run_that_went_on_differs_in_its_results_alone(runs, capsys):
    tokens = ["resume", "--no-tui", str(runs / "fomaml-again"), "--iterations", "30"]
    assert main(tokens) == 0
    code, out = compared(capsys, runs / "fomaml-one", runs / "fomaml-again")
    assert code == 1
    assert "Settings: identical" in out
    assert ["iteration", "20", "30"] in rows(out)


def test_versions_and_machines_are_shown_and_do_not_change_the_exit_code(runs, capsys):
    path = runs / "fomaml-again" / "run.json"
    record = json.loads(path.read_text())
    record["versions"]["numpy"] = "1.0"
    record["processor"] = f"{NASTY}[/]"
    path.write_text(json.dumps(record))
    code, out = compared(capsys, runs / "fomaml-one", runs / "fomaml-again")
    assert code == 0
    assert any(row[:1] == ["numpy"] and row[2] == "1.0" for row in rows(out))
    assert "[bold]mark" in out
    assert all(char == "\n" or char.isprintable() for char in out)


def test_a_damaged_checkpoint_is_passed_over_with_a_line(runs, capsys):
    (runs / "fomaml-again" / "000000030.safetensors").write_bytes(b"damaged")
    capsys.readouterr()
    assert main(["diff", str(runs / "fomaml-one"), str(runs / "fomaml-again")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "skipping" in line


def test_a_run_that_never_saved_is_at_iteration_0(runs, capsys):
    for file in (runs / "fomaml-one").glob("*.safetensors"):
        file.unlink()
    code, out = compared(capsys, runs / "fomaml-one", runs / "fomaml-again")
    assert code == 1
    assert "iteration" in out
    assert "largest difference" in out


def test_a_run_without_a_sound_checkpoint_is_one_line(runs, capsys):
    for file in (runs / "fomaml-one").glob("*.safetensors"):
        file.write_bytes(b"damaged")
    capsys.readouterr()
    assert main(["diff", str(runs / "fomaml-one"), str(runs / "fomaml-seed")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no readable checkpoint" in line


def state(values, kind=np.float32):
    return TrainState(1, np.array(values, kind), {})


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (state([0.0, 1.0]), state([0.0, 1.0]), ""),
        (state([0.0]), state([-0.0]), "largest difference 0"),
        (state([1.0, 2.0]), state([1.5, 2.25]), "largest difference 0.5"),
        (state([1.0]), state([1.0], np.float64), "largest difference 0"),
        (state([1.0]), state([1.0, 2.0]), "2 instead of 1"),
    ],
)
def test_parameters_are_equal_only_to_the_bit(a, b, said):
    assert parameters_apart(a, b) == said


def test_the_help_lists_the_exit_codes(capsys):
    assert main(["diff", "--help"]) == 0
    assert "0 if settings and results are identical, 1 if not, 2" in capsys.readouterr().out
