"""A log is read from its end, and no more of it than is needed."""

import io
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RunFolderError
from core.events import AnyEvent, RolledBack
from core.storage import event_log_reader
from core.storage.event_log_reader import events_since, history, lines_backwards
from tests.support.run_folders import progress, stamp


def texts(content: bytes, block: int, limit: int = 10**9) -> list[bytes]:
    with patch.object(event_log_reader, "BLOCK", block):
        return list(event_log_reader._texts_backwards(io.BytesIO(content), limit))


def encoded(*events: AnyEvent) -> bytes:
    return b"".join(msgspec.json.encode(event) + b"\n" for event in events)


@given(st.lists(st.text("ab\n", max_size=5).map(str.encode), max_size=9), st.integers(1, 9))
def test_all_lines_come_in_reverse_whatever_the_block(pieces: list[bytes], block: int) -> None:
    content = b"".join(pieces)
    assert texts(content, block) == content.split(b"\n")[::-1]


@given(st.text("ab\n", max_size=30).map(str.encode), st.integers(1, 9), st.integers(1, 40))
def test_a_line_that_the_limit_cuts_off_is_left_out(content: bytes, block: int, limit: int) -> None:
    lines = content.split(b"\n")[::-1]
    found = texts(content, block, limit)
    assert found == lines[: len(found)]
    assert sum(map(len, found)) <= limit
    if limit >= len(content):
        assert found == lines


class Counting(io.BytesIO):
    """A file that counts the bytes that are read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.taken += len(content)
        return content


def test_only_the_end_is_read_until_more_is_needed() -> None:
    file = Counting(encoded(*(progress(iteration) for iteration in range(10_000))))
    with patch.object(event_log_reader, "open_regular", return_value=file):
        lines = lines_backwards(Path("log"))
        assert [next(lines).iteration, next(lines).iteration] == [9_999, 9_998]
        assert file.taken == event_log_reader.BLOCK


def test_discarded_events_are_read_backwards_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encoded(progress(100), progress(200), RolledBack(**stamp(100))))
    assert [line.iteration for line in lines_backwards(tmp_path)] == [100, 200, 100]
    assert [line.is_rollback for line in lines_backwards(tmp_path, ["rewound"])] == [True]


def test_events_since_an_offset_come_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encoded(progress(100)))
    ((first, offset),) = events_since(tmp_path, 0)
    assert (first, offset) == (progress(100), path.stat().st_size)
    path.write_bytes(encoded(progress(100), progress(200)))
    assert [event for event, _ in events_since(tmp_path, offset)] == [progress(200)]


def test_a_log_that_does_not_exist_has_no_events(tmp_path: Path) -> None:
    assert [*history(tmp_path), *events_since(tmp_path, 0), *lines_backwards(tmp_path)] == []


def test_a_log_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").mkdir()
    for events in (history(tmp_path), events_since(tmp_path, 0), lines_backwards(tmp_path)):
        with pytest.raises(RunFolderError, match="cannot be read"):
            next(iter(events))
