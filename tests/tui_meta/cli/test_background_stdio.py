"""Output never waits for its reader, keeps its order, and says what it leaves out."""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.support.terminals.terminal import PATIENCE
from tui_meta.cli.background_stdio import BackgroundWriter, background_stdio, stdio_is_read
from tui_meta.console import print_error

LINE = b"x" * 9_999 + b"\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.FileIO]]:
    reading, writing = os.pipe()
    with io.FileIO(reading), io.FileIO(writing, "w") as target:
        yield reading, target


def read(descriptor: int, size: int) -> bytes:
    content = b""
    while len(content) < size:
        content += os.read(descriptor, size - len(content))
    return content


def test_a_write_never_waits_for_the_reader(pipe):
    reading, target = pipe
    writer = BackgroundWriter(target)
    for number in range(100):
        writer.write(b"%09d" % number)
        writer.write(LINE)
    writer.drain(0.01)
    assert not writer.is_idle
    content = read(reading, 100 * 10_009)
    assert content == b"".join(b"%09d" % number + LINE for number in range(100))
    writer.drain()
    assert writer.is_idle


def test_a_reader_that_makes_its_end_non_blocking_gets_everything(pipe):
    reading, target = pipe
    os.set_blocking(target.fileno(), False)
    writer = BackgroundWriter(target)
    for _ in range(100):
        writer.write(LINE)
    assert read(reading, 100 * len(LINE)) == 100 * LINE


def test_what_does_not_fit_is_left_out_whole_and_reported_once(pipe):
    reading, target = pipe
    losses: list[int] = []
    most = 20 * len(LINE)
    writer = BackgroundWriter(target, on_loss=lambda: losses.append(1), most_waiting=most)
    for _ in range(1_000):
        writer.write(LINE)
        writer.write(b"a short line\n")
    assert losses == [1]
    assert writer.left_out > 1_900
    written = 2_000 - writer.left_out
    lines = b""
    while lines.count(b"\n") < written:
        lines += os.read(reading, 2**16)
    assert set(lines.splitlines(keepends=True)) == {LINE, b"a short line\n"}
    writer.drain()
    writer.write(b"the next line\n")
    assert os.read(reading, 100) == b"the next line\n"


def test_a_reader_that_leaves_is_an_error_of_the_next_write(pipe):
    reading, target = pipe
    writer = BackgroundWriter(target)
    os.dup2(target.fileno(), reading)  # closes the end for reading, and leaves the number in use
    writer.write(LINE)
    writer.drain()
    with pytest.raises(BrokenPipeError):
        writer.write(LINE)
    with pytest.raises(BrokenPipeError):
        writer.flush()


class HungUp(io.RawIOBase):
    """A terminal that hung up, and is replaced after some writes."""

    def __init__(self) -> None:
        self.failures = 3
        self.content = b""

    def write(self, content) -> int:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, "Input/output error")
        self.content += content
        return len(content)


def test_a_terminal_that_hangs_up_may_be_replaced():
    target = HungUp()
    writer = BackgroundWriter(target)
    writer.write(LINE)
    writer.drain()
    assert target.content == LINE


def test_lines_of_both_streams_keep_their_order_in_one_file(tmp_path, monkeypatch):
    with (tmp_path / "log").open("w") as out, os.fdopen(os.dup(out.fileno()), "w") as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        with background_stdio() as stdio:
            for number in range(100):
                print(number)
                print_error(str(number))
            stdio.finish(patient=True)
            assert stdio_is_read()
        assert sys.stdout is out
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines == [line for n in range(100) for line in (str(n), f"error: {n}")]


def test_an_impatient_end_leaves_a_reader_that_reads_nothing(pipe, monkeypatch):
    reading, target = pipe
    monkeypatch.setattr("tui_meta.cli.background_stdio.PATIENCE_SECONDS", 0.01)
    with os.fdopen(os.dup(target.fileno()), "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        with background_stdio() as stdio:
            for _ in range(100):
                sys.stdout.buffer.write(LINE)
            assert not stdio_is_read()
            stdio.finish(patient=False)
        reader = threading.Thread(target=read, args=(reading, 100 * len(LINE)))
        reader.start()
        stdio.finish(patient=True)
        reader.join(PATIENCE)
        assert not reader.is_alive()
        monkeypatch.undo()
