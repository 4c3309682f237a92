"""Every screen: its traffic, its latency, and its cost for training."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort, Spread, ratios
from benchmarks.sections.attached import Training, attached_dashboard, detached_training
from benchmarks.sections.watching import SMALL
from benchmarks.terminals.cost import SIZE, await_training, dashboard, rate_now
from benchmarks.terminals.latency import HELP, KeyPair, measure_presses, quantiles
from benchmarks.terminals.processors import non_training_seconds
from benchmarks.terminals.terminal import Terminal

SIZES = (SIZE, SMALL)
OPEN_SECONDS = 2.0
"""From the key that opens a screen until it is complete."""

TYPING_SECONDS = 0.2
"""Between two keys of a sequence."""

WATCH = b"w"


@dataclass(frozen=True)
class MeasuredScreen:
    """A screen: the ``keys`` that open it from the watch screen, and a pair of keys to measure.

    ``begin`` is pressed at the beginning of every window.
    """

    title: str
    keys: tuple[bytes, ...]
    pair: KeyPair
    begin: bytes = b""


SCREENS = (
    MeasuredScreen("Watch", (WATCH,), KeyPair("tab", b"\t", b"\x1b[Z")),
    MeasuredScreen("Lab, following θ", (b"a",), KeyPair(", and .", b",", b".")),
    MeasuredScreen("Geometry, following once a second", (b"v", b"z"), HELP),
    MeasuredScreen("Battery, at rest", (b"b",), KeyPair("+ and -", b"+", b"-")),
    MeasuredScreen("Battery, running 10,000 tasks", (b"b", *[b"+"] * 9), HELP, b"e"),
    MeasuredScreen("Time machine", (b"t",), KeyPair("j and k", b"j", b"k")),
    MeasuredScreen("Runs", (b"f",), KeyPair("O and ctrl+o", b"O", b"\x0f")),
    MeasuredScreen("Messages", (b"m",), HELP),
)
ACTIVE_SCREENS = tuple(
    screen for screen in SCREENS if screen.title not in ("Battery, at rest", "Messages")
)
"""Screens that change without a key, and the list of runs."""


def screens(effort: Effort) -> Section:
    """Measure every screen."""
    chosen = selected(SCREENS, effort)
    sent: dict[str, list[Cell]] = {screen.title: [] for screen in chosen}
    latencies: list[tuple[Cell, ...]] = []
    for size in SIZES:
        with dashboard(*size) as (terminal, out):
            await_training(out, terminal.read_for)
            for screen in chosen:
                sent[screen.title].append(_sent(terminal, screen, effort))
                if size == SIZE:
                    latencies.append((screen.title, *_latency(terminal, screen, effort)))
    costs = _attached(effort, sent)
    columns = ("", *(f"{width} x {height}" for width, height in SIZES), "attached, 120 x 40")
    tables = [
        Table("Sent to the terminal, KiB/s", columns, [(name, *row) for name, row in sent.items()]),
        Table("From a key to the changed cell", ("", "presses", "p50, ms", "p95, ms"), latencies),
        costs,
    ]
    return Section("The screens", tables, [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    "both runs train at full speed in a real pseudo-terminal, which reports its cursor position "
    "and supports synchronized output, as most do",
    "sent: in a window after the screen is complete, without any key; a battery starts with the "
    "window and may end within it",
    "attached: by `tui-meta attach` to a session without other clients; windows with and without "
    "this client alternate",
    "used: processor time of this client and of the session without its training threads; other "
    "load on the machine disturbs it less than the iterations",
)


def selected(chosen: Sequence[MeasuredScreen], effort: Effort) -> Sequence[MeasuredScreen]:
    """Return all of them, or a few for a smoke run."""
    return chosen[:2] if effort.quick else chosen


def open_screen(terminal: Terminal, screen: MeasuredScreen) -> None:
    """Open the screen from any other one, and wait until it is complete."""
    for key in (WATCH, *screen.keys):
        terminal.press(key)
        terminal.read_for(TYPING_SECONDS)
    terminal.read_for(OPEN_SECONDS)


def _sent(terminal: Terminal, screen: MeasuredScreen, effort: Effort) -> float:
    """Return the KiB/s that the screen sends."""
    window = 1.0 if effort.quick else 5.0
    open_screen(terminal, screen)
    if screen.begin:
        terminal.press(screen.begin)
    return terminal.drain(window) / window / 1024


def _latency(terminal: Terminal, screen: MeasuredScreen, effort: Effort) -> tuple[Cell, Cell, Cell]:
    """Measure both keys, except escape: after it an application waits for more of a sequence."""
    if screen.begin:
        terminal.press(screen.begin)
    forward, back = measure_presses(terminal, screen.pair, 2 if effort.quick else 30)
    return quantiles(forward if screen.pair is HELP else forward + back)


@dataclass(frozen=True)
class Window:
    """Measurements while a client showed a screen.

    ``speed`` and ``alone`` are iterations per second with and before it, ``sent`` is in KiB/s, and
    ``used`` is the share of the cores that is not available to training.
    """

    speed: float
    alone: float
    sent: float
    used: float


def _attached(effort: Effort, sent: dict[str, list[Cell]]) -> Table:
    """Measure the cost of every screen; append its traffic to ``sent``."""
    seconds, rounds = (1.0, 1) if effort.quick else (4.0, 5)
    chosen = selected(ACTIVE_SCREENS, effort)
    found: dict[str, list[Window]] = {screen.title: [] for screen in chosen}
    with detached_training() as training:
        for _ in range(rounds):
            for screen in chosen:
                found[screen.title].append(_window(training, screen, seconds))
    for name, cells in sent.items():
        windows = found.get(name)
        cells.append(Spread.of([one.sent for one in windows]) if windows else None)
    columns = ("", "iterations/s", "relative to no client", "used, % of the cores")
    rows = [(name, *_cost(windows)) for name, windows in found.items()]
    return Table("Training with a screen open", columns, rows)


def _cost(windows: Sequence[Window]) -> tuple[Cell, Cell, Cell]:
    speeds = [one.speed for one in windows]
    return (
        Spread.of(speeds),
        ratios(speeds, [one.alone for one in windows]),
        Spread.of([100 * one.used for one in windows]),
    )


def _window(training: Training, screen: MeasuredScreen, seconds: float) -> Window:
    alone = rate_now(training.out, seconds, time.sleep)
    with attached_dashboard(training) as terminal:
        open_screen(terminal, screen)
        if screen.begin:
            terminal.press(screen.begin)
        sent = list[int]()
        processes = (terminal.pid, training.entry.pid)
        before = non_training_seconds(processes)
        speed = rate_now(training.out, seconds, lambda span: sent.append(terminal.drain(span)))
        used = non_training_seconds(processes) - before
    cores = len(os.sched_getaffinity(0))
    return Window(speed, alone, sent[0] / seconds / 1024, used / seconds / cores)
