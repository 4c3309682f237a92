"""What the end of a log tells of a run, read backwards and only as far as it must be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from core.events import Iteration
from core.storage.log_lines import lines_from_end

FinalState = Literal["finished", "stopped", "diverged", "failed", "interrupted"]

MOST_READ = 16 * 2**20
"""Bytes of a log that are looked through at most; one block of them is the usual."""

_ENDS: dict[str, FinalState] = {
    "finished": "finished",
    "stopped": "stopped",
    "diverged": "diverged",
    "failed": "failed",
}
_BEGINNINGS = ("started", "extended", "resumed")


class LogLine(msgspec.Struct, frozen=True):
    """What a list of runs needs of any event."""

    event: str
    iteration: Iteration
    time: float
    target: Iteration | None = None
    probe: str = ""
    losses: tuple[float | None, ...] = ()


@dataclass
class LogSummary:
    """What the lines given so far tell; None is what they do not.

    ``best`` is the lowest loss of a periodic evaluation and its iteration, ``time`` in seconds
    since the epoch.
    """

    iteration: int | None = None
    time: float | None = None
    state: FinalState | None = None
    target: int | None = None
    best: tuple[float, int] | None = None
    _replaced_after: float = field(default=math.inf)

    def add(self, line: LogLine) -> None:
        """Take up the line before those so far."""
        if self.time is None:
            self.time = line.time if math.isfinite(line.time) else None
        if line.iteration > self._replaced_after:
            return
        if self.iteration is None:
            self.iteration = line.iteration
        if line.event == "rewound":
            self._replaced_after = line.iteration
        if self.target is None:
            self.target = line.target
        if self.state is None and (line.event in _ENDS or line.event in _BEGINNINGS):
            self.state = _ENDS.get(line.event, "interrupted")
        if line.probe == "validation" and line.losses:
            loss = line.losses[-1]
            # Of two equal ones the first was the best: the one read later.
            if loss is not None and (self.best is None or loss <= self.best[0]):
                self.best = (loss, line.iteration)


def lines_from_newest(log: Path) -> Iterator[LogLine]:
    """The lines of ``log`` that can be read, the last one first; raises ``OSError``."""
    decoder = msgspec.json.Decoder(LogLine)
    for text in lines_from_end(log, MOST_READ):
        try:
            yield decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
