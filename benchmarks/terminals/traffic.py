"""Bytes that the dashboard sends to its terminal."""

from __future__ import annotations

from benchmarks.report import Cell, Table
from benchmarks.rounds import Effort
from benchmarks.terminals.terminal import Terminal

SETTLE_SECONDS = 3.0
"""From a key until its effect is complete."""


def traffic(terminal: Terminal, effort: Effort, title: str) -> tuple[Cell, ...]:
    """Measure a row of ``traffic_table`` on a dashboard in training; its runs end paused."""
    steady, waves, paused = (1, 2, 1) if effort.quick else (60, 30, 10)
    rates: list[Cell] = [terminal.drain(steady) / steady / 1024]
    sent = 0
    for _ in range(waves):
        terminal.press(b"e")
        sent += terminal.drain(1.0)
    rates.append(sent / waves / 1024)
    for key in (b" ", b"s"):  # otherwise an autosave would be shown
        terminal.press(key)
        terminal.drain(SETTLE_SECONDS)
    return title, *rates, terminal.drain(paused)


def traffic_table(rows: list[tuple[Cell, ...]]) -> Table:
    """Return the table of ``rows``, one for each size of the terminal."""
    columns = (
        "",
        "steady, KiB/s",
        "a new evaluation shown every second, KiB/s",
        "paused, bytes in 10 s",
    )
    return Table("Sent to the terminal", columns, rows)
