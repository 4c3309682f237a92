"""Sweeps: the same results however they are trained, interrupted, divided or extended."""

import dataclasses
import errno
import itertools
import os
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import open_run
from core.errors import ConfigError, EngineError, RunFolderError
from core.experiments import stored_run
from core.experiments.results import RunResult, missing, read_results
from core.experiments.specification import PlannedRun, specification_of
from core.experiments.stored_run import RunTrainer
from core.experiments.sweep import ThreadExecutor, opened
from core.experiments.sweep_folder import Shard, Store, SweepFolder
from core.storage.checkpoint import load_checkpoint
from core.storage.run_folder import RunFolder
from core.sweeps import sweep
from core.training import memory
from core.training.memory import Limit

SMALL: dict[str, Any] = {
    "algorithms": ["reptile", "fomaml"],
    "network": {"hidden": [4]},
    "iterations": 110,
    "validation": {"tasks": 3, "steps": [2]},
    "engine": "torch",
    "seeds": 2,
}
DIVERGING = {**SMALL, "algorithms": ["reptile"], "sweep": {"reptile.inner_lr": [0.01, 1e30]}}
ONE = ThreadExecutor(1)
WHOLE = Shard()


def trained(
    path: Path, table: dict[str, Any] = SMALL, store: Store = "none", shard: Shard = WHOLE
) -> dict[str, RunResult]:
    """Train a sweep to its end, and return the results."""
    folder = SweepFolder(path)
    folder.specify(table)
    with opened(folder, shard, store) as sweep:
        for _ in sweep.train(ThreadExecutor(2)):
            pass
    return folder.results()


def contents(results: dict[str, RunResult]) -> dict[str, dict[str, Any]]:
    """Return all that must not differ, by digest."""
    return {digest: {**one.content, "network": ""} for digest, one in results.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return contents(trained(tmp_path_factory.mktemp("sweep") / "whole"))


def test_each_run_has_a_result_with_its_validations(undisturbed: dict[str, Any]) -> None:
    assert len(undisturbed) == 4
    for one in undisturbed.values():
        assert one["state"] == "finished"
        assert [point["iteration"] for point in one["validations"]] == [0, 100, 110]
        assert one["last"]["iteration"] == one["iteration"] == 110
        assert len(one["last"]["losses"]) == 3
        assert one["training_loss"] > 0


@pytest.mark.parametrize("table", [SMALL, {**DIVERGING, "seeds": 1}], ids=["sound", "diverging"])
def test_results_are_those_of_run_folders_to_the_bit(tmp_path: Path, table: dict[str, Any]) -> None:
    in_memory = trained(tmp_path / "memory", table)
    in_folders = trained(tmp_path / "folders", table, "all")
    assert contents(in_memory) == contents(in_folders)
    for result in in_folders.values():
        run = open_run(tmp_path / "folders" / result.network)
        assert run.latest().state.iteration == result.iteration


def test_the_final_network_is_a_checkpoint(tmp_path: Path) -> None:
    for result in trained(tmp_path / "sweep", {**SMALL, "seeds": 1}, "final").values():
        checkpoint = load_checkpoint(tmp_path / "sweep" / result.network)
        assert checkpoint.state.iteration == 110
        assert checkpoint.config.seed == result.seed
        assert checkpoint.best == min(result.validations, key=lambda one: one.mean)


def test_a_run_that_diverges_is_a_result_among_others(tmp_path: Path) -> None:
    results = trained(tmp_path / "sweep", DIVERGING).values()
    states = {result.group: result.state for result in results}
    assert states == {"reptile inner_lr=0.01": "finished", "reptile inner_lr=1e+30": "diverged"}
    assert all("no longer finite" in one.problem for one in results if one.state == "diverged")
    assert all(one.validation is None for one in results if one.state == "diverged")


def test_a_run_that_fails_is_a_result_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, Any]
) -> None:
    train = stored_run.train_in_memory

    def fail(run: PlannedRun, *more: Any) -> Any:
        if run.name == "fomaml-s1":
            raise RuntimeError("out of luck")
        return train(run, *more)

    monkeypatch.setattr(stored_run, "train_in_memory", fail)
    results = trained(tmp_path / "sweep")
    (failure,) = [one for one in results.values() if one.state == "failed"]
    assert failure.run == "fomaml-s1"
    assert "out of luck" in failure.problem
    monkeypatch.undo()
    assert contents(trained(tmp_path / "sweep")) == undisturbed


@pytest.mark.parametrize("store", ["none", "final", "all"])
def test_an_interrupted_sweep_goes_on_with_what_is_missing(
    store: Store, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    folder.specify(SMALL)
    for stop_after in (1, 2):
        with opened(folder, WHOLE, store) as sweep, closing(sweep.train(ONE)) as training:
            list(itertools.islice(training, stop_after))
    assert len(folder.results()) == 3
    with opened(folder, WHOLE, store) as sweep:
        assert len(list(sweep.train(ONE))) == 1
    assert contents(folder.results()) == undisturbed


@given(cut=st.integers(1, 10_000))
def test_a_torn_line_is_a_run_that_is_missing(
    cut: int, tmp_path_factory: pytest.TempPathFactory, undisturbed: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("cut")
    source = path.parent / "source"
    if not source.exists():
        trained(source)
    content = b"".join(file.read_bytes() for file in (source / "results").glob("*.jsonl"))
    (path / "w.jsonl").write_bytes(content[: cut % len(content)])
    whole = content[: cut % len(content)].count(b"\n")
    found = read_results(path)
    assert len(found) == whole
    runs = specification_of(SMALL).expand()
    assert len(missing(runs, found)) == len(runs) - whole
    assert contents(found).items() <= undisturbed.items()


@given(count=st.integers(1, 7), n=st.integers(0, 30))
def test_shards_divide_the_runs_among_them(count: int, n: int) -> None:
    runs = list(range(n))
    parts = [Shard(number, count).of(runs) for number in range(1, count + 1)]  # type: ignore[arg-type]
    assert sorted(itertools.chain(*parts)) == runs  # type: ignore[type-var]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_shards_in_one_folder_give_the_whole(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    numbers = [1, 2, 3]
    random.Random(0).shuffle(numbers)
    for number in numbers:
        found = trained(tmp_path / "sweep", shard=Shard(number, 3))
    assert contents(found) == undisturbed


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", ""])
def test_a_shard_is_i_of_n(text: str) -> None:
    with pytest.raises(ConfigError, match="shard: must be I/N"):
        Shard.parse(text)


def test_a_sweep_is_extended_with_more_seeds_and_values(tmp_path: Path) -> None:
    first = trained(tmp_path / "sweep", {**SMALL, "algorithms": ["reptile"]})
    more = {**SMALL, "algorithms": ["reptile"], "seeds": 3, "sweep": {"reptile.tasks": [1, 2]}}
    results = trained(tmp_path / "sweep", more)
    assert len(results) == 6
    assert contents(first).items() <= contents(results).items()


def test_a_folder_does_not_take_another_sweep(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    folder.specify(SMALL)
    with pytest.raises(RunFolderError, match="4 of its runs are not in this sweep, such as"):
        folder.specify({**SMALL, "iterations": 111})
    assert folder.settings() == SMALL
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(RunFolderError, match="not empty, and no sweep"):
        SweepFolder(tmp_path / "mine").specify(SMALL)
    with pytest.raises(RunFolderError, match=r"not the folder of a sweep \(no sweep.json\)"):
        SweepFolder(tmp_path / "mine").specification()


def test_two_processes_do_not_train_the_same_shard(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    folder.specify(SMALL)
    with (
        opened(folder, WHOLE, "none"),
        pytest.raises(RunFolderError, match="being trained by"),
        opened(folder, WHOLE, "none"),
    ):
        pass
    with opened(folder, Shard(1, 2), "none"), opened(folder, Shard(2, 2), "none"):
        pass


def test_a_network_is_not_written_into_the_folder_of_an_earlier_run_of_that_name(
    tmp_path: Path,
) -> None:
    (run,) = specification_of({**SMALL, "algorithms": ["reptile"], "seeds": 1}).expand()
    other = dataclasses.replace(run, config=dataclasses.replace(run.config, seed=9))
    trainer = RunTrainer(tmp_path, "all")
    first, second = (trainer.train(one, lambda: False) for one in (run, other))
    assert first is not None
    assert second is not None
    assert first.result.network != second.result.network
    assert open_run(tmp_path / second.result.network).config.seed == 9


def test_a_run_whose_network_cannot_be_saved_has_failed(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.specify({**SMALL, "algorithms": ["reptile"], "seeds": 2})
    (tmp_path / "networks").write_text("not a folder")
    with opened(folder, WHOLE, "final") as sweep:
        results = list(sweep.train(ONE))
    assert [result.state for result in results] == ["failed"] * 2
    assert "networks" in results[0].problem
    assert "the network cannot be saved (Not a directory)" in results[0].problem


@pytest.mark.parametrize("is_rescued", [True, False])
def test_a_run_that_its_folder_could_not_keep_has_failed_with_the_place_and_is_tried_again(
    is_rescued: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state" if is_rescued else "/dev/null"))
    save = RunFolder.save

    def fail(folder: RunFolder, *more: Any, **named: Any) -> Path:
        if "rescue" in folder.path.parts:
            return save(folder, *more, **named)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    table = {**SMALL, "algorithms": ["reptile"], "seeds": 1}
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save", fail)
        (result,) = trained(tmp_path / "sweep", table, "all").values()
    assert result.state == "failed"
    assert "No space left on device" in result.problem
    kept = f"the run is saved in {tmp_path / 'state'}" if is_rescued else "110 is not saved"
    assert kept in result.problem
    (again,) = trained(tmp_path / "sweep", table, "all").values()
    assert again.state == "finished"
    assert open_run(tmp_path / "sweep" / again.network).latest().state.iteration == 110


def test_what_does_not_fit_in_memory_is_refused_before_a_folder_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "memory_limits", lambda: [Limit(1_000, "a test")])
    folder = SweepFolder(tmp_path / "sweep")
    with (
        pytest.raises(EngineError, match="of memory are needed"),
        opened(folder, WHOLE, "none", SMALL, ONE),
    ):
        pass
    with pytest.raises(EngineError, match="of memory are needed"):
        sweep(tmp_path / "sweep", **SMALL)
    assert not folder.path.exists()


def test_a_sweep_that_another_process_trains_is_not_extended(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    with (
        opened(folder, WHOLE, "none", SMALL),
        pytest.raises(RunFolderError, match="being trained by"),
        opened(folder, WHOLE, "none", {**SMALL, "seeds": 3}),
    ):
        pass
    assert folder.settings() == SMALL
    with opened(folder, WHOLE, "none", {**SMALL, "seeds": 3}) as extended:
        assert len(extended.runs) == extended.total == 6
