"""Events in bounded memory: numbered for their readers, and condensed for late joiners."""

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Sequence

from core.events import AnyEvent, Evaluated, Progress, Saved, Validated

KEPT_EVENTS = 2_000
"""Events kept although all readers have read them, and of each kind in a backlog; the log of their
run has all of them."""

DRAWN_EVALUATIONS = 50
"""The newest evaluations, kept in full so that they can be drawn; older ones are abridged."""


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
        """Add the next event."""
        self._kept.append(event)

    def since(self, number: int, reader: str) -> Sequence[AnyEvent]:
        """Return the events from ``number`` on; ``reader`` never asks for much older ones again."""
        self._readers[reader] = max(number, self._readers.get(reader, 0))
        superfluous = min(self._readers.values()) - KEPT_EVENTS - self._forgotten
        # In large pieces, as every piece moves all that stays.
        if superfluous > KEPT_EVENTS:
            del self._kept[:superfluous]
            self._forgotten += superfluous
        return self._kept[max(number - self._forgotten, 0) :]


class EventBacklog:
    """The events that a late joiner needs to show what it would have shown all along.

    Training losses are left out, as they are in the curve of a snapshot; older evaluations are
    abridged.
    """

    def __init__(self, events: Iterable[AnyEvent] = ()) -> None:
        self._others: deque[tuple[int, AnyEvent]] = deque(maxlen=KEPT_EVENTS)
        self._requested: deque[tuple[int, Evaluated]] = deque(maxlen=KEPT_EVENTS)
        self._periodic: dict[str, deque[tuple[int, Evaluated]]] = {}
        self._validated: dict[str, deque[tuple[int, Validated]]] = {}
        self._number = 0
        for event in events:
            self.add(event)

    def add(self, event: AnyEvent) -> None:
        """Add the next event."""
        self._number += 1
        if isinstance(event, Progress):
            return
        if isinstance(event, Validated):
            self._validated.setdefault(event.run, deque(maxlen=KEPT_EVENTS)).append(
                (self._number, event)
            )
            return
        if not isinstance(event, Evaluated):
            if not (isinstance(event, Saved) and event.kind == "history"):
                self._others.append((self._number, event))
            return
        kept = self._requested
        if event.probe == "validation":
            kept = self._periodic.setdefault(event.run, deque(maxlen=KEPT_EVENTS))
        kept.append((self._number, event))
        if len(kept) > DRAWN_EVALUATIONS:
            number, old = kept[-1 - DRAWN_EVALUATIONS]
            kept[-1 - DRAWN_EVALUATIONS] = number, old.abridged()

    def drop_all_but(self, runs: Collection[str]) -> None:
        """Forget the periodic evaluations and validations of runs that are not among ``runs``."""
        for kept in (self._periodic, self._validated):
            for run in kept.keys() - set(runs):
                del kept[run]

    def events(self) -> list[AnyEvent]:
        """Return the condensed events in order."""
        parts: list[Iterable[tuple[int, AnyEvent]]] = [
            self._others,
            self._requested,
            *self._periodic.values(),
            *self._validated.values(),
        ]
        return [event for _, event in heapq.merge(*parts, key=lambda numbered: numbered[0])]
