"""What has happened, kept in bounded memory for those who come later."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Sequence

from core.events import AnyEvent, Evaluated, Progress

KEPT_EVENTS = 2_000
"""Events that stay though they were read; all of them are in the log of their run."""

KEPT_EVALUATIONS = 2_000
"""Periodic evaluations of one run that a story tells of."""

DRAWN_EVALUATIONS = 50
"""The newest of them, and of those that were asked for, told in full."""


class EventBuffer:
    """Numbered events, of which the oldest are forgotten once every reader has read them."""

    def __init__(self) -> None:
        self._kept: list[AnyEvent] = []
        self._forgotten = 0
        self._readers: dict[str, int] = {}

    @property
    def end(self) -> int:
        """The number that the next event will have."""
        return self._forgotten + len(self._kept)

    def append(self, event: AnyEvent) -> None:
        self._kept.append(event)

    def since(self, number: int, reader: str) -> Sequence[AnyEvent]:
        """Events from ``number`` on; ``reader`` will not ask for those long before it again."""
        self._readers[reader] = max(number, self._readers.get(reader, 0))
        superfluous = min(self._readers.values()) - KEPT_EVENTS - self._forgotten
        # In large pieces, as every piece moves all that stays.
        if superfluous > KEPT_EVENTS:
            del self._kept[:superfluous]
            self._forgotten += superfluous
        return self._kept[max(number - self._forgotten, 0) :]


class EventBacklog:
    """What a face must be told that comes late, to show what it would have shown all along.

    Losses of training are in the curve of a snapshot and not told again. Older evaluations are told
    abridged.
    """

    def __init__(self, events: Iterable[AnyEvent] = ()) -> None:
        self._others: deque[tuple[int, AnyEvent]] = deque(maxlen=KEPT_EVENTS)
        self._asked: deque[tuple[int, AnyEvent]] = deque(maxlen=KEPT_EVENTS)
        self._evaluations: dict[str, deque[tuple[int, AnyEvent]]] = {}
        self._number = 0
        for event in events:
            self.add(event)

    def add(self, event: AnyEvent) -> None:
        """``event`` has happened."""
        self._number += 1
        if isinstance(event, Progress):
            return
        if not isinstance(event, Evaluated):
            self._others.append((self._number, event))
            return
        told = self._asked
        if event.probe == "validation":
            told = self._evaluations.setdefault(event.run, deque(maxlen=KEPT_EVALUATIONS))
        told.append((self._number, event))
        if len(told) > DRAWN_EVALUATIONS:
            number, old = told[-1 - DRAWN_EVALUATIONS]
            if isinstance(old, Evaluated):
                told[-1 - DRAWN_EVALUATIONS] = number, old.abridged()

    def keep(self, runs: Collection[str]) -> None:
        """The runs are ``runs`` now; evaluations of others are no longer told."""
        for run in self._evaluations.keys() - set(runs):
            del self._evaluations[run]

    def told(self) -> list[AnyEvent]:
        """The story so far, in order."""
        parts = [self._others, self._asked, *self._evaluations.values()]
        return [event for _, event in heapq.merge(*parts, key=lambda numbered: numbered[0])]
