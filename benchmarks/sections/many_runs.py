"""The dashboard with a hundred runs in five groups: what it sends, what keys and ticks cost."""

from __future__ import annotations

from benchmarks.engines import default_engine
from benchmarks.report import Cell, Section, Table
from benchmarks.rounds import Effort
from benchmarks.terminals.cost import SIZE, await_training, dashboard
from benchmarks.terminals.latency import KeyPair, measure_presses, quantiles
from benchmarks.terminals.processors import non_training_seconds
from benchmarks.terminals.terminal import Terminal

RATES = (0.001, 0.002, 0.005, 0.01)

TO_LINES = b"\x1b[Z"
"""The key that leads from the first chart to the line of a group."""

KEYS = (
    (b"", KeyPair("tab: another chart", b"\t", TO_LINES, "shift+tab: back")),
    (TO_LINES, KeyPair("j: the next group", b"j", b"k", "k: the group before")),
    # Escape is not measured: after it a terminal application waits for the rest of a sequence.
    (b"", KeyPair("enter: the runs of a group", b"\r", b"\x1b")),
)
"""The key that leads to where a pair is pressed, and the pair."""


def many_runs(effort: Effort) -> Section:
    """Measure Watch with many runs."""
    groups = len(RATES) + 1
    seeds, presses = (2, 2) if effort.quick else (20, 30)
    rows: list[tuple[Cell, ...]] = []
    swept = "reptile.inner-lr=" + ",".join(map(str, RATES))
    with dashboard(*SIZE, "--seeds", str(seeds), "--sweep", swept) as (terminal, out):
        await_training(out, terminal.read_for, runs=groups * seeds)
        rest = _rest(terminal, 1.0 if effort.quick else 20.0)
        for first, pair in KEYS:
            terminal.press(first)
            forward, back = measure_presses(terminal, pair, presses)
            rows.append((pair.title, *quantiles(forward)))
            if pair.back_title:
                rows.append((pair.back_title, *quantiles(back)))
    latencies = Table("From a key to the changed cell", ("", "presses", "p50, ms", "p95, ms"), rows)
    notes = [
        f"{groups * seeds} runs in {groups} groups train at full speed in a session of their own; "
        "a pseudo-terminal of 120 x 40; engine: " + default_engine(),
        "used: processor time of the dashboard's process, in percent of one processor",
    ]
    return Section("The dashboard with many runs", [rest, latencies], notes)


def _rest(terminal: Terminal, window: float) -> Table:
    before = non_training_seconds([terminal.pid])
    sent = terminal.drain(window) / window / 1024
    used = (non_training_seconds([terminal.pid]) - before) / window
    return Table("Without a key", ("", ""), [("sent, KiB/s", sent), ("used, %", 100 * used)])
