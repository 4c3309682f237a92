"""A slow watcher skips how the runs stand and never what happened, up to a bound."""

from __future__ import annotations

import pytest

from core.remote import subscriber as watcher_module
from core.remote.protocol import Hello
from core.remote.subscriber import MOST_WAITING, PATIENCE_SECONDS, Subscriber


class Transport:
    """What asyncio would give: bytes wait until the test reads."""

    def __init__(self) -> None:
        self.waiting = b""
        self.is_read = True
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def abort(self) -> None:
        self.aborted = True
        self.waiting = b""


class Writer:
    def __init__(self) -> None:
        self.transport = Transport()
        self.got: list[bytes] = []

    def is_closing(self) -> bool:
        return self.transport.aborted

    def write(self, frame: bytes) -> None:
        assert not self.transport.aborted
        self.got.append(frame)
        if not self.transport.is_read:
            self.transport.waiting += frame

    def pause(self) -> None:
        self.transport.is_read = False

    def read(self) -> None:
        self.transport.is_read, self.transport.waiting = True, b""


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def watcher(writer: Writer) -> Subscriber:
    return Subscriber("me", writer, Hello(protocol=1, program="1"))  # type: ignore[arg-type]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    clock = type("Clock", (), {"monotonic": staticmethod(lambda: now[0])})
    monkeypatch.setattr(watcher_module, "time", clock)
    return now


def whole() -> bytes:
    return b"everything"


def unread(watcher: Subscriber, writer: Writer) -> None:
    """From now on something waits."""
    writer.pause()
    watcher.tell(b"event 0")


def test_one_who_reads_is_sent_all_in_order(watcher: Subscriber, writer: Writer) -> None:
    watcher.tell(b"event 1")
    watcher.show(b"change 1", whole)
    watcher.show(None, whole)
    watcher.tell(b"event 2")
    assert writer.got == [b"event 1", b"change 1", b"event 2"]


def test_one_who_does_not_read_skips_snapshots_and_no_event(
    watcher: Subscriber, writer: Writer
) -> None:
    unread(watcher, writer)
    for number in range(1, 4):
        watcher.tell(b"event %d" % number)
        watcher.show(b"change", whole)
    assert writer.got == [b"event %d" % number for number in range(4)]


def test_once_it_reads_again_it_is_told_everything(watcher: Subscriber, writer: Writer) -> None:
    unread(watcher, writer)
    watcher.show(b"change 1", whole)
    writer.read()
    watcher.show(None, whole)
    watcher.show(b"change 2", whole)
    assert writer.got == [b"event 0", b"everything", b"change 2"]


def test_one_who_skipped_nothing_is_not_told_everything(
    watcher: Subscriber, writer: Writer
) -> None:
    unread(watcher, writer)
    watcher.show(None, whole)
    writer.read()
    watcher.show(b"change", whole)
    assert writer.got == [b"event 0", b"change"]


def test_it_is_dropped_when_too_much_waits(watcher: Subscriber, writer: Writer) -> None:
    writer.pause()
    watcher.tell(bytes(MOST_WAITING - 1))
    watcher.tell(b"x")
    assert not writer.transport.aborted
    watcher.tell(b"x")
    assert writer.transport.aborted


def test_a_long_story_drops_nobody(watcher: Subscriber, writer: Writer) -> None:
    writer.pause()
    for _ in range(3):
        watcher.greet(bytes(MOST_WAITING))
    assert not writer.transport.aborted
    watcher.tell(bytes(MOST_WAITING))
    assert not writer.transport.aborted
    watcher.tell(b"x")
    assert writer.transport.aborted


def test_it_is_dropped_when_something_has_waited_too_long(
    watcher: Subscriber, writer: Writer, now: list[float]
) -> None:
    unread(watcher, writer)
    watcher.show(None, whole)
    now[0] += PATIENCE_SECONDS
    watcher.show(None, whole)
    assert not writer.transport.aborted
    now[0] += 0.1
    watcher.show(None, whole)
    assert writer.transport.aborted


def test_one_who_reads_now_and_then_is_not_dropped(
    watcher: Subscriber, writer: Writer, now: list[float]
) -> None:
    for _ in range(5):
        unread(watcher, writer)
        now[0] += PATIENCE_SECONDS
        watcher.show(b"change", whole)
        writer.read()
        watcher.show(None, whole)
    assert not writer.transport.aborted


def test_one_who_was_dropped_is_sent_nothing_more(watcher: Subscriber, writer: Writer) -> None:
    writer.pause()
    watcher.tell(bytes(MOST_WAITING + 1))
    watcher.tell(b"event")
    watcher.show(b"change", whole)
    assert writer.got == []
