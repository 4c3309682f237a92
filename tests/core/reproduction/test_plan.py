"""Protocols expand into the runs of a sweep, and into what a configuration file would have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.algorithms.maml import Maml
from core.errors import ConfigError, RunFolderError
from core.evaluation_protocol import named_protocol
from core.experiments.specification import specification_of
from core.experiments.sweep_folder import SweepFolder
from core.reproduction.plan import Reproduction, trainings
from core.reproduction.protocols import PROTOCOLS, chosen, named
from core.tasks.sine import SineTasks


def names(reproduction: Reproduction, folder: Path) -> list[str]:
    return [run.name for run in reproduction.runs(SweepFolder(folder))]


def test_each_method_is_a_group_of_runs_with_each_seed(tmp_path: Path) -> None:
    runs = Reproduction(("finn2017",), (0, 3)).runs(SweepFolder(tmp_path / "new"))
    assert [run.name for run in runs] == [
        f"finn2017.{method}-s{seed}" for method in ("maml", "joint", "recipe") for seed in (0, 3)
    ]
    config = runs[0].config
    assert isinstance(config.algorithm, Maml)
    assert (config.iterations, config.algorithm.tasks, config.algorithm.inner_lr) == (
        *(70_000, 25),
        0.01,
    )
    assert (config.algorithm.outer_optimizer, config.algorithm.order) == ("adam", "second")
    assert (config.network.hidden, config.network.activation) == ((40, 40), "relu")


def test_methods_with_the_same_settings_are_trained_once() -> None:
    found = trainings()
    assert found["meta-curvature2019", "maml"] is found["finn2017", "maml"]
    assert found["meta-curvature2019", "maml-code-rate"] is found["finn2017-code", "maml"]
    assert found["finn2017-code", "maml"] is not found["finn2017", "maml"]


def test_a_folder_takes_further_protocols_and_seeds(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    first = names(Reproduction(("reptile2018",), (0, 1)), folder)
    assert names(Reproduction(("recipe",), (2,)), folder) == ["recipe.maml-s2"]
    assert names(Reproduction(("reptile2018",), (0, 1)), folder) == first
    planned = [run.name for run in SweepFolder(folder).specification().expand()]
    assert planned == [
        f"{group}-s{seed}" for group in ("reptile2018.reptile", "recipe.maml") for seed in (0, 1, 2)
    ]


def test_other_iterations_are_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    few = Reproduction(("reptile2018",), (0,), iterations=7)
    assert few.runs(SweepFolder(folder))[0].config.iterations == 7
    assert few.trainings["reptile2018.reptile"].published_iterations == 30_000
    with pytest.raises(RunFolderError, match="are not in this sweep"):
        names(Reproduction(("reptile2018",), (0,)), folder)


def test_all_protocols_are_valid_and_have_a_method_for_each_number() -> None:
    for protocol in PROTOCOLS.values():
        assert {one.method for one in protocol.published} == {one.name for one in protocol.methods}
        for one in protocol.published:
            assert one.interval is None or one.interval.low < one.interval.high
        assert specification_of(protocol.defaults).expand()
        assert named_protocol(protocol.evaluation, SineTasks())
    assert specification_of(Reproduction(chosen([]), (0,)).table({})).expand()


@pytest.mark.parametrize("wrong", ["fin2017", "finn2017 ", "FINN2017"])
def test_a_wrong_name_is_refused_with_the_nearest_one(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"\(did you mean finn2017\?\)"):
        chosen([wrong])


@pytest.mark.parametrize("wrong", ["", "x", 3, None])
def test_any_wrong_name_is_refused_with_all_names(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="must be one of source, finn2017"):
        named(wrong)


def test_names_come_in_the_order_of_the_table() -> None:
    assert chosen(["recipe", "source", "recipe"]) == ("source", "recipe")
    assert chosen([]) == tuple(PROTOCOLS)


def test_protocols_load_no_numpy() -> None:
    code = "import sys, core.reproduction.protocols; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
