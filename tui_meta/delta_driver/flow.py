"""Flow control: limits the repaints in transit by asking the terminal what it has shown."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

QUERY: Final = "\x1b[6n"
"""Query for the cursor position. Terminals answer once they have processed all output before."""

ANSWER_TIMEOUT: Final = 10.0
"""Seconds after which an answer counts as lost."""

REMOTE_LATENCY = 0.05
"""Seconds to an answer from which on a terminal counts as remote."""

USUAL, URGENT = 1, 2
"""Limits of repaints in transit, the next one included: usually, and after a key."""


class Flow:
    """Allows the next repaint once the terminal has shown the last.

    What is written to a connection is not shown yet: the kernel, sshd and the network buffer more
    than a slow line carries in many seconds, and the answer to a key would queue behind all of it.
    So every repaint ends with a query, whose answer means that the repaint was shown. The first
    repaint after a key need not wait, so at most one is in transit before it.

    A terminal that has never answered is not waited for; it is queried again from time to time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._queries: deque[float] = deque()
        """Times of the queries without an answer, oldest first."""
        self._answers = False
        """True once the terminal has answered."""
        self._latency = 0.0
        """Seconds to the latest answer."""
        self._urgent = False
        self._ended = False
        self._change = threading.Condition()

    @property
    def is_open(self) -> bool:
        """True if a repaint may be sent now."""
        with self._change:
            self._drop_lost()
            most = URGENT if self._urgent else USUAL
            return self._ended or not self._answers or len(self._queries) < most

    @property
    def since(self) -> float | None:
        """Time of the oldest repaint that is not known to be shown; None if all are."""
        with self._change:
            return self._queries[0] if self._answers and self._queries else None

    @property
    def gathering(self) -> float:
        """Seconds to wait for more changes before sending, short compared with the latency.

        The changes after a key often come in two steps; for a remote terminal, the second would
        have to wait until the first is shown.
        """
        return min(self._latency / 10, REMOTE_LATENCY) if self._latency >= REMOTE_LATENCY else 0.0

    def expect_repaint(self) -> None:
        """Let the next repaint pass sooner, because the user waits for it."""
        with self._change:
            self._urgent = True

    def send(self) -> str:
        """Record a repaint; return the query to send after it, or an empty string."""
        with self._change:
            self._drop_lost()
            self._urgent = False
            if self._ended or (self._queries and not self._answers):
                return ""
            self._queries.append(self._clock())
            return QUERY

    def answer(self) -> None:
        """Record an answer of the terminal."""
        with self._change:
            self._answers = True
            if self._queries:
                self._latency = self._clock() - self._queries.popleft()
            self._change.notify_all()

    def end(self, timeout: float) -> None:
        """Stop querying, and wait up to ``timeout`` seconds for the outstanding answers.

        The next program that reads the terminal would take them for keys.
        """
        with self._change:
            self._ended = True
            self._latency = 0.0
            if self._answers:
                self._change.wait_for(lambda: not self._queries, timeout)

    def _drop_lost(self) -> None:
        now = self._clock()
        while self._queries and now - self._queries[0] >= ANSWER_TIMEOUT:
            self._queries.popleft()
