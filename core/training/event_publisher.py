"""Events of a run are logged before clients receive them: nothing that was shown can be lost."""

import time
from collections.abc import Callable

from core.errors import reason
from core.events import AnyEvent, EventHeader, SaveFailed, WriteRecovered
from core.storage.event_log import EventLog

RETRY_SECONDS = 1.0
"""Interval between attempts to write a log that failed, and first delay for a checkpoint."""


class EventPublisher:
    """Writes events to ``log``, then passes them to ``publish``.

    While the log cannot be written, a ``SaveFailed`` is published and events still are; their
    lines are kept in memory until a ``WriteRecovered``.
    """

    def __init__(
        self, log: EventLog, publish: Callable[[AnyEvent], None], header: Callable[[], EventHeader]
    ) -> None:
        self.log = log
        self.header = header
        """Returns the header of an event at this moment."""
        self._publish = publish
        self._recorded: list[AnyEvent] = []
        self._problem = ""
        self._next_try = 0.0

    @property
    def has_backlog(self) -> bool:
        """True while there are events that could not be logged."""
        return bool(self._problem)

    def record(self, event: AnyEvent) -> None:
        """Add an event to those of the next ``flush``."""
        self.log.append(event)
        self._recorded.append(event)

    def flush(self) -> None:
        """Log and publish the recorded events."""
        if not self._problem or time.monotonic() >= self._next_try:
            self._attempt(self.log.flush)
        self._release()

    def sync(self) -> None:
        """Flush, and bring the log to disk."""
        self._attempt(self.log.sync)
        self._release()

    def publish(self, event: AnyEvent) -> None:
        """Publish ``event`` without logging it."""
        self._publish(event)

    def close(self) -> None:
        """Flush, and close the log."""
        self._attempt(self.log.close)
        self._release()

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
            if self._problem:
                self._problem = ""
                self.record(WriteRecovered(path=str(self.log.path), **self.header()))
                write()
        except Exception as error:  # whatever it is, the event is published, and no run ends
            self._next_try = time.monotonic() + RETRY_SECONDS
            problem = f"{self.log.path}: {reason(error)}; training continues, retrying"
            if problem != self._problem:
                self._problem = problem
                self.record(SaveFailed(problem=problem, **self.header()))

    def _release(self) -> None:
        recorded, self._recorded = self._recorded, []
        for event in recorded:
            self._publish(event)
