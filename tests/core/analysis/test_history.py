"""The history of a run is read from its folder without loading a network."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.analysis import history as recalling
from core.analysis.answers import LARGEST_ANSWER, AnyAnswer, Cancelled, RunHistory, SavedTheta
from core.analysis.history import MOST_CHECKPOINTS, MOST_EVALUATIONS, HistoryReader
from core.engines import make_engine
from core.errors import RunFolderError
from core.evaluation.adaptation import few_shot
from core.evaluation.few_shot_tasks import PROBES, draw_task
from core.events import AnyEvent, Event, Finished, RolledBack, Saved
from core.storage.event_log_reader import events_since
from tests.support.run_folders import (
    evaluated,
    make_checkpoint,
    make_run,
    progress,
    stamp,
    validated,
)
from tests.support.runs import ended, small_config, straight
from tests.support.runs import started as begun


def history_of(folder: Path, reader: HistoryReader | None = None) -> RunHistory:
    found = (reader or HistoryReader()).read(folder, lambda: False)
    assert isinstance(found, RunHistory)
    return found


def test_checkpoints_are_listed_oldest_first_with_their_kind(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    make_checkpoint(folder, 200, {"kind": "best"})
    make_checkpoint(folder, 100)
    (folder / "000000150.safetensors").write_bytes(b"damaged")
    found = history_of(folder)
    assert found.folder == str(folder)
    assert found.checkpoints == (
        SavedTheta(name="000000100.safetensors", iteration=100),
        SavedTheta(name="000000200.safetensors", iteration=200, kind="best"),
    )
    assert found.damaged == 1


def test_only_periodic_evaluations_of_the_current_branch_are_listed(tmp_path: Path) -> None:
    events = [
        evaluated(100, 3.0, 0.5),
        progress(150),
        evaluated(150, 9.0, 8.0, probe="standard"),
        evaluated(200, 2.0, 0.4),
        RolledBack(**stamp(150)),
        evaluated(200, 2.5, float("nan")),
    ]
    found = history_of(make_run(tmp_path / "run", events))
    assert [(one.iteration, one.before, one.after) for one in found.evaluations] == [
        (100, 3.0, 0.5),
        (200, 2.5, None),
    ]
    assert (found.evaluations[0].index, found.evaluations[0].parameters[0]) == (100, 2.0)


def test_very_many_evaluations_are_thinned_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalling, "MOST_EVALUATIONS", 5)
    folder = make_run(tmp_path / "run", (evaluated(i, 1.0) for i in range(40)))
    assert [one.iteration for one in history_of(folder).evaluations] == [0, 8, 16, 24, 32]


def append(folder: Path, *events: Event, end: bytes = b"\n") -> None:
    with (folder / "events.jsonl").open("ab") as log:
        log.write(b"\n".join(msgspec.json.encode(event) for event in events) + end)


PARTS = st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.booleans()), max_size=30)


@given(PARTS)
@example([(False, i, i % 7 == 0) for i in range(9)] + [(True, 3, True), (False, 4, True)])
def test_a_log_read_as_it_grows_gives_the_same_history(
    parts: list[tuple[bool, int, bool]],
) -> None:
    follower = HistoryReader()
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(recalling, "MOST_EVALUATIONS", 5)
        run = make_run(Path(folder, "run"))
        for back, iteration, looks in parts:
            append(run, RolledBack(**stamp(iteration)) if back else evaluated(iteration, 1.0))
            if looks:
                assert history_of(run, follower) == history_of(run)
        assert history_of(run, follower) == history_of(run)


def test_only_the_added_part_of_a_growing_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower, folder = HistoryReader(), make_run(tmp_path / "run", [evaluated(100, 1.0)])
    history_of(folder, follower)
    before = (folder / "events.jsonl").stat().st_size
    append(folder, evaluated(200, 1.0))
    places: list[int] = []

    def recorded(folder: Path, place: int) -> Iterator[tuple[AnyEvent, int]]:
        places.append(place)
        return events_since(folder, place)

    monkeypatch.setattr(recalling, "events_since", recorded)
    assert [one.iteration for one in history_of(folder, follower).evaluations] == [100, 200]
    assert places == [before]


def test_validations_are_read_and_rolled_back(tmp_path: Path) -> None:
    follower = HistoryReader()
    folder = make_run(tmp_path / "run", [validated(at, 9.0, 1.0) for at in (0, 100, 200)])
    found = history_of(folder, follower).validations
    assert [(one.iteration, one.mean) for one in found] == [(0, 1.0), (100, 1.0), (200, 1.0)]
    append(folder, RolledBack(**stamp(100)), validated(150, 9.0, 0.5), validated(200, math.nan))
    again = history_of(folder, follower).validations
    assert [(one.iteration, one.mean) for one in again] == [(0, 1.0), (100, 1.0), (150, 0.5)]


def test_checkpoints_that_are_saved_or_discarded_meanwhile_are_noticed(tmp_path: Path) -> None:
    follower, folder = HistoryReader(), make_run(tmp_path / "run")
    listed = []
    for iteration in (100, 200):
        make_checkpoint(folder, iteration)
        append(folder, Saved(path=f"{iteration:09d}.safetensors", **stamp(iteration)))
        listed.append([one.iteration for one in history_of(folder, follower).checkpoints])
    append(folder, RolledBack(**stamp(150)))
    listed.append([one.iteration for one in history_of(folder, follower).checkpoints])
    assert listed == [[100], [100, 200], [100]]


def test_an_incomplete_line_is_read_once_it_is_complete(tmp_path: Path) -> None:
    follower, folder = HistoryReader(), make_run(tmp_path / "run")
    append(folder, evaluated(100, 1.0), end=b"")
    assert not history_of(folder, follower).evaluations
    append(folder, end=b"\n")
    assert [one.iteration for one in history_of(folder, follower).evaluations] == [100]


def test_a_log_that_was_replaced_is_read_from_its_start(tmp_path: Path) -> None:
    follower = HistoryReader()
    folder = make_run(tmp_path / "run", [evaluated(100, 1.0), evaluated(200, 1.0)])
    history_of(folder, follower)
    (folder / "events.jsonl").rename(tmp_path / "kept")
    assert not history_of(folder, follower).evaluations
    append(folder, *(evaluated(iteration, 1.0) for iteration in (300, 400, 500)))
    assert [one.iteration for one in history_of(folder, follower).evaluations] == [300, 400, 500]


def test_of_very_many_checkpoints_the_newest_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalling, "MOST_CHECKPOINTS", 2)
    folder = make_run(tmp_path / "run")
    for iteration in (1, 2, 3):
        make_checkpoint(folder, iteration)
    found = history_of(folder)
    assert [one.iteration for one in found.checkpoints] == [2, 3]
    assert found.damaged == 0


def test_reading_a_long_log_can_be_cancelled(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", [evaluated(100, 1.0)])
    assert HistoryReader().read(folder, lambda: True) == Cancelled()


def test_a_missing_folder_is_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="No such file"):
        history_of(tmp_path / "nowhere")


def test_tasks_of_past_evaluations_can_be_drawn_again(tmp_path: Path) -> None:
    config = small_config(seed=7, iterations=40, eval_interval=20)
    trainer, log = begun(tmp_path, config)
    log.wait(Finished)
    ended(trainer)
    found = history_of(trainer.folder)
    assert found.seed == 7
    assert [one.index for one in found.evaluations] == [20, 40]
    for one in found.evaluations:
        task = draw_task(config.tasks, found.seed, PROBES["validation"], one.index)
        assert task.function.parameters == one.parameters
        theta, lr = straight(config, one.iteration).theta, config.algorithm.inner_lr
        again = few_shot(make_engine(config), theta, config.tasks, task, 32, lr)
        assert again.losses[0, -1] == one.after


@pytest.mark.parametrize("seed", [-1, 2**63, "1", None, 0.5])
def test_an_invalid_seed_is_none(tmp_path: Path, seed: object) -> None:
    folder = make_run(tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    record["config"]["seed"] = seed
    (folder / "run.json").write_text(json.dumps(record))
    assert history_of(folder).seed is None
    (folder / "run.json").unlink()
    assert history_of(folder).seed is None


def test_an_unreadable_log_is_a_one_line_error(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / "events.jsonl").unlink()
    (folder / "events.jsonl").mkdir()
    with pytest.raises(RunFolderError, match=r"events\.jsonl: cannot be read"):
        history_of(folder)


def test_the_largest_history_keeps_its_size_limit_and_survives_encoding() -> None:
    checkpoint = SavedTheta(name=f"{10**242}.safetensors", iteration=10**12, kind="final")
    one = recalling._past(evaluated(10**12, 1.5, 0.1))
    found = RunHistory(
        folder="a" * 4_096,
        checkpoints=(checkpoint,) * MOST_CHECKPOINTS,
        damaged=0,
        evaluations=(one,) * MOST_EVALUATIONS,
    )
    assert len(msgspec.msgpack.encode(found)) <= LARGEST_ANSWER
    for wire in (msgspec.msgpack, msgspec.json):
        assert wire.decode(wire.encode(found), type=AnyAnswer) == found
