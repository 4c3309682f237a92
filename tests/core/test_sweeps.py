"""Sweeps in Python are those of the command line, in memory as in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core
from core.errors import ConfigError, LabError, RunFolderError, UnknownSettingError
from core.experiments.specification import specification_of
from core.experiments.summary import summarize

TABLE: dict[str, Any] = {
    "algorithms": ["reptile"],
    "seeds": 2,
    "sweep": {"reptile.inner_lr": [0.005, 0.02]},
    "iterations": 120,
    "network": {"hidden": [8]},
    "validation": {"tasks": 8, "interval": 100},
}


def test_a_sweep_in_memory_has_the_results_of_one_in_a_folder(tmp_path: Path) -> None:
    come = list[str]()
    in_memory = core.sweep(**TABLE, workers=2, on_result=lambda one: come.append(one.run))
    kept = core.sweep(tmp_path / "rates", **TABLE)
    assert sorted(come) == [one.run for one in in_memory.results]
    for one, other in zip(in_memory.results, kept.results, strict=True):
        assert {**one.content, "network": ""} == {**other.content, "network": ""}
        ours, theirs = in_memory.network(one.run), kept.network(one.run)
        assert isinstance(ours, core.sweeps.Checkpoint)
        assert isinstance(theirs, core.sweeps.Checkpoint)
        assert ours.state.theta.tobytes() == theirs.state.theta.tobytes()
    assert in_memory.groups == summarize(
        specification_of(TABLE).expand(), {one.digest: one for one in in_memory.results}
    )


def test_a_folder_is_extended_and_read(tmp_path: Path) -> None:
    core.sweep(tmp_path / "rates", **TABLE, store="none")
    come = list[str]()
    core.sweep(str(tmp_path / "rates"), seeds=3, on_result=lambda one: come.append(one.run))
    assert sorted(come) == [f"reptile-inner_lr-{rate}-s2" for rate in ("0.005", "0.02")]
    found = core.open_sweep(tmp_path / "rates")
    assert [one.seed for one in found.results] == [0, 1, 2, 0, 1, 2]
    assert found.missing == []
    with pytest.raises(RunFolderError, match="not kept"):
        found.network(found.results[0].run)
    assert core.evaluate(found.network(come[0]), core.EvaluationProtocol(tasks=5)).losses.shape


def test_records_and_curves_are_those_of_the_results() -> None:
    found = core.sweep(**TABLE)
    records = found.records()
    assert [one["validation"] for one in records] == [
        one.validation.mean if one.validation else None for one in found.results
    ]
    assert {one["reptile.inner_lr"] for one in records} == {0.005, 0.02}
    curve = found.curve("reptile inner_lr=0.02")
    assert curve.seeds.tolist() == [0, 1]
    assert curve.iterations.tolist() == [0, 100, 120]
    assert curve.mean == pytest.approx(curve.losses.mean(0))
    assert curve.losses[:, -1].tolist() == [one["validation"] for one in records[2:]]
    assert found.groups[1].validation is not None
    assert curve.low[-1] == found.groups[1].validation.low


def test_a_run_that_diverges_is_a_result_and_a_gap_in_the_curve() -> None:
    table = {**TABLE, "sweep": {"reptile.outer_lr": [0.1, 1e30]}}
    found = core.sweep(**table)
    assert [one.state for one in found.results] == ["finished"] * 2 + ["diverged"] * 2
    assert found.missing == []
    assert found.groups[1].validation is None
    curve = found.curve("reptile outer_lr=1e+30")
    assert curve.iterations.tolist() == [0]
    assert np.isfinite(curve.losses).all()


@pytest.mark.parametrize(
    ("experiment", "error"),
    [
        ({"foo": 1}, UnknownSettingError),
        ({"seeds": 0}, ConfigError),
        ({"sweep": {"foo": [1]}}, UnknownSettingError),
        ({"workers": 0}, ConfigError),
        ({"store": "all"}, ConfigError),
    ],
)
def test_what_makes_no_sweep_is_refused(experiment: dict[str, Any], error: type[LabError]) -> None:
    with pytest.raises(error):
        core.sweep(**experiment)


def test_a_folder_without_a_sweep_and_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not the folder of a sweep"):
        core.open_sweep(tmp_path)
    found = core.sweep(algorithms=["fomaml"], iterations=1, network={"hidden": [4]})
    for read in (found.curve, found.network):
        with pytest.raises(ConfigError, match="must be one of"):
            read("reptile")
