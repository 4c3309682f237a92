"""Every screen: what it sends, how fast it answers, and what it costs the training."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.attached import Training, detached_training, face
from benchmarks.cost import SIZE, await_training, dashboard, rate_now
from benchmarks.engines import default_engine
from benchmarks.latency import HELP, Gesture, quantiles, to_and_fro
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, ratios
from benchmarks.terminal import Terminal
from benchmarks.watching import SMALL

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
    Place("Time machine", (b"t",), Gesture(", and .", b",", b".")),
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
    there, back = to_and_fro(seen, place.gesture, 2 if effort.quick else 10)
    return quantiles(there if place.gesture is HELP else there + back)


def _attached(effort: Effort, sent: dict[str, list[Cell]]) -> Table:
    """The cost of every screen; what it sends is added to ``sent``."""
    window, rounds = (1.0, 1) if effort.quick else (4.0, 5)
    alone, watched, traffic = (
        {place.title: list[float]() for place in some(LIVELY, effort)} for _ in range(3)
    )
    with detached_training() as training:
        for _ in range(rounds):
            for place in some(LIVELY, effort):
                alone[place.title].append(rate_now(training.out, window, time.sleep))
                speed, rate = _watched(training, place, window)
                watched[place.title].append(speed)
                traffic[place.title].append(rate)
    rows: list[tuple[Cell, ...]] = []
    for name, speeds in watched.items():
        rows.append((name, Spread.of(speeds), ratios(speeds, alone[name])))
    for name, cells in sent.items():
        cells.append(Spread.of(traffic[name]) if name in traffic else None)
    return Table("Training with a screen open", ("", "iterations/s", "of nobody watching"), rows)


def _watched(training: Training, place: Place, window: float) -> tuple[float, float]:
    """Iterations per second, and KiB per second that are sent."""
    with face(training) as seen:
        go(seen, place)
        if place.begin:
            seen.press(place.begin)
        sent = list[int]()
        speed = rate_now(training.out, window, lambda span: sent.append(seen.drain(span)))
        return speed, sent[0] / window / 1024
