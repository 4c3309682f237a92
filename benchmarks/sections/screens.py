"""Every screen: what it sends, how fast it answers, and what it costs the training."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, ratios
from benchmarks.sections.attached import Training, detached_training, face
from benchmarks.sections.watching import SMALL
from benchmarks.terminals.cost import SIZE, await_training, dashboard, rate_now
from benchmarks.terminals.latency import HELP, Gesture, quantiles, to_and_fro
from benchmarks.terminals.processors import beside_training
from benchmarks.terminals.terminal import Terminal

SIZES = (SIZE, SMALL)
OPEN_SECONDS = 2.0
"""From the key that opens a screen until all of it has come."""

TYPING_SECONDS = 0.2
"""Between two of several keys."""

WATCH = b"w"


@dataclass(frozen=True)
class Place:
    """A screen: the ``keys`` that open it from the watch screen, and one that it answers to.

    ``begin`` is pressed at the beginning of every window.
    """

    title: str
    keys: tuple[bytes, ...]
    gesture: Gesture
    begin: bytes = b""


PLACES = (
    Place("Watch", (WATCH,), Gesture("tab", b"\t", b"\x1b[Z")),
    Place("Lab, following θ", (b"a",), Gesture(", and .", b",", b".")),
    Place("Geometry, following once a second", (b"v", b" "), HELP),
    Place("Battery, at rest", (b"b",), Gesture("> and <", b">", b"<")),
    Place("Battery, surveying 10,000 tasks", (b"b", *[b">"] * 9), HELP, b"\r"),
    Place("Time machine", (b"t",), Gesture("j and k", b"j", b"k")),
    Place("Runs", (b"f",), Gesture("s and S", b"s", b"S")),
    Place("Messages", (b"m",), HELP),
)
LIVELY = tuple(place for place in PLACES if place.title not in ("Battery, at rest", "Messages"))
"""Those on which something happens while nobody presses a key, and the list of runs."""


def screens(effort: Effort) -> Section:
    """Everything about every screen."""
    places = some(PLACES, effort)
    sent: dict[str, list[Cell]] = {place.title: [] for place in places}
    answers: list[tuple[Cell, ...]] = []
    for size in SIZES:
        with dashboard(*size) as (seen, out):
            await_training(out, seen.look)
            for place in places:
                sent[place.title].append(_sent(seen, place, effort))
                if size == SIZE:
                    answers.append((place.title, *_answers(seen, place, effort)))
    costs = _attached(effort, sent)
    columns = ("", *(f"{width} x {height}" for width, height in SIZES), "attached, 120 x 40")
    tables = [
        Table("Sent to the terminal, KiB/s", columns, [(name, *row) for name, row in sent.items()]),
        Table("From a key to the changed cell", ("", "presses", "p50, ms", "p95, ms"), answers),
        costs,
    ]
    return Section("The screens", tables, [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    "both runs train at full speed in a real pseudo-terminal, which answers where its cursor is "
    "and has synchronized output, as most do",
    "sent: in a window after the screen has come, with its keys at rest; a survey begins with the "
    "window, and its end lies in it or not",
    "attached: by `tui-meta attach` to a session that nobody else watches; the cost is that of "
    "this face, in turns with windows in which there is none",
    "taken: processor time of that face and, but for the threads that train, of the session; other "
    "work on the machine disturbs it less than the iterations",
)


def some(places: Sequence[Place], effort: Effort) -> Sequence[Place]:
    """All of them; a few for a smoke run."""
    return places[:2] if effort.quick else places


def go(seen: Terminal, place: Place) -> None:
    """Open the screen, wherever one is, and wait until it has come."""
    for key in (WATCH, *place.keys):
        seen.press(key)
        seen.look(TYPING_SECONDS)
    seen.look(OPEN_SECONDS)


def _sent(seen: Terminal, place: Place, effort: Effort) -> float:
    """KiB/s."""
    window = 1.0 if effort.quick else 5.0
    go(seen, place)
    if place.begin:
        seen.press(place.begin)
    return seen.drain(window) / window / 1024


def _answers(seen: Terminal, place: Place, effort: Effort) -> tuple[Cell, Cell, Cell]:
    """Of both keys, but for escape: a terminal application waits whether more of it comes."""
    if place.begin:
        seen.press(place.begin)
    there, back = to_and_fro(seen, place.gesture, 2 if effort.quick else 30)
    return quantiles(there if place.gesture is HELP else there + back)


@dataclass(frozen=True)
class Window:
    """What was measured while a face showed a screen: iterations per second with it and before it,
    KiB per second sent, and the share of the cores that is not left to training.
    """

    speed: float
    alone: float
    sent: float
    taken: float


def _attached(effort: Effort, sent: dict[str, list[Cell]]) -> Table:
    """The cost of every screen; what it sends is added to ``sent``."""
    seconds, rounds = (1.0, 1) if effort.quick else (4.0, 5)
    places = some(LIVELY, effort)
    found: dict[str, list[Window]] = {place.title: [] for place in places}
    with detached_training() as training:
        for _ in range(rounds):
            for place in places:
                found[place.title].append(_watched(training, place, seconds))
    for name, cells in sent.items():
        windows = found.get(name)
        cells.append(Spread.of([one.sent for one in windows]) if windows else None)
    columns = ("", "iterations/s", "of nobody watching", "taken, % of the cores")
    rows = [(name, *_cost(windows)) for name, windows in found.items()]
    return Table("Training with a screen open", columns, rows)


def _cost(windows: Sequence[Window]) -> tuple[Cell, Cell, Cell]:
    speeds = [one.speed for one in windows]
    return (
        Spread.of(speeds),
        ratios(speeds, [one.alone for one in windows]),
        Spread.of([100 * one.taken for one in windows]),
    )


def _watched(training: Training, place: Place, seconds: float) -> Window:
    alone = rate_now(training.out, seconds, time.sleep)
    with face(training) as seen:
        go(seen, place)
        if place.begin:
            seen.press(place.begin)
        sent = list[int]()
        processes = (seen.pid, training.entry.pid)
        before = beside_training(processes)
        speed = rate_now(training.out, seconds, lambda span: sent.append(seen.drain(span)))
        taken = beside_training(processes) - before
    cores = len(os.sched_getaffinity(0))
    return Window(speed, alone, sent[0] / seconds / 1024, taken / seconds / cores)
