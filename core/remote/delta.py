"""What all subscribers are told, put together once: what changed, and what is worth its bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from core.events import AnyEvent, Curve, Evaluated, Progress, Snapshot
from core.remote.protocol import CurveTail, SnapshotChange, Update, pack_events

DRAWN_SECONDS = 2.0
"""In this time one periodic evaluation of a run is told in full: a screen draws no more of them."""

CURVE_SECONDS = 1.0
"""How often the end of a loss curve is told; when a run enters another state it is told at once."""

STORY_EVENTS = 1_000
"""Events of a story that are told in one message."""

MOST_CHOSEN = 1_000
"""Evaluations that are remembered as chosen, until the last run has made them."""


class DeltaEncoder:
    """Remembers what was told last."""

    def __init__(self) -> None:
        self._runs: tuple[str, ...] = ()
        self._folders: tuple[str, ...] = ()
        self._subscribers = 0
        self._told: dict[str, SnapshotChange] = {}
        self._curves: dict[str, Curve] = {}
        self._curves_at = 0.0
        self._chosen: dict[int, None] = {}
        self._drawn_at: dict[str, float] = {}

    def encode_events(
        self, events: Sequence[AnyEvent], snapshots: Mapping[str, Snapshot]
    ) -> Update | None:
        """``events`` as a screen needs them; None if it needs none."""
        told = [event for event in events if not isinstance(event, Progress)]
        if not told:
            return None
        whole, rows = pack_events(told, lambda one: self._is_chosen(one, snapshots.get(one.run)))
        return Update(events=whole, rows=rows)

    def diff(
        self, snapshots: Mapping[str, Snapshot], folders: Sequence[str], subscribers: int
    ) -> Update | None:
        """What has changed since the last call; None if nothing has."""
        now = time.monotonic()
        curves = now - self._curves_at >= CURVE_SECONDS
        self._curves_at = now if curves else self._curves_at
        changes = [
            change
            for one in snapshots.values()
            if (change := self._change(one, curve=curves or self._is_in_new_state(one)))
        ]
        runs = tuple(snapshots)
        others = runs != self._runs or tuple(folders) != self._folders
        count = subscribers if subscribers != self._subscribers else 0
        if not (changes or others or count):
            return None
        self._runs, self._folders, self._subscribers = runs, tuple(folders), subscribers
        self._told = {run: one for run, one in self._told.items() if run in snapshots}
        self._curves = {run: one for run, one in self._curves.items() if run in snapshots}
        return Update(
            changes=tuple(changes),
            runs=runs if others else (),
            folders=self._folders if others else (),
            subscribers=count,
        )

    def _is_in_new_state(self, snapshot: Snapshot) -> bool:
        before = self._told.get(snapshot.run)
        return before is None or before.fields["state"] != snapshot.state

    def _change(self, snapshot: Snapshot, *, curve: bool) -> SnapshotChange | None:
        run = snapshot.run
        whole = snapshot_fields(snapshot)
        before = self._told[run].fields if run in self._told else {}
        fields = {
            name: value
            for name, value in whole.fields.items()
            if name not in before or before[name] != value
        }
        tail = _tail(self._curves.get(run, Curve()), snapshot.curve) if curve else None
        self._told[run] = whole
        if curve:
            self._curves[run] = snapshot.curve
        return SnapshotChange(run, fields, tail) if fields or tail else None

    def _is_chosen(self, one: Evaluated, stands: Snapshot | None) -> bool:
        """The last, one in two seconds of each run, and all on tasks that others were drawn on."""
        if not one.is_drawable:
            return False
        if stands and one.iteration >= stands.target:
            return True
        now = time.monotonic()
        if one.index not in self._chosen:
            if now - self._drawn_at.get(one.run, -DRAWN_SECONDS) < DRAWN_SECONDS:
                return False
            self._chosen[one.index] = None
            if len(self._chosen) > MOST_CHOSEN:
                del self._chosen[next(iter(self._chosen))]
        self._drawn_at[one.run] = now
        return True


def full(snapshots: Mapping[str, Snapshot], folders: Sequence[str], subscribers: int) -> Update:
    """How all stands, for one who knows nothing of it."""
    return Update(
        changes=tuple(
            SnapshotChange(one.run, snapshot_fields(one).fields, _tail(Curve(), one.curve))
            for one in snapshots.values()
        ),
        runs=tuple(snapshots),
        folders=tuple(folders),
        subscribers=subscribers,
    )


def encode_backlog(events: Sequence[AnyEvent], *, past: bool) -> Iterator[Update]:
    """``events`` for one who comes late, in parts; those that can be drawn are told in full."""
    for first in range(0, len(events), STORY_EVENTS):
        whole, rows = pack_events(events[first : first + STORY_EVENTS], lambda one: one.is_drawable)
        yield Update(events=whole, rows=rows, past=past)


def snapshot_fields(snapshot: Snapshot) -> SnapshotChange:
    """All of ``snapshot`` but its curve, and theta, which no face shows."""
    fields = msgspec.structs.asdict(snapshot)
    del fields["curve"], fields["theta"]
    return SnapshotChange(snapshot.run, fields)


def _tail(before: Curve, after: Curve) -> CurveTail | None:
    """What must be told to make ``before`` into ``after``; None for nothing."""
    start = len(before.iterations)
    if after.iterations[:start] != before.iterations:
        start = 0  # neighbours were merged
    if start == len(after.iterations):
        return None
    return CurveTail(start, after.iterations[start:], after.losses[start:])
