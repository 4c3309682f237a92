"""The log has whole lines in order, even on a full or failing disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.storage.event_log
from core.events import AnyEvent, Evaluated, Failed, Progress, RolledBack
from core.storage.event_log import PENDING_BYTES, EventLog
from core.storage.event_log_reader import LONGEST_LINE, history
from tests.support.run_folders import progress, short_evaluated, stamp


def rolled_back(iteration: int) -> RolledBack:
    return RolledBack(**stamp(iteration))


def write(path: Path, *events: AnyEvent) -> None:
    log = EventLog(path)
    for event in events:
        log.append(event)
    log.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def refuse(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Fill the disk after ``after`` more bytes."""
    original = os.write
    left = after

    def limited(file: int, content: bytes) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = original(file, content[:left])
        left -= done
        return done

    monkeypatch.setattr(core.storage.event_log.os, "write", limited)


@pytest.mark.parametrize("room", [0, 1, 50, 100])
def test_lines_that_a_full_disk_refused_are_written_later_and_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    log = EventLog(path)
    log.append(progress(1, 0.5))
    log.flush()
    for iteration in (2, 3):
        log.append(progress(iteration, 0.5))
    with monkeypatch.context() as full:
        refuse(full, room)
        with pytest.raises(OSError, match="No space"):
            log.flush()
    log.append(progress(4, 0.5))
    log.close()
    assert path.read_bytes().count(b"\n") == 4
    assert [event.iteration for event in history(path.parent)] == [1, 2, 3, 4]


def test_all_lines_of_a_flush_are_one_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def record(_: int, content: bytes) -> int:
        written.append(content)
        return len(content)

    log = EventLog(path)
    for iteration in range(5):
        log.append(progress(iteration, 0.5))
    monkeypatch.setattr(core.storage.event_log.os, "write", record)
    log.close()
    assert [content.count(b"\n") for content in written] == [5]


@given(cut=st.integers(0, 400), size=st.integers(0, 3))
def test_a_log_cut_anywhere_loses_only_the_torn_line(cut: int, size: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.jsonl")
        write(path, *(progress(iteration, 0.5) for iteration in range(size + 1)))
        whole = path.read_bytes()[:cut]
        path.write_bytes(whole)
        write(path, progress(99, 0.5))
        kept = whole[: whole.rfind(b"\n") + 1]
        assert path.read_bytes().startswith(kept)
        events = [event.iteration for event in history(path.parent)]
        assert events == [*range(kept.count(b"\n")), 99]


def test_a_torn_line_longer_than_a_block_is_cut_off(path: Path) -> None:
    write(path, progress(1, 0.5))
    with path.open("ab") as log:
        log.write(b"x" * 200_000)
    write(path, progress(2, 0.5))
    assert [event.iteration for event in history(path.parent)] == [1, 2]
    assert path.stat().st_size < 1_000


def test_pending_lines_are_bounded(path: Path) -> None:
    log = EventLog(path)
    log.append(short_evaluated(0, 0.5))
    size = 0
    while size < 2 * PENDING_BYTES:
        event = Failed(run="run", iteration=1, time=0.0, problem="x" * 2**19)
        size += 2**19
        log.append(progress(2, 0.5))
        log.append(event)
        if size == 2**20:
            assert not path.exists()
    log.close()
    assert 0 < path.stat().st_size <= PENDING_BYTES + 2**20


def test_losses_are_dropped_before_evaluations(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.storage.event_log, "PENDING_BYTES", 20_000)
    log = EventLog(path)
    for iteration in range(1_000):
        make = short_evaluated if iteration % 50 == 0 else progress
        log.append(make(iteration, 0.5))
    log.close()
    kept = list(history(path.parent))
    assert len([event for event in kept if isinstance(event, Evaluated)]) == 20
    assert len([event for event in kept if isinstance(event, Progress)]) < 900


def test_a_removed_log_is_not_written_until_a_sync(path: Path) -> None:
    log = EventLog(path)
    log.append(progress(1, 0.5))
    log.flush()
    path.unlink()
    log.append(progress(2, 0.5))
    with pytest.raises(FileNotFoundError):
        log.flush()
    log.sync()
    log.close()
    assert [event.iteration for event in history(path.parent)] == [2]


def test_a_folder_that_returns_receives_the_pending_lines(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    log = EventLog(folder / "events.jsonl")
    log.append(progress(1, 0.5))
    log.flush()
    folder.rename(tmp_path / "moved")
    log.append(progress(2, 0.5))
    with pytest.raises(FileNotFoundError):
        log.flush()
    (tmp_path / "moved").rename(folder)
    log.close()
    assert [event.iteration for event in history(log.path.parent)] == [1, 2]


def test_discarded_events_are_left_out(path: Path) -> None:
    write(
        path,
        *(progress(1, 0.1), progress(2, 0.2), progress(3, 0.3)),
        *(rolled_back(1), progress(2, 0.4)),
    )
    current = list(history(path.parent))
    assert current == [progress(1, 0.1), rolled_back(1), progress(2, 0.4)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=20))
def test_an_event_is_current_unless_rolled_back_later(
    parts: list[tuple[bool, int]],
) -> None:
    import tempfile

    events: list[AnyEvent] = [
        rolled_back(iteration) if back else progress(iteration, number / 8)
        for number, (back, iteration) in enumerate(parts)
    ]
    expected = [
        event
        for number, event in enumerate(events)
        if not any(
            isinstance(later, RolledBack) and later.iteration < event.iteration
            for later in events[number + 1 :]
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.jsonl")
        write(path, *events)
        assert list(history(path.parent)) == expected


def test_a_huge_line_is_skipped(path: Path) -> None:
    write(path, progress(1, 0.5))
    with path.open("ab") as log:
        log.write(b'{"event":"' + b"x" * 3 * LONGEST_LINE + b'"}\n')
    write(path, progress(2, 0.5))
    assert [event.iteration for event in history(path.parent)] == [1, 2]


@pytest.mark.parametrize(
    "foreign", [b"[" * 50_000, b"null", b'{"event":null}', b'"\xff"', b"\0" * 9]
)
def test_a_foreign_line_is_skipped(path: Path, foreign: bytes) -> None:
    write(path, progress(1, 0.5))
    with path.open("ab") as log:
        log.write(foreign + b"\n")
    assert [event.iteration for event in history(path.parent)] == [1]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_an_evaluation_that_is_not_finite_is_read_back_so(path: Path, bad: float) -> None:
    write(path, short_evaluated(3, bad))
    (found,) = history(path.parent)
    assert isinstance(found, Evaluated)
    assert found.losses[0] == 9.0
    assert found.losses[1] != found.losses[1]


def test_a_log_that_does_not_exist_has_no_events(path: Path) -> None:
    assert list(history(path.parent)) == []


def test_lines_are_on_the_disk_after_a_sync(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Any] = []
    monkeypatch.setattr(
        core.storage.event_log.os, "fsync", lambda file: synced.append(os.fstat(file))
    )
    log = EventLog(path)
    log.append(progress(1, 0.5))
    log.sync()
    assert [status.st_size for status in synced] == [path.stat().st_size]
    log.close()
