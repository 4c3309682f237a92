"""A sweep is followed while others train it: only what is new is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RunFolderError
from core.experiments.followed_sweep import FollowedSweep
from core.experiments.results import FollowedResults, failed, read_results
from core.experiments.specification import specification_of
from core.experiments.sweep_folder import SweepFolder
from tests.support.sweeps import make_sweep, result, write_results

TABLE: dict[str, Any] = {"algorithms": ["reptile"], "seeds": 4}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rates"


def test_results_appear_as_they_are_written(folder: Path) -> None:
    runs = make_sweep(folder, TABLE, lambda _: None)
    sweep = FollowedSweep(SweepFolder(folder))
    assert sweep.look()
    assert [one.name for one in sweep.runs] == [one.name for one in runs]
    assert not sweep.look()
    for run, process in zip(runs, "abab", strict=True):
        write_results(folder, [result(run, 1.0)], process)
        assert sweep.look()
        assert not sweep.look()
    assert sweep.results == SweepFolder(folder).results()


def test_a_line_that_is_being_written_is_read_once_it_is_whole(folder: Path) -> None:
    (run, *_) = make_sweep(folder, TABLE, lambda _: None)
    file = SweepFolder(folder).results_path / "other.jsonl"
    line = msgspec.json.encode(result(run, 1.0)) + b"\n"
    results = FollowedResults(file.parent)
    file.write_bytes(line[:50])
    assert not results.read()
    file.write_bytes(b"{}\n" + line)
    assert not FollowedResults(file.parent / "none").read()
    assert results.read()
    assert set(results.found) == {run.digest}


def test_a_file_that_was_replaced_by_a_shorter_one_is_read_from_its_start(folder: Path) -> None:
    runs = make_sweep(folder, TABLE)
    results = FollowedResults(SweepFolder(folder).results_path)
    assert results.read()
    file = results._path / "worker.jsonl"
    file.write_bytes(msgspec.json.encode(result(runs[0], 1.0)) + b"\n")
    assert not results.read()
    assert len(results.found) == len(runs)


def test_an_extended_sweep_has_more_runs(folder: Path) -> None:
    make_sweep(folder, TABLE)
    sweep = FollowedSweep(SweepFolder(folder))
    sweep.look()
    SweepFolder(folder).specify({**TABLE, "seeds": 6})
    assert sweep.look()
    assert (len(sweep.runs), len(sweep.results)) == (6, 4)


@given(order=st.permutations(range(6)))
def test_which_of_several_results_counts_does_not_depend_on_their_order(
    order: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    (run, other) = specification_of({**TABLE, "seeds": 2}).expand()
    later = [msgspec.structs.replace(failed(other, f"no {n}"), time=float(n)) for n in range(3)]
    lines = [*later, result(run, 1.0, time=5.0), result(run, 2.0, time=4.0), failed(run, "no")]
    path = tmp_path_factory.mktemp("results")
    for number in order:
        (path / f"{number}.jsonl").write_bytes(msgspec.json.encode(lines[number]) + b"\n")
    followed = FollowedResults(path)
    for _ in range(2):
        followed.read()
    found = read_results(path)
    assert followed.found == found
    assert found[run.digest] == lines[4]
    assert found[other.digest].problem == "no 2"


def test_a_folder_without_a_sweep_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="not the folder of a sweep"):
        FollowedSweep(SweepFolder(tmp_path)).look()
