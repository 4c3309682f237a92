"""What a run says goes to its log first and to the faces after: nothing shown can be lost."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.errors import reason
from core.events import AnyEvent, EventHeader, SaveFailed, WriteRecovered
from core.storage.event_log import EventLog

RETRY_SECONDS = 1.0
"""How long a log that cannot be written is left alone."""


class EventPublisher:
    """Logs events in ``log`` and hands them to ``publish`` once the operating system has them.

    While the log cannot be written they are published all the same, after a ``SaveFailed``; their
    lines wait in memory, and ``WriteRecovered`` says when they are in the file.
    """

    def __init__(
        self, log: EventLog, publish: Callable[[AnyEvent], None], stamp: Callable[[], EventHeader]
    ) -> None:
        self.log = log
        self.stamp = stamp
        """What an event of this moment begins with."""
        self._publish = publish
        self._waiting: list[AnyEvent] = []
        self._problem = ""
        self._next_try = 0.0

    @property
    def owes(self) -> bool:
        """Whether there are lines that the log did not take."""
        return bool(self._problem)

    def say(self, event: AnyEvent) -> None:
        """Something happened; ``tell`` logs and publishes it."""
        self.log.append(event)
        self._waiting.append(event)

    def tell(self) -> None:
        """Log and publish what was said."""
        if not self._problem or time.monotonic() >= self._next_try:
            self._attempt(self.log.flush)
        self._release()

    def sync(self) -> None:
        """``tell``, and bring the log to the disk."""
        self._attempt(self.log.sync)
        self._release()

    def close(self) -> None:
        """``tell``, and close the log."""
        self._attempt(self.log.close)
        self._release()

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
            if self._problem:
                self._problem = ""
                self.say(WriteRecovered(path=str(self.log.path), **self.stamp()))
                write()
        except OSError as error:
            self._next_try = time.monotonic() + RETRY_SECONDS
            problem = f"{self.log.path}: {reason(error)}; training goes on and will try again"
            if problem != self._problem:
                self._problem = problem
                self.say(SaveFailed(problem=problem, **self.stamp()))

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._publish(event)
