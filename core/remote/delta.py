"""Updates for subscribers, encoded once for all of them, and their decoding by a client.

Most of a snapshot does not change between two updates, and most evaluations are shown only as a
table row, so only changed fields, new points of curves and abridged evaluations are sent.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from core.events import AnyEvent, Curve, Evaluated, Progress, Snapshot
from core.remote.protocol import (
    NOT_A_MESSAGE,
    CurveTail,
    RemoteError,
    SnapshotChange,
    Update,
    one_line,
    to_row,
)

DRAWN_SECONDS = 2.0
"""In this time one periodic evaluation of a run is sent in full: a dashboard draws no more."""

CURVE_SECONDS = 1.0
"""Seconds between two updates of a loss curve; a run that changes its state sends it at once."""

BACKLOG_EVENTS = 1_000
"""Events of a backlog in one message."""

MOST_CHOSEN = 1_000
"""Tasks remembered as drawn in full, so that slower runs send the same ones in full."""


class DeltaEncoder:
    """Encodes what has changed since the previous call."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, most_chosen: int = MOST_CHOSEN
    ) -> None:
        self._clock = clock
        self._most_chosen = most_chosen
        self._runs: tuple[str, ...] = ()
        self._folders: tuple[str, ...] = ()
        self._subscribers = 0
        self._sent: dict[str, Snapshot] = {}
        self._curves_at = -CURVE_SECONDS
        self._chosen: dict[int, None] = {}
        self._drawn_at: dict[str, float] = {}

    def encode_events(
        self, events: Sequence[AnyEvent], snapshots: Mapping[str, Snapshot]
    ) -> Update | None:
        """Encode ``events`` for a dashboard; None if it needs none of them."""
        shown = tuple(
            to_row(self._abridged(event, snapshots.get(event.run)))
            for event in events
            if not isinstance(event, Progress)
        )
        return Update(events=shown) if shown else None

    def diff(
        self, snapshots: Mapping[str, Snapshot], folders: Sequence[str], subscribers: int
    ) -> Update | None:
        """Encode what has changed since the previous call; None if nothing has."""
        now = self._clock()
        curves = now - self._curves_at >= CURVE_SECONDS
        self._curves_at = now if curves else self._curves_at
        changes = [
            change for one in snapshots.values() if (change := self._change(one, curves=curves))
        ]
        runs = tuple(snapshots)
        are_new = runs != self._runs or tuple(folders) != self._folders
        count = subscribers if subscribers != self._subscribers else 0
        if not (changes or are_new or count):
            return None
        self._runs, self._folders, self._subscribers = runs, tuple(folders), subscribers
        self._sent = {run: one for run, one in self._sent.items() if run in snapshots}
        return Update(
            changes=tuple(changes),
            runs=runs if are_new else (),
            folders=self._folders if are_new else (),
            subscribers=count,
        )

    def _change(self, snapshot: Snapshot, *, curves: bool) -> SnapshotChange | None:
        run = snapshot.run
        before = self._sent.get(run)
        known = fields_of(before) if before else {}
        fields = {
            name: value
            for name, value in fields_of(snapshot).items()
            if name not in known or known[name] != value
        }
        is_old = before is not None and before.state == snapshot.state and not curves
        curve = before.curve if before and is_old else snapshot.curve
        tail = _tail(before.curve if before else Curve(), curve)
        self._sent[run] = msgspec.structs.replace(snapshot, curve=curve, theta=None)
        return SnapshotChange(run, fields, tail) if fields or tail else None

    def _abridged(self, event: AnyEvent, snapshot: Snapshot | None) -> AnyEvent:
        """Abridge ``event`` if it is a periodic evaluation that is not shown."""
        if not isinstance(event, Evaluated) or event.probe != "validation":
            return event
        return event if self._is_chosen(event, snapshot) else event.abridged()

    def _is_chosen(self, one: Evaluated, snapshot: Snapshot | None) -> bool:
        """Choose the last, one in two seconds of each run, and tasks chosen for another run."""
        if one.is_abridged:
            return False
        if snapshot and one.iteration >= snapshot.target:
            return True
        now = self._clock()
        if one.index not in self._chosen:
            if now - self._drawn_at.get(one.run, -DRAWN_SECONDS) < DRAWN_SECONDS:
                return False
            self._chosen[one.index] = None
            if len(self._chosen) > self._most_chosen:
                del self._chosen[next(iter(self._chosen))]
        self._drawn_at[one.run] = now
        return True


def full(snapshots: Mapping[str, Snapshot], folders: Sequence[str], subscribers: int) -> Update:
    """Encode all snapshots for a client that has none yet."""
    return DeltaEncoder().diff(snapshots, folders, subscribers) or Update()


def encode_backlog(
    events: Sequence[AnyEvent], *, past: bool, length: int = BACKLOG_EVENTS
) -> Iterator[Update]:
    """Encode ``events`` for a late joiner, ``length`` at a time."""
    for first in range(0, len(events), length):
        yield Update(events=tuple(map(to_row, events[first : first + length])), past=past)


def fields_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return all fields of ``snapshot`` but its curve, and theta, which no client shows."""
    fields = msgspec.structs.asdict(snapshot)
    del fields["curve"], fields["theta"]
    return fields


def apply_change(before: Snapshot | None, change: SnapshotChange) -> Snapshot:
    """Return the snapshot after ``change``; raises ``RemoteError`` if it is not a snapshot."""
    fields = msgspec.structs.asdict(before) if before else {}
    curve, tail = before.curve if before else Curve(), change.curve
    if tail:
        if len(tail.iterations) != len(tail.losses):
            raise RemoteError("invalid snapshot: a curve has more iterations or more losses")
        curve = Curve(
            curve.iterations[: tail.start] + tail.iterations,
            curve.losses[: tail.start] + tail.losses,
        )
    plain = {**fields, **change.fields, "run": change.run, "curve": {}, "theta": None}
    try:
        snapshot = msgspec.convert(plain, Snapshot)
    except NOT_A_MESSAGE as error:
        raise RemoteError(f"invalid snapshot: {one_line(error)}") from error
    return msgspec.structs.replace(snapshot, curve=curve)


def _tail(before: Curve, after: Curve) -> CurveTail | None:
    """Return the points that turn ``before`` into ``after``; None if they are equal."""
    start = len(before.iterations)
    if after.iterations[:start] != before.iterations:
        start = 0  # neighbours were merged
    if start == len(after.iterations):
        return None
    return CurveTail(start, after.iterations[start:], after.losses[start:])
