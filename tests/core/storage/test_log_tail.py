"""A log is read from its end, and no more of it than is asked for."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.storage import log_lines as tail
from core.storage.log_lines import lines_from_end


def read(content: bytes, block: int = tail.BLOCK, most: int = 10**9) -> list[bytes]:
    with TemporaryDirectory() as folder, patch.object(tail, "BLOCK", block):
        path = Path(folder) / "log"
        path.write_bytes(content)
        return list(lines_from_end(path, most))


@given(st.lists(st.text("ab\n", max_size=5).map(str.encode), max_size=9), st.integers(1, 9))
def test_all_lines_come_in_reverse_whatever_the_block(pieces: list[bytes], block: int) -> None:
    content = b"".join(pieces)
    assert read(content, block) == content.split(b"\n")[::-1]


@given(st.text("ab\n", max_size=30).map(str.encode), st.integers(1, 9), st.integers(1, 40))
def test_a_bound_leaves_out_what_it_cuts_off(content: bytes, block: int, most: int) -> None:
    lines = content.split(b"\n")[::-1]
    found = read(content, block, most)
    assert found == lines[: len(found)]
    assert sum(map(len, found)) <= most
    if most >= len(content):
        assert found == lines


class Counting(io.BytesIO):
    """A file that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.taken += len(content)
        return content


def test_only_the_end_is_read_until_more_is_asked_for() -> None:
    file = Counting(b"line\n" * 10**5)
    with patch.object(tail, "open_regular", return_value=file):
        lines = lines_from_end(Path("log"), 10**9)
        assert [next(lines), next(lines)] == [b"", b"line"]
        assert file.taken == tail.BLOCK


def test_a_log_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(lines_from_end(tmp_path / "none", 10))
