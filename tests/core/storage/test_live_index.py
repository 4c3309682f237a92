"""The list of runs is followed: what has changed is read, and nothing else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.events import AnyEvent, Curve, Evaluated, Extended, Finished, Progress, RolledBack, Saved
from core.storage import live_index
from core.storage.event_log_reader import FollowedLog, LogEvents, history
from core.storage.io import write_atomically
from core.storage.live_index import FollowedRun, LiveIndex
from core.storage.lock import FolderLock
from core.storage.run_index import RunSummary, list_runs, read_run, summarize
from tests.support.run_folders import (
    evaluated,
    make_checkpoint,
    make_run,
    progress,
    stamp,
    started,
    validated,
)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the folders that are read."""
    names: list[str] = []

    def counted(path: Path) -> RunSummary | None:
        names.append(path.name)
        return summarize(path)

    monkeypatch.setattr(live_index, "summarize", counted)
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        make_run(tmp_path / name, [started(), progress(100)])
    (tmp_path / "notes").mkdir()
    return tmp_path


def append(run: Path, *events: AnyEvent) -> None:
    with (run / "events.jsonl").open("ab") as log:
        log.writelines(msgspec.json.encode(event) + b"\n" for event in events)


def test_only_a_run_that_has_changed_is_read_again(folder: Path, read: list[str]) -> None:
    index = LiveIndex()
    first = index.list([folder])
    assert first == list_runs(folder)
    read.clear()
    assert [one is other for one, other in zip(index.list([folder]), first, strict=True)] == [
        True
    ] * 3
    assert read == []
    append(folder / "b", validated(200, 4.0, 0.5), Finished(**stamp(300)))
    changed = index.list([folder])
    assert read == ["b"]
    assert changed == list_runs(folder)
    assert changed[1].iteration == 300
    assert (changed[0] is first[0], changed[2] is first[2]) == (True, True)


@pytest.mark.parametrize(
    ("events", "is_read"),
    [
        ([progress(200)], False),
        ([validated(200, 4.0, 0.5), progress(300)], False),
        ([validated(200, 4.0, 0.9), validated(300, 4.0, 0.6), validated(400, None)], False),
        ([evaluated(200, 4.0, 0.5)], False),
        ([Extended(target=5_000, **stamp(200)), progress(300)], True),
        ([progress(200), Finished(**stamp(200, 2_000.0))], True),
        ([RolledBack(**stamp(50)), progress(80)], True),
    ],
)
def test_of_a_log_that_grows_new_lines_are_enough_until_the_run_begins_or_ends(
    folder: Path, read: list[str], events: list[AnyEvent], *, is_read: bool
) -> None:
    append(folder / "b", validated(100, 4.0, 0.7))
    index = LiveIndex()
    index.list([folder])
    read.clear()
    append(folder / "b", *events)
    assert index.list([folder]) == list_runs(folder)
    assert read == (["b"] if is_read else [])


def test_a_line_that_was_half_written_is_read(folder: Path) -> None:
    log, text = folder / "b" / "events.jsonl", msgspec.json.encode(validated(200, 4.0, 0.5))
    index = LiveIndex()
    for part in (text[:40], text[40:] + b"\n", b"\n{}\n"):
        with log.open("ab") as file:
            file.write(part)
        assert index.list([folder]) == list_runs(folder)


def test_of_a_followed_run_files_are_listed_again_when_they_change(tmp_path: Path) -> None:
    run, index = make_run(tmp_path / "run", [started(), progress(100)]), LiveIndex()
    followed = FollowedRun(run)

    def files() -> tuple[object, ...]:
        (summary,) = index.list([tmp_path])
        details = followed.read(summary)
        expected = read_run(run)
        assert (details.summary, details.record) == (summary, expected.record)
        assert details.checkpoints == expected.checkpoints
        assert details.events.curve == expected.events.curve
        return details.checkpoints

    assert files() == ()
    make_checkpoint(run, 100)
    append(run, Saved(path="000000100.safetensors", **stamp(100)))
    first = files()
    append(run, progress(200), validated(200, 4.0, 0.5))
    assert files() is first
    append(run, RolledBack(**stamp(50)))
    assert files() != first  # it is discarded


def test_new_changed_and_deleted_runs_are_noticed(folder: Path, read: list[str]) -> None:
    index = LiveIndex()
    index.list([folder])
    read.clear()
    make_run(folder / "d", [started()])
    make_run(folder / "notes" / "no run")
    assert [one.name for one in index.list([folder])] == ["a", "b", "c", "d"]
    make_checkpoint(folder / "a", 700)
    write_atomically(folder / "c" / "run.json", b"{")
    found = index.list([folder])
    assert [one.iteration for one in found[:2]] == [700, 100]
    assert found[2].state == "damaged"
    assert sorted(read) == ["a", "c", "d", "notes"]
    (folder / "b").rename(folder.parent / "elsewhere")
    assert [one.name for one in index.list([folder])] == ["a", "c", "d"]


def test_a_run_is_training_from_its_lock_until_its_process_has_gone(folder: Path) -> None:
    index = LiveIndex()
    lock = FolderLock(folder / "a")
    states = [index.list([folder])[0].state]
    lock.take()
    states.append(index.list([folder])[0].state)
    lock.release()
    states.append(index.list([folder])[0].state)
    assert states == ["interrupted", "training", "interrupted"]


def test_a_followed_log_has_the_events_that_no_rollback_discards(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    log = FollowedLog(run)
    parts: list[list[AnyEvent]] = [
        [started(), progress(100), evaluated(100, 4.0, 0.5, 0.2)],
        [validated(200, 4.0, 0.3), progress(300), Finished(**stamp(300))],
        [RolledBack(**stamp(150)), started(150), progress(200)],
        [RolledBack(**stamp(120)), progress(130)],
        [],
    ]
    for part in parts:
        append(run, *part)
        expected = list(history(run))
        found, kinds = log.read(), {type(one) for one in expected} - {Evaluated, Progress}
        for kind in kinds:
            assert list(found.of(kind)) == [one for one in expected if type(one) is kind]
        assert found.of(Evaluated) == tuple(
            one.without_points() for one in expected if isinstance(one, Evaluated)
        )
        assert found.curve == LogEvents(expected).curve
    assert found.curve.iterations == (100, 130)
    assert found.of(Finished) == ()


def test_of_a_followed_log_only_new_lines_are_read(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [started(), progress(100)])
    log = FollowedLog(run)
    log.read()
    text = (run / "events.jsonl").read_bytes()
    (run / "events.jsonl").write_bytes(b"x" * (len(text) - 1) + b"\n")
    append(run, progress(200))
    with (run / "events.jsonl").open("ab") as file:
        file.write(b'{"event":"progress","iter')
    assert log.read().curve.iterations == (100, 200)


def test_another_log_in_its_place_is_read_from_the_beginning(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [started(), progress(100), progress(200)])
    log = FollowedLog(run)
    log.read()
    (run / "events.jsonl").unlink()
    assert log.read().curve == Curve()
    append(run, progress(50))
    assert log.read().curve.iterations == (50,)
