"""What the dashboard sends to its terminal."""

from __future__ import annotations

from benchmarks.report import Cell, Table
from benchmarks.rounds import Effort
from benchmarks.terminals.terminal import Terminal

SETTLE_SECONDS = 3.0
"""From a key until all of its effect is on the screen."""


def traffic(seen: Terminal, effort: Effort, title: str) -> tuple[Cell, ...]:
    """A row of ``traffic_table``, of a dashboard whose runs are training; they end paused."""
    steady, waves, paused = (1, 2, 1) if effort.quick else (60, 30, 10)
    rates: list[Cell] = [seen.drain(steady) / steady / 1024]
    sent = 0
    for _ in range(waves):
        seen.press(b"e")
        sent += seen.drain(1.0)
    rates.append(sent / waves / 1024)
    for key in (b" ", b"s"):  # or else the clock saves the runs, and the screen tells of it
        seen.press(key)
        seen.drain(SETTLE_SECONDS)
    return title, *rates, seen.drain(paused)


def traffic_table(rows: list[tuple[Cell, ...]]) -> Table:
    """Of ``rows``, each of one size of the terminal."""
    columns = (
        "",
        "steady, KiB/s",
        "a new evaluation shown every second, KiB/s",
        "paused, bytes in 10 s",
    )
    return Table("Sent to the terminal", columns, rows)
