"""The state of a run according to the end of its log, read backwards as far as necessary."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from core.storage.event_log_reader import LogLine, Rollbacks

FinalState = Literal["finished", "stopped", "diverged", "failed", "interrupted"]

_ENDS: dict[str, FinalState] = {
    "finished": "finished",
    "stopped": "stopped",
    "diverged": "diverged",
    "failed": "failed",
}
_BEGINNINGS = ("started", "extended", "resumed")


@dataclass
class LogSummary:
    """The state of a run according to the lines added so far; None for what they do not reveal.

    ``best`` is the lowest loss of a periodic evaluation and its iteration, ``time`` in seconds
    since the epoch.
    """

    iteration: int | None = None
    time: float | None = None
    state: FinalState | None = None
    target: int | None = None
    best: tuple[float, int] | None = None
    _rollbacks: Rollbacks = field(default_factory=Rollbacks)

    def add(self, line: LogLine) -> None:
        """Add the line that precedes those added so far."""
        if self.time is None:
            self.time = line.time if math.isfinite(line.time) else None
        if self._rollbacks.discards(line.iteration):
            return
        if self.iteration is None:
            self.iteration = line.iteration
        if line.is_rollback:
            self._rollbacks.add(line.iteration)
        if self.target is None:
            self.target = line.target
        if self.state is None and (line.event in _ENDS or line.event in _BEGINNINGS):
            self.state = _ENDS.get(line.event, "interrupted")
        if line.probe == "validation" and line.losses:
            loss = line.losses[-1]
            # Of two equal losses the earlier one is the best, and it is added later.
            if loss is not None and (self.best is None or loss <= self.best[0]):
                self.best = (loss, line.iteration)
