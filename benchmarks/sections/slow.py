"""A slow link: latency, traffic, and repaints in flight."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort
from benchmarks.sections.screens import ACTIVE_SCREENS, MeasuredScreen, open_screen, selected
from benchmarks.terminals.cost import SIZE, await_training, endless_training
from benchmarks.terminals.latency import HELP, measure_presses, quantiles
from benchmarks.terminals.link import BUFFER_BYTES, BYTES_PER_SECOND, DELAY_SECONDS, RemoteTerminal
from benchmarks.terminals.sessions import private_sessions

REMOTE_SETTLE_SECONDS = 1.5
"""From a key until its effect is complete."""

HELD_KEYS, REPEAT_SECONDS = 15, 1 / 30
"""Presses of a key that is held down, and their interval."""


def slow(effort: Effort) -> Section:
    """Measure the active screens over a slow link."""
    rows: list[tuple[Cell, ...]] = []
    with _remote_dashboard() as terminal:
        for screen in selected(ACTIVE_SCREENS, effort):
            rows.append((screen.title, *_row(terminal, screen, effort)))
    columns = (
        "",
        "sent, KiB/s",
        "presses",
        "p50, ms",
        "p95, ms",
        "repaints in flight, at most",
        "while a key is held",
    )
    table = Table("From a key to the changed cell", columns, rows)
    return Section("Over a slow link", [table], [f"engine: {default_engine()}", *_NOTES])


_NOTES = (
    f"a relay between the program's pseudo-terminal and its reader carries "
    f"{BYTES_PER_SECOND * 8 / 1000:.0f} kbit/s with a delay of {DELAY_SECONDS * 1000:.0f} ms in "
    f"each direction: a key cannot be answered in less than {2000 * DELAY_SECONDS:.0f} ms",
    f"like sshd, the relay buffers {BUFFER_BYTES // 1024} KiB, which the program cannot see: "
    "output that is sent too early waits there",
    "both runs train at full speed at 120 x 40, with the rates of an SSH connection; the terminal "
    "reports its cursor position and supports synchronized output",
    "repaints in flight have left the program but are not on the screen yet when another one "
    f"leaves it; held: {HELD_KEYS} presses, {1 / REPEAT_SECONDS:.0f} per second",
)


@contextmanager
def _remote_dashboard() -> Iterator[RemoteTerminal]:
    with tempfile.TemporaryDirectory() as out, private_sessions():
        terminal = RemoteTerminal(endless_training(out), *SIZE)
        try:
            await_training(Path(out), terminal.read_for)
            yield terminal
        finally:
            terminal.close()


def _row(terminal: RemoteTerminal, screen: MeasuredScreen, effort: Effort) -> tuple[Cell, ...]:
    window, presses = (1.0, 1) if effort.quick else (5.0, 6)
    open_screen(terminal, screen)
    if screen.begin:
        terminal.press(screen.begin)
    sent = terminal.drain(window) / window / 1024
    terminal.most_in_flight = 0
    forward, back = measure_presses(terminal, screen.pair, presses, settle=REMOTE_SETTLE_SECONDS)
    most, terminal.most_in_flight = terminal.most_in_flight, 0
    _hold_keys(terminal, screen)
    times = forward if screen.pair is HELP else forward + back
    return sent, *quantiles(times), most, terminal.most_in_flight


def _hold_keys(terminal: RemoteTerminal, screen: MeasuredScreen) -> None:
    for key in (screen.pair.key, screen.pair.back):
        for _ in range(HELD_KEYS):
            terminal.press(key)
            terminal.read_for(REPEAT_SECONDS)
        terminal.read_for(REMOTE_SETTLE_SECONDS)
