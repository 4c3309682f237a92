"""Runs are summarized from the end of the log and one header of a checkpoint."""

import itertools
import json
import math
import os
import platform
from pathlib import Path
from typing import BinaryIO
from unittest.mock import patch

import msgspec
import pytest

from core.algorithms.fomaml import Fomaml
from core.config import RunConfig
from core.errors import RunFolderError
from core.events import (
    AnyEvent,
    Diverged,
    Extended,
    Failed,
    Finished,
    Paused,
    Resumed,
    RolledBack,
    Saved,
    Stepped,
    Stopped,
    Validation,
)
from core.storage import checkpoint, event_log_reader
from core.storage.io import open_regular
from core.storage.lock import FolderLock
from core.storage.paths import optimizer_path
from core.storage.run_index import RunSummary, checkpoint_files, describe_run, list_runs
from tests.support.file_systems import without_locks
from tests.support.run_folders import (
    evaluated,
    make_checkpoint,
    make_run,
    progress,
    stamp,
    started,
    validated,
)


def summary(path: Path) -> RunSummary:
    (found,) = list_runs(path)
    return found


def best_of(found: Path | RunSummary) -> tuple[float, int]:
    """Mean and iteration of the best validation."""
    best = (summary(found) if isinstance(found, Path) else found).best
    assert best is not None
    return best.mean, best.iteration


def with_best(mean: float, iteration: int) -> dict[str, object]:
    """Metadata of a checkpoint that knows this best validation."""
    best = Validation(iteration, mean, 0.75 * mean, 1.25 * mean)
    return {"best_validation": msgspec.to_builtins(best)}


@pytest.mark.parametrize(
    ("state", "events"),
    [
        ("finished", [started(), progress(1_000), Finished(**stamp(1_000))]),
        ("finished", [Finished(**stamp(9)), evaluated(9, 1.0, probe="random")]),
        ("stopped", [started(), Stopped(**stamp(5))]),
        ("diverged", [started(), Diverged(problem="p", advice="a", **stamp(5))]),
        ("failed", [started(), Failed(problem="p", **stamp(0))]),
        ("interrupted", [started(), progress(100)]),
        ("interrupted", [started(), Paused(**stamp(5)), Resumed(**stamp(5)), progress(100)]),
        ("interrupted", [Finished(**stamp(9)), Extended(target=20, **stamp(9))]),
        ("interrupted", [Stopped(**stamp(5)), started(5), progress(100)]),
        ("interrupted", []),
    ],
)
def test_the_state_follows_from_the_end_of_the_log(
    tmp_path: Path, state: str, events: list[AnyEvent]
) -> None:
    assert summary(make_run(tmp_path / "run", events)).state == state


def test_a_locked_run_is_training(tmp_path: Path) -> None:
    make_run(tmp_path / "run", [started(), progress(100)])
    lock = FolderLock(tmp_path / "run")
    lock.take()
    found = summary(tmp_path / "run")
    lock.release()
    assert found.state == "training"
    assert found.trained_by == f"process {os.getpid()} on {platform.node()}"
    assert summary(tmp_path / "run").state == "interrupted"


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([Paused(**stamp(100))], "paused"),
        ([Paused(**stamp(100)), Stepped(count=10, **stamp(110)), progress(110)], "paused"),
        ([Paused(**stamp(100)), Resumed(**stamp(100))], "training"),
        ([Paused(**stamp(100)), started(100)], "training"),
    ],
)
def test_a_run_that_a_process_holds_is_paused_until_it_continues(
    tmp_path: Path, events: list[AnyEvent], state: str
) -> None:
    path = make_run(tmp_path / "run", [started(), progress(100), *events])
    make_checkpoint(path, events[-1].iteration)
    lock = FolderLock(path)
    lock.take()
    held = summary(path).state
    lock.release()
    assert (held, summary(path).state) == (state, "interrupted")


def test_all_fields_of_a_summary_are_set(tmp_path: Path) -> None:
    events = [started(), validated(500, 0.5), validated(600, 0.7), progress(700)]
    assert summary(make_run(tmp_path / "run", events)) == RunSummary(
        path=str(tmp_path / "run"),
        name="run",
        state="interrupted",
        algorithm="fomaml",
        iteration=700,
        target=1_000,
        best=validated(500, 0.5).result,
        started="2026-11-23T22:36:12+0000",
        last_event=1_000.0,
        config=RunConfig(algorithm=Fomaml(), iterations=1_000).to_dict(complete=True),
    )


def test_settings_of_an_earlier_version_are_completed_and_unknown_ones_left_out(
    tmp_path: Path,
) -> None:
    config = RunConfig(algorithm=Fomaml(inner_lr=0.5)).to_dict(complete=True)
    plain = {key: value for key, value in config.items() if key != "validation"}
    for name, stored in {"old": plain, "new": {**plain, "gravity": 9.81}}.items():
        path = make_run(tmp_path / name)
        record = json.loads((path / "run.json").read_text())
        (path / "run.json").write_text(json.dumps({**record, "config": stored}))
    assert summary(tmp_path / "old").config == config
    assert summary(tmp_path / "new").config == {}
    assert summary(tmp_path / "new").state == "interrupted"


def test_the_best_is_that_of_validations_and_the_first_of_equals(tmp_path: Path) -> None:
    events = [validated(1, 0.5), validated(2, 0.5), evaluated(3, 3.0, 0.1)]
    assert best_of(make_run(tmp_path / "run", events)) == (0.5, 1)


def test_a_validation_that_is_not_finite_is_never_the_best(tmp_path: Path) -> None:
    events = [validated(1, math.nan), validated(2, 0.5), validated(3, math.inf)]
    assert best_of(make_run(tmp_path / "run", events)) == (0.5, 2)
    assert summary(make_run(tmp_path / "other", [validated(1, math.nan)])).best is None


def test_evaluations_of_the_first_version_have_no_best(tmp_path: Path) -> None:
    """Each was on another random task."""
    run = make_run(tmp_path / "run", [started(), evaluated(500, 3.0, 0.5)])
    make_checkpoint(run, 500, {"best": 0.5, "best_iteration": 500})
    assert summary(run).best is None


def test_a_later_target_replaces_the_first(tmp_path: Path) -> None:
    events = [started(target=10), Extended(target=20, **stamp(10)), progress(15)]
    assert summary(make_run(tmp_path / "run", events)).target == 20


def long_log(length: int) -> list[AnyEvent]:
    """Over 2 kB an iteration; the best is the first."""
    losses = [(i, 0.1 if i == 1 else 1.0) for i in range(1, length)]
    pairs = [(evaluated(i, loss), validated(i, loss)) for i, loss in losses]
    return [started(), *itertools.chain(*pairs)]


def test_without_a_checkpoint_the_whole_log_is_searched_for_the_best(tmp_path: Path) -> None:
    make_run(tmp_path / "run", long_log(200))
    make_checkpoint(tmp_path / "run", 199)
    assert best_of(tmp_path / "run") == (0.1, 1)


@pytest.mark.parametrize("at", [190, 199])
def test_with_the_best_in_a_checkpoint_only_the_end_of_the_log_is_read(
    tmp_path: Path, at: int
) -> None:
    events = long_log(200)
    events.insert(2 * at + 1, Saved(path=f"{at:09d}.safetensors", **stamp(at)))
    run = make_run(tmp_path / "run", events)
    make_checkpoint(run, at, with_best(0.2, 44))
    log, block = run / "events.jsonl", event_log_reader.BLOCK
    text = log.read_bytes()
    log.write_bytes(b"x" * (len(text) - block) + text[-block:])
    found = summary(run)
    assert (found.iteration, *best_of(found)) == (199, 0.2, 44)
    with patch.object(event_log_reader, "LARGEST_END", block):
        assert summary(run) == found


def test_an_evaluation_after_the_checkpoint_can_be_the_best(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [started(), progress(100), validated(150, 0.05)])
    make_checkpoint(run, 100, with_best(0.2, 44))
    assert best_of(run) == (0.05, 150)


def test_a_discarded_checkpoint_does_not_count(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [started(), validated(90, 0.7), RolledBack(**stamp(100))])
    make_checkpoint(run, 100, with_best(0.6, 44))
    make_checkpoint(run, 300, with_best(0.2, 250))
    found = summary(run)
    assert (found.iteration, *best_of(found)) == (100, 0.6, 44)


def test_a_damaged_checkpoint_is_skipped(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [started(), progress(300)])
    make_checkpoint(run, 100, with_best(0.6, 44))
    (run / "000000300.safetensors").write_bytes(b"damaged")
    assert best_of(run) == (0.6, 44)


def test_a_run_without_a_log_is_summarized_from_its_checkpoint(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "events.jsonl").unlink()
    make_checkpoint(run, 100, {"target": 2_000})
    found = summary(run)
    assert (found.iteration, found.target, found.last_event) == (100, 2_000, None)


def test_discarded_events_do_not_count(tmp_path: Path) -> None:
    before = [started(), progress(100), validated(150, 0.7), validated(190, 0.1)]
    ended = Diverged(problem="p", advice="a", **stamp(200))
    resumed = [RolledBack(**stamp(160)), started(160, target=900), progress(170)]
    found = summary(make_run(tmp_path / "run", [*before, ended, *resumed]))
    assert (found.state, found.iteration, found.target) == ("interrupted", 170, 900)
    assert best_of(found) == (0.7, 150)


@pytest.mark.parametrize("name", ["events.jsonl", "000000100.safetensors"])
def test_a_pipe_in_place_of_a_file_does_not_block(tmp_path: Path, name: str) -> None:
    run = make_run(tmp_path / "run")
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    assert summary(run).state == ("damaged" if name == "events.jsonl" else "interrupted")


def test_a_torn_or_foreign_line_is_skipped(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [started(), progress(100)])
    with (run / "events.jsonl").open("ab") as log:
        log.write(b'{"event":"progress","iteration":-3,"time":0}\n\xff\n[[[[\n{"event":"prog')
    assert summary(run).iteration == 100


def test_a_run_on_a_file_system_without_locks_is_listed_as_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (make_run(tmp_path / "a", [started(), progress(100)]) / ".lock").touch()
    without_locks(monkeypatch)
    (found,) = list_runs(tmp_path)
    assert (found.state, found.problem, found.trained_by) == ("interrupted", None, None)


def test_a_damaged_run_is_listed_with_its_problem(tmp_path: Path) -> None:
    make_run(tmp_path / "sound", [started(), progress(100)])
    for name, content in [("cut", "{"), ("other", "{}"), ("plain", '{"config": 3}')]:
        (make_run(tmp_path / name) / "run.json").write_text(content)
    sound = (tmp_path / "sound" / "run.json").read_text()
    without = sound.replace('"iterations": 1000', '"it": 1')
    (make_run(tmp_path / "config") / "run.json").write_text(without)
    (make_run(tmp_path / "headless") / "run.json").unlink()
    found = {one.name: one for one in list_runs(tmp_path)}
    assert found.pop("sound").state == "interrupted"
    assert set(found) == {"cut", "other", "plain", "config", "headless"}
    for one in found.values():
        assert one.state == "damaged"
        assert one.problem is not None
        assert "run.json" in one.problem
        assert len(one.problem.splitlines()) == 1


def test_other_files_and_folders_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").touch()
    (tmp_path / "README").touch()
    assert list_runs(tmp_path) == []


def test_a_folder_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"cannot be read .*; choose a folder with runs"):
        list_runs(tmp_path / "none")


def test_a_single_run_has_summary_and_record(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [started()])
    found, record = describe_run(run)
    assert found == summary(run)
    assert record.processor == "abacus"


def test_checkpoints_are_listed_with_kind_and_size_and_damage(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    first = make_checkpoint(run, 100, {"kind": "hand"})
    (run / "000000100.optimizer.safetensors").write_bytes(b"12345")
    (run / "000000200.safetensors").write_bytes(b"damaged")
    sound, damaged = checkpoint_files(run)
    assert sound.metadata is not None
    assert (sound.metadata.kind, sound.size) == ("hand", first.stat().st_size + 5)
    assert (damaged.path.name, damaged.metadata) == ("000000200.safetensors", None)
    assert "damaged" in damaged.problem


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the checkpoint files that are opened; none counts as changed just now."""
    names: list[str] = []

    def counted(path: Path) -> BinaryIO:
        names.append(path.name)
        return open_regular(path)

    monkeypatch.setattr(checkpoint, "open_regular", counted)
    monkeypatch.setattr(checkpoint, "SETTLED", 0.0)
    return names


def test_a_list_of_runs_reads_the_newest_checkpoint_alone(
    tmp_path: Path, opened: list[str]
) -> None:
    run = make_run(tmp_path / "run")
    paths = [make_checkpoint(run, iteration) for iteration in range(1, 9)]
    assert summary(tmp_path).iteration == 8
    assert opened == [paths[-1].name]


def test_only_a_checkpoint_that_changed_is_read_again(tmp_path: Path, opened: list[str]) -> None:
    run = make_run(tmp_path / "run")
    paths = [make_checkpoint(run, iteration, {"kind": "auto"}) for iteration in range(1, 9)]
    checkpoint_files(run)
    assert opened == [path.name for path in paths]
    opened.clear()
    size, written = paths[0].stat().st_size, paths[0].read_bytes()
    paths[0].write_bytes(written.replace(b"auto", b"best"))
    new = make_checkpoint(run, 9)
    found = checkpoint_files(run)
    assert opened == [paths[0].name, new.name]
    assert (found[0].description, found[0].size) == ("best", size)


def test_a_checkpoint_that_lost_its_optimizer_is_read_again(
    tmp_path: Path, opened: list[str]
) -> None:
    path = make_checkpoint(make_run(tmp_path / "run"), 1, {"optimizer_sha256": "0" * 64})
    optimizer_path(path).write_bytes(b"")
    assert checkpoint_files(path.parent)[0].metadata
    optimizer_path(path).unlink()
    assert checkpoint_files(path.parent)[0].problem


def test_a_checkpoint_that_changed_just_now_is_read_again(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SETTLED", 60.0)
    path = make_checkpoint(make_run(tmp_path / "run"), 1)
    checkpoint_files(path.parent)
    checkpoint_files(path.parent)
    assert opened == [path.name] * 2
