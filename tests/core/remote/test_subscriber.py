"""A slow subscriber skips snapshots, and never events, up to a bound."""

from __future__ import annotations

import pytest

from core.remote.protocol import Hello, Rejected
from core.remote.subscriber import MOST_WAITING, STUCK_SECONDS, Subscriber


class Transport:
    """The transport that asyncio would provide: bytes wait until the test reads."""

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
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def subscriber(writer: Writer, now: list[float]) -> Subscriber:
    hello = Hello(protocol=1, program="1")
    return Subscriber("me", writer, hello, clock=lambda: now[0])  # type: ignore[arg-type]


def full() -> bytes:
    return b"full"


def stop_reading(subscriber: Subscriber, writer: Writer) -> None:
    """Leave an event unread."""
    writer.pause()
    subscriber.send_frame(b"event 0")


def test_a_reading_subscriber_receives_everything_in_order(
    subscriber: Subscriber, writer: Writer
) -> None:
    subscriber.send_frame(b"event 1")
    subscriber.send_snapshot(b"change 1", full)
    subscriber.send_snapshot(None, full)
    subscriber.send_frame(b"event 2")
    assert writer.got == [b"event 1", b"change 1", b"event 2"]


def test_a_stuck_subscriber_skips_snapshots_and_no_event(
    subscriber: Subscriber, writer: Writer
) -> None:
    stop_reading(subscriber, writer)
    for number in range(1, 4):
        subscriber.send_frame(b"event %d" % number)
        subscriber.send_snapshot(b"change", full)
    assert writer.got == [b"event %d" % number for number in range(4)]


def test_a_subscriber_that_reads_again_receives_full_snapshots(
    subscriber: Subscriber, writer: Writer
) -> None:
    stop_reading(subscriber, writer)
    subscriber.send_snapshot(b"change 1", full)
    writer.read()
    subscriber.send_snapshot(None, full)
    subscriber.send_snapshot(b"change 2", full)
    assert writer.got == [b"event 0", b"full", b"change 2"]


def test_a_subscriber_that_skipped_nothing_receives_changes(
    subscriber: Subscriber, writer: Writer
) -> None:
    stop_reading(subscriber, writer)
    subscriber.send_snapshot(None, full)
    writer.read()
    subscriber.send_snapshot(b"change", full)
    assert writer.got == [b"event 0", b"change"]


def test_a_subscriber_is_dropped_when_too_much_waits(
    subscriber: Subscriber, writer: Writer
) -> None:
    writer.pause()
    subscriber.send_frame(bytes(MOST_WAITING - 1))
    subscriber.send_frame(b"x")
    assert not writer.transport.aborted
    subscriber.send_frame(b"x")
    assert writer.transport.aborted


def test_a_long_backlog_drops_no_subscriber(subscriber: Subscriber, writer: Writer) -> None:
    writer.pause()
    for _ in range(3):
        subscriber.send_initial(Rejected("x" * MOST_WAITING))
    assert not writer.transport.aborted
    subscriber.send_frame(bytes(MOST_WAITING))
    assert not writer.transport.aborted
    subscriber.send_frame(b"x")
    assert writer.transport.aborted


def test_a_subscriber_is_dropped_when_something_has_waited_too_long(
    subscriber: Subscriber, writer: Writer, now: list[float]
) -> None:
    stop_reading(subscriber, writer)
    subscriber.send_snapshot(None, full)
    now[0] += STUCK_SECONDS
    subscriber.send_snapshot(None, full)
    assert not writer.transport.aborted
    now[0] += 0.1
    subscriber.send_snapshot(None, full)
    assert writer.transport.aborted


def test_a_subscriber_that_reads_now_and_then_is_not_dropped(
    subscriber: Subscriber, writer: Writer, now: list[float]
) -> None:
    for _ in range(5):
        stop_reading(subscriber, writer)
        now[0] += STUCK_SECONDS
        subscriber.send_snapshot(b"change", full)
        writer.read()
        subscriber.send_snapshot(None, full)
    assert not writer.transport.aborted


def test_a_dropped_subscriber_receives_nothing_more(subscriber: Subscriber, writer: Writer) -> None:
    writer.pause()
    subscriber.send_frame(bytes(MOST_WAITING + 1))
    subscriber.send_frame(b"event")
    subscriber.send_snapshot(b"change", full)
    assert writer.got == []
