"""The length of a chunk of training, the pace to keep, and the measured rate."""

import time

CHUNK_SECONDS = 0.03
"""Target duration of a chunk: a command waits no longer."""

FASTEST_GROWTH = 8
"""Largest ratio of a chunk to the one before: one iteration says little of a thousand."""

RATE_SECONDS = 1.0
"""Time over which the displayed rate is averaged."""


class Pacing:
    """Times one run's training; ``pace`` is in iterations per second, None for full speed.

    A chunk takes about ``chunk_seconds``, by default ``CHUNK_SECONDS``.
    """

    def __init__(
        self, pace: float | None, elapsed: float, chunk_seconds: float | None = None
    ) -> None:
        self.pace = pace
        self.elapsed = elapsed
        """Seconds of training, without pauses."""
        self.rate = 0.0
        """Iterations per second, smoothed."""
        self._chunk_seconds = chunk_seconds or CHUNK_SECONDS
        self._chunk = 1
        self._mark = 0.0
        self._due = 0.0

    @property
    def chunk(self) -> int:
        """Iterations of the next chunk: not more than the pace has in that time."""
        if self.pace:
            return min(self._chunk, max(1, int(self.pace * self._chunk_seconds)))
        return self._chunk

    def start(self) -> None:
        """Start the clock, at the beginning of training and after a pause."""
        self._mark, self._due = time.monotonic(), 0.0

    def set_pace(self, pace: float | None) -> None:
        """Change the pace."""
        self.pace, self._due = pace, 0.0

    def seconds_to_wait(self) -> float:
        """Return the seconds until the pace allows the next chunk."""
        return max(0.0, self._due - time.monotonic())

    def finish_chunk(self, n: int, began: float) -> None:
        """Adapt the length of a chunk to one of ``n`` iterations that began at ``began``."""
        spent = max(time.monotonic() - began, 1e-6)
        wanted = n * self._chunk_seconds / spent
        self._chunk = max(1, int(min(wanted, FASTEST_GROWTH * self._chunk)))
        self._due = began + n / self.pace if self.pace else 0.0

    def measure(self, n: int) -> None:
        """Add the time since the last measurement, in which ``n`` iterations were trained."""
        now = time.monotonic()
        passed = max(now - self._mark, 1e-6)
        self._mark = now
        self.elapsed += passed
        weight = min(1.0, passed / RATE_SECONDS) if self.rate else 1.0
        self.rate += (n / passed - self.rate) * weight
