"""eval and compare take a protocol by name, by single flags, or both."""

import dataclasses
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.algorithms.fomaml import Fomaml
from core.engines import make_engine
from core.evaluation.adaptation import many_tasks
from core.evaluation.statistics import Statistics
from core.evaluation_protocol import EvaluationProtocol, named_protocol
from core.storage.checkpoint import load_checkpoint
from core.tasks.sine import SineTasks
from tests.support.checkpoints import untrained_file
from tui_meta.cli.main import main
from tui_meta.cli.protocols import joined_steps

TASKS = ["--tasks", "20", "--seed", "5"]


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def losses(path, protocol):
    checkpoint = load_checkpoint(Path(path))
    engine = make_engine(checkpoint.config)
    return many_tasks(engine, checkpoint.state.theta, checkpoint.config, protocol)


def plain(columns):
    return [dataclasses.asdict(one) for one in columns]


def printed(capsys, *tokens):
    assert main(list(tokens)) == 0
    return capsys.readouterr().out


def decoded(capsys, *tokens):
    return [msgspec.json.decode(line) for line in printed(capsys, *tokens, "--json").splitlines()]


@pytest.mark.parametrize(
    ("name", "key"), [("source", "random_tasks"), ("source-half-range", "random_tasks_half_range")]
)
def test_a_protocol_of_the_source_gives_the_numbers_of_eval_without_one(two, capsys, name, key):
    usual = decoded(capsys, "eval", *two, *TASKS)
    named = decoded(capsys, "eval", *two, *TASKS, "--protocol", name)
    for one, other in zip(usual, named, strict=True):
        assert other["network"] == one["network"]
        assert other["losses"] == [one[key][step] for step in other["steps"]]


@pytest.mark.parametrize("steps", [["1,5,10"], ["1", "5", "10"], ["1,5", "10"]])
@pytest.mark.parametrize("paths_first", [True, False])
def test_steps_have_commas_or_spaces_between_and_paths_before_or_after(
    two, capsys, steps, paths_first
):
    flags = [*TASKS, "--shots", "5", "--inner-lr", "0.01", "--steps", *steps]
    tokens = [two[0], *flags] if paths_first else [*flags, two[0]]
    (result,) = decoded(capsys, "eval", *tokens)
    assert result["steps"] == [0, 1, 5, 10]
    protocol = EvaluationProtocol(shots=5, steps=(1, 5, 10), inner_lr=0.01, tasks=20, seed=5)
    assert result["losses"] == plain(Statistics.per_step(losses(two[0], protocol)))


def test_numbers_are_joined_after_the_flag_of_the_steps_only():
    words = ["eval", "--seed", "3", "--steps", "1", "5,10", "7x", "8", "--tasks", "9"]
    assert joined_steps(words) == [
        *("eval", "--seed", "3", "--steps", "1,5,10", "7x", "8", "--tasks", "9"),
    ]


def test_flags_change_the_named_protocol(two, capsys):
    flags = ["--protocol", "finn-5-shot", "--shots", "7", "--support-interval", "-5", "0"]
    (result,) = decoded(capsys, "eval", *flags, *TASKS, two[0])
    waves = SineTasks()
    changes = {"shots": 7, "support_interval": (-5, 0), "tasks": 20, "seed": 5}
    protocol = dataclasses.replace(named_protocol("finn-5-shot", waves), **changes)
    assert msgspec.convert(result["protocol"], EvaluationProtocol) == protocol
    assert result["losses"] == plain(Statistics.per_step(losses(two[0], protocol)))


def test_a_comparison_under_a_protocol_is_paired(two, capsys):
    (result,) = decoded(capsys, "compare", *two, "--protocol", "finn-5-shot", *TASKS)
    protocol = dataclasses.replace(named_protocol("finn-5-shot", SineTasks()), tasks=20, seed=5)
    a, b = (losses(path, protocol) for path in two)
    assert result["losses"] == {
        "a": plain(Statistics.per_step(a)),
        "b": plain(Statistics.per_step(b)),
        "difference": plain(Statistics.of(column) for column in (a - b).T),
        "a_better": np.mean(a[:, -1] < b[:, -1]),
    }


def test_a_table_is_titled_by_its_protocol_and_counts_tasks_that_diverged(two, capsys):
    out = printed(capsys, "eval", *two, "--protocol", "finn-5-shot", "--steps", "2", "7", *TASKS)
    assert "\nLoss on the same 20 random tasks, 5 support points over the whole range\n" in out
    assert "inner lr 0.01, amplitude 0.1 to 5, phase 0 to 3.142, x -5 to 5" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["steps", "mean", "95%", "interval", "median", "diverged"] in rows
    assert [row[0] for row in rows if row[1:2] == ["FOMAML"]] == ["0", "2", "7"]
    assert "1. Standard" not in out


def test_an_unchanged_named_protocol_is_named(two, capsys):
    out = printed(capsys, "compare", *two, "--protocol", "source-half-range", *TASKS)
    assert (
        "source-half-range: loss on the same 20 random tasks, 5 support points from [0, 5]" in out
    )
    assert "inner lr of each run" in out
    assert "after 10 gradient steps" in out.lower()


def test_the_budgets_of_both_runs_are_printed(two, capsys):
    out = printed(capsys, "compare", *two, "--shots", "5", *TASKS)
    assert "21 tasks, 1,260 points, 42 gradients, 0:01 of training" in out
    assert "7 tasks, 350 points, 35 gradients, 0:01 of training" in out


def test_a_protocol_with_tasks_of_its_own_compares_networks_of_different_tasks(tmp_path, capsys):
    paths = [
        str(untrained_file(tmp_path / "pi", Fomaml(), tasks=SineTasks(phase=(0, math.pi)))),
        str(untrained_file(tmp_path / "two-pi", Fomaml())),
    ]
    for command in ("eval", "compare"):
        assert main([command, *paths, "--protocol", "source"]) == 2
        assert "with a protocol that has tasks of its own" in capsys.readouterr().err
        assert "finn-10-shot" in printed(capsys, command, *paths, "--protocol", "finn-10-shot")


@pytest.mark.parametrize("command", ["eval missing", "compare missing missing"])
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--protocol finn-5-shto", 'Did you mean "finn-5-shot"?'),
        ("--steps 5,1", "--steps: must be whole numbers from 0 to 10,000, the lowest first"),
        ("--steps 1,1", "--steps: must be whole numbers from 0 to 10,000, the lowest first"),
        ("--steps=-1", "--steps: must be whole numbers from 0 to 10,000"),
        ("--steps 1,", "--steps: must be a whole number, got ''"),
        ("--steps 1.5", "--steps: must be a whole number, got '1.5'"),
        ("--shots 0", "--shots: must be a whole number from 1"),
        ("--shots many", "--shots: must be a whole number"),
        ("--support-interval 5 0", "--support-interval: must be two finite numbers"),
        ("--support-interval 0 nan", "--support-interval: must be two finite numbers"),
        ("--support-interval 5", "--support-interval needs 2 values"),
        ("--inner-lr 0", "--inner-lr: must be a finite number above 0"),
        ("--inner-lr inf", "--inner-lr: must be a finite number above 0"),
        ("--tasks 0", "--tasks: must be a whole number from "),
        ("--seed -1", "--seed: must be a whole number from 0"),
        ("--tasks 100000 --shots 100000", "--tasks * --shots: must be at most"),
    ],
)
def test_a_wrong_protocol_is_one_line(capsys, command, flags, said):
    assert main([*command.split(), *flags.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert said in line
