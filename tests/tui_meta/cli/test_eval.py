"""eval and compare say what core computes, in JSON and in tables."""

import dataclasses
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.algorithms.fomaml import Fomaml
from core.engines import make_engine
from core.evaluation.adaptation import few_shot, many_tasks
from core.evaluation.few_shot_tasks import PROBES, draw_task
from core.evaluation.statistics import Statistics
from core.evaluation_protocol import EvaluationProtocol
from core.storage.checkpoint import load_checkpoint
from core.tasks.sine import SineTasks
from core.tasks.surfaces import SurfaceTasks
from tests.support.checkpoints import untrained_file
from tui_meta.cli.commands.compare import Paired, verdict
from tui_meta.cli.main import main
from tui_meta.cli.networks import Network

TASKS = ["--tasks", "20", "--seed", "5"]


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def expected_losses(path, right_half):
    checkpoint = load_checkpoint(Path(path))
    return many_tasks(
        make_engine(checkpoint.config),
        checkpoint.state.theta,
        checkpoint.config,
        EvaluationProtocol(
            shots=5 if right_half else 10,
            support_interval=(0, 5) if right_half else None,
            steps=tuple(range(1, 11 if right_half else 33)),
            tasks=20,
            seed=5,
        ),
    )


def as_plain(losses):
    columns = [dataclasses.asdict(Statistics.of(column)) for column in losses.T]
    return pytest.approx(columns[-1]), len(columns)


def test_eval_of_functions_of_several_numbers_has_losses_and_no_charts(tmp_path, capsys):
    path = str(untrained_file(tmp_path / "run", Fomaml(), tasks=SurfaceTasks()))
    assert main(["eval", path, *TASKS]) == 0
    out = capsys.readouterr().out
    assert "1. Standard: 0.50·x1² + 0.50·x2²" in out
    assert "error: after" not in out
    assert main(["eval", path, "--json", *TASKS]) == 0
    result = msgspec.json.decode(capsys.readouterr().out)
    assert result["standard"]["support_x"] == []
    assert len(result["standard"]["losses"]) == 33


def test_eval_as_json_is_what_core_computes(two, capsys):
    assert main(["eval", *two, "--json", *TASKS]) == 0
    results = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["network"]["path"] for result in results] == two
    for path, result in zip(two, results, strict=True):
        checkpoint = load_checkpoint(Path(path))
        config = checkpoint.config
        for name, key in (("standard", "standard"), ("half-range", "half_range")):
            task = draw_task(config.tasks, 5, PROBES[name], 0)
            made = few_shot(
                make_engine(config),
                checkpoint.state.theta,
                config.tasks,
                task,
                PROBES[name].steps,
                config.algorithm.inner_lr,
            )
            assert result[key]["support_x"] == task.support_x[:, 0].tolist()
            assert result[key]["losses"] == pytest.approx(made.losses[0].tolist())
            assert result[key]["after"] == pytest.approx(made.after[0, :, 0].tolist())
        last, length = as_plain(expected_losses(path, right_half=False))
        assert result["random_tasks"][-1] == last
        assert len(result["random_tasks"]) == length
        last, length = as_plain(expected_losses(path, right_half=True))
        assert result["random_tasks_half_range"][-1] == last
        assert len(result["random_tasks_half_range"]) == length


def test_compare_as_json_is_paired(two, capsys):
    assert main(["compare", *two, "--json", *TASKS]) == 0
    result = msgspec.json.decode(capsys.readouterr().out)
    for key, right_half in (("random_tasks", False), ("random_tasks_half_range", True)):
        a, b = (expected_losses(path, right_half) for path in two)
        paired = result[key]
        for name, losses in (("a", a), ("b", b), ("difference", a - b)):
            last, length = as_plain(losses)
            assert paired[name][-1] == last
            assert len(paired[name]) == length
        assert paired["a_better"] == np.mean(a[:, -1] < b[:, -1])


def test_a_network_does_not_differ_from_itself(two, capsys):
    assert main(["compare", two[0], two[0], *TASKS]) == 0
    assert capsys.readouterr().out.count("No significant difference") == 2


def test_eval_shows_charts_and_tables_in_80_columns(two, capsys):
    assert main(["eval", *two, *TASKS]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert out.count("after \N{MINUS SIGN} true") == 4  # two networks, two evaluations
    assert out.count("true") == 8  # and the legends
    assert out.count("support") - out.count("support points") == 4
    assert "1. Standard: 4.00·sin(x + 1.00)" in out
    for title in ("1. Standard", "2. Half range", "3. Loss per gradient step"):
        assert title in out
    assert out.count("95% interval") == 2
    assert out.count("20 random tasks") == 2


def test_compare_names_the_better_network(capsys):
    def listed(mean):
        return [Statistics(9, mean, mean - 0.1, mean + 0.1, mean)]

    paired = Paired(listed(1.0), listed(2.0), listed(-1.0), 0.75)
    assert verdict("A", "B", paired, 1) == (
        "After 1 gradient step, A's loss is 1.00 lower than B's on average; lower on 75% of tasks."
    )
    turned = Paired(listed(2.0), listed(1.0), listed(1.0), 0.25)
    assert "B's loss is 1.00 lower than A's on average; lower on 75%" in verdict(
        "A", "B", turned, 5
    )
    unknown = Paired(listed(math.inf), listed(2.0), listed(math.nan), 0.25)
    assert verdict("A", "B", unknown, 5) == (
        "No comparison after 5 gradient steps: the losses of some tasks are not finite."
    )


def test_a_run_folder_is_evaluated_at_its_newest_checkpoint(tmp_path, capsys):
    for iteration in (7, 12, 9):
        untrained_file(tmp_path / "run", Fomaml(), iteration)
    assert main(["eval", str(tmp_path / "run"), "--json", *TASKS]) == 0
    result = msgspec.json.decode(capsys.readouterr().out)
    assert result["network"]["iteration"] == 12


def test_checkpoints_of_one_run_get_different_labels(tmp_path, capsys):
    paths = [str(untrained_file(tmp_path / "run", Fomaml(), iteration)) for iteration in (7, 1_200)]
    assert main(["compare", *paths, *TASKS]) == 0
    out = capsys.readouterr().out
    assert f"run/7: {paths[0]}" in out
    assert f"run/1,200: {paths[1]}" in out


def test_networks_of_different_tasks_are_not_put_in_one_table(tmp_path, capsys):
    paths = [
        str(untrained_file(tmp_path / "pi", Fomaml(), tasks=SineTasks(phase=(0, math.pi)))),
        str(untrained_file(tmp_path / "two-pi", Fomaml())),
    ]
    for command in ("eval", "compare"):
        assert main([command, *paths]) == 2
        assert "evaluate them one by one" in capsys.readouterr().err


def test_losses_without_bounds_are_shown(tmp_path, capsys):
    path = str(untrained_file(tmp_path / "run", Fomaml(inner_lr=1e4)))
    assert main(["eval", path, *TASKS]) == 0
    assert "nan" in capsys.readouterr().out
    assert main(["eval", path, "--json", *TASKS]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["random_tasks"][-1]["mean"] is None


@pytest.mark.parametrize(
    "tokens", [["eval", "--tasks", "0"], ["compare", "--tasks", "1"], ["eval", "--seed", "-1"]]
)
def test_tasks_and_seed_are_checked(tokens, two, capsys):
    assert main([*tokens, *two]) == 2
    assert ": must be " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["eval", "compare"])
def test_the_number_of_tasks_that_diverged_is_shown(two, capsys, monkeypatch, command):
    sound = Network.losses

    def one_diverges(network, *arguments):
        losses = sound(network, *arguments).copy()
        losses[3, 5:] = 1e17
        return losses

    assert main([command, *two, *TASKS]) == 0
    assert "diverged" not in capsys.readouterr().out
    monkeypatch.setattr(Network, "losses", one_diverges)
    assert main([command, *two, *TASKS]) == 0
    printed = capsys.readouterr().out
    (heading, *_) = [line for line in printed.splitlines() if "diverged" in line]
    rows = [line for line in printed.splitlines() if line.endswith(" 1 ")]
    assert heading.rstrip().endswith("diverged")
    shown = 3 if command == "compare" else 2  # both networks, and their difference
    assert len(rows) == shown * (3 + 2)  # after 5, 10 and 32 steps, and after 5 and 10
