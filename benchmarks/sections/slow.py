"""Over a slow link: how far behind the newest key the screen is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort
from benchmarks.sections.screens import LIVELY, Place, go, some
from benchmarks.terminals.cost import SIZE, await_training, endless_training
from benchmarks.terminals.latency import HELP, quantiles, to_and_fro
from benchmarks.terminals.link import BYTES_PER_SECOND, HELD_BYTES, WAY_SECONDS, FarTerminal
from benchmarks.terminals.sessions import own_place

FAR_SETTLE_SECONDS = 1.5
"""From a key until all of its effect is seen."""

HELD_KEYS, REPEAT_SECONDS = 15, 1 / 30
"""A key that is held down."""


def slow(effort: Effort) -> Section:
    """Everything about a slow link."""
    rows: list[tuple[Cell, ...]] = []
    with _far_dashboard() as seen:
        for place in some(LIVELY, effort):
            rows.append((place.title, *_row(seen, place, effort)))
    columns = (
        "",
        "sent, KiB/s",
        "presses",
        "p50, ms",
        "p95, ms",
        "repaints on their way before an answer, at most",
        "and while a key is held",
    )
    table = Table("From a key to the changed cell", columns, rows)
    return Section("Over a slow link", [table], [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    f"a relay between the program's pseudo-terminal and its reader carries "
    f"{BYTES_PER_SECOND * 8 / 1000:.0f} kbit/s, and every byte takes {WAY_SECONDS * 1000:.0f} ms "
    f"in each direction: a key cannot be answered in less than {2000 * WAY_SECONDS:.0f} ms",
    f"like sshd, the relay takes {HELD_BYTES // 1024} KiB from the program before the link has "
    "carried them: what is sent too early waits there, where the program does not see it",
    "both runs train at full speed at 120 x 40, with the rates of an SSH connection; the terminal "
    "answers where its cursor is and has synchronized output",
    "repaints are those that have left the program when another one leaves it, and are not on the "
    f"screen yet; held: {HELD_KEYS} presses, {1 / REPEAT_SECONDS:.0f} a second",
)


@contextmanager
def _far_dashboard() -> Iterator[FarTerminal]:
    with tempfile.TemporaryDirectory() as out, own_place():
        seen = FarTerminal(endless_training(out), *SIZE)
        try:
            await_training(Path(out), seen.look)
            yield seen
        finally:
            seen.close()


def _row(seen: FarTerminal, place: Place, effort: Effort) -> tuple[Cell, ...]:
    window, presses = (1.0, 1) if effort.quick else (5.0, 6)
    go(seen, place)
    if place.begin:
        seen.press(place.begin)
    sent = seen.drain(window) / window / 1024
    seen.most_on_way = 0
    there, back = to_and_fro(seen, place.gesture, presses, settle=FAR_SETTLE_SECONDS)
    most, seen.most_on_way = seen.most_on_way, 0
    _hold(seen, place)
    times = there if place.gesture is HELP else there + back
    return sent, *quantiles(times), most, seen.most_on_way


def _hold(seen: FarTerminal, place: Place) -> None:
    for key in (place.gesture.key, place.gesture.back):
        for _ in range(HELD_KEYS):
            seen.press(key)
            seen.look(REPEAT_SECONDS)
        seen.look(FAR_SETTLE_SECONDS)
