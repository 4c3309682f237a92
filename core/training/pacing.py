"""The length of a chunk of training, the pace to keep, and the measured rate."""

import time

CHUNK_SECONDS = 0.03
"""Target duration of a chunk: a command waits no longer."""

RATE_SECONDS = 1.0
"""Time over which the displayed rate is averaged."""


class Pacing:
    """Times one run's training; ``pace`` is in iterations per second, None for full speed."""

    def __init__(self, pace: float | None, elapsed: float) -> None:
        self.pace = pace
        self.elapsed = elapsed
        """Seconds of training, without pauses."""
        self.rate = 0.0
        """Iterations per second, smoothed."""
        self._chunk = 1
        self._mark = 0.0
        self._due = 0.0

    @property
    def chunk(self) -> int:
        """Iterations that take about ``CHUNK_SECONDS``, or as many as the pace has in them."""
        return (
            min(self._chunk, max(1, int(self.pace * CHUNK_SECONDS))) if self.pace else self._chunk
        )

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
        self._chunk = max(1, int(min(n * CHUNK_SECONDS / spent, 2 * self._chunk)))
        self._due = began + n / self.pace if self.pace else 0.0

    def measure(self, n: int) -> None:
        """Add the time since the last measurement, in which ``n`` iterations were trained."""
        now = time.monotonic()
        passed = max(now - self._mark, 1e-6)
        self._mark = now
        self.elapsed += passed
        weight = min(1.0, passed / RATE_SECONDS) if self.rate else 1.0
        self.rate += (n / passed - self.rate) * weight
