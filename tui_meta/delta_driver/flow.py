"""How many repaints may be on their way to a terminal: as many as it can be asked about."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

QUESTION: Final = "\x1b[6n"
"""Where is the cursor? Every terminal answers, once it has shown all that came before."""

PATIENCE: Final = 10.0
"""Seconds after which an answer is no longer waited for: it, or the question, was lost."""

FAR = 0.05
"""Seconds to an answer from which on a terminal is far away."""

USUAL, URGENT = 1, 2
"""Repaints on their way, the new one among them: usually, and with the answer to a key."""


class Flow:
    """Lets the next repaint go when the terminal has shown the last.

    What is written to a connection is not shown yet: the kernel, sshd and the network hold more of
    it than a slow line carries in many seconds, and the answer to a key would wait behind all of
    that. So every repaint ends with a question, and its answer tells that the repaint was shown.
    The first after a key need not wait: at most one is on its way before it.

    A terminal that has never answered is not waited for; it is asked again from time to time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: deque[float] = deque()
        """When each question was asked that is without answer, the oldest first."""
        self._answers = False
        """Whether it is known that the terminal answers."""
        self._took = 0.0
        """Seconds to the newest answer."""
        self._urgent = False
        self._ended = False
        self._change = threading.Condition()

    @property
    def is_open(self) -> bool:
        """Whether a repaint may go now."""
        with self._change:
            self._forget()
            most = URGENT if self._urgent else USUAL
            return self._ended or not self._answers or len(self._asked) < most

    @property
    def since(self) -> float | None:
        """When the oldest repaint went that is not known to be shown; None if all are."""
        with self._change:
            return self._asked[0] if self._answers and self._asked else None

    @property
    def gathering(self) -> float:
        """Seconds in which what is to be sent may become more, little beside those to an answer.

        What a key changes often comes in two steps; to a terminal far away the second would have to
        wait until the first is shown.
        """
        return min(self._took / 10, FAR) if self._took >= FAR else 0.0

    def press(self) -> None:
        """Somebody waits for the next repaint."""
        with self._change:
            self._urgent = True

    def send(self) -> str:
        """A repaint goes; gives the question to be sent after it, if there is one."""
        with self._change:
            self._forget()
            self._urgent = False
            if self._ended or (self._asked and not self._answers):
                return ""
            self._asked.append(self._clock())
            return QUESTION

    def answer(self) -> None:
        """The terminal has answered."""
        with self._change:
            self._answers = True
            if self._asked:
                self._took = self._clock() - self._asked.popleft()
            self._change.notify_all()

    def end(self, patience: float) -> None:
        """Ask no more, and wait for the answers that are on their way, up to so many seconds.

        Whoever reads the terminal afterwards would take them for keys.
        """
        with self._change:
            self._ended = True
            self._took = 0.0
            if self._answers:
                self._change.wait_for(lambda: not self._asked, patience)

    def _forget(self) -> None:
        now = self._clock()
        while self._asked and now - self._asked[0] >= PATIENCE:
            self._asked.popleft()
