"""Latency from a key to the changed screen, while both runs train at full speed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import Cell, Table
from benchmarks.rounds import Effort
from benchmarks.terminals.terminal import CellContent, Screen, Terminal

LIMIT_SECONDS = 5.0
"""A key without effect by then is a bug of the program or of the benchmark."""

REPEATS = 3
"""Presses of a pair of keys that are compared to find its indicator."""

SETTLE_SECONDS = 1.0
"""From a key until its effect is complete."""


@dataclass(frozen=True)
class KeyPair:
    """A key that changes the screen, and one that changes it back."""

    title: str
    key: bytes
    back: bytes
    back_title: str | None = None
    """Set if the second key is measured as well."""


HELP = KeyPair("?: the help opens", b"?", b"\x1b")
KEY_PAIRS = (
    KeyPair("tab: the focus moves forward", b"\t", b"\x1b[Z", "shift+tab: the focus moves back"),
    KeyPair("space: the runs pause", b" ", b" "),
    # Escape is not measured: after it a terminal application waits for the rest of a sequence.
    HELP,
)


@dataclass(frozen=True)
class Indicator:
    """The cell that shows whether a key has taken effect, and its two contents."""

    row: int
    column: int
    before: CellContent
    after: CellContent


def latency(terminal: Terminal, effort: Effort) -> Table:
    """Measure all pairs of keys on a dashboard whose runs are training."""
    presses = 2 if effort.quick else 30
    times: dict[str, list[float]] = {}
    for pair in KEY_PAIRS:
        times |= _measure(terminal, pair, presses)
    times["all"] = [time for some in times.values() for time in some]
    rows = [(title, *quantiles(some)) for title, some in times.items()]
    return Table("From a key to the changed cell", ("", "presses", "p50, ms", "p95, ms"), rows)


def _measure(terminal: Terminal, pair: KeyPair, presses: int) -> dict[str, list[float]]:
    forward, back = measure_presses(terminal, pair, presses)
    return {pair.title: forward} | ({pair.back_title: back} if pair.back_title else {})


def measure_presses(
    terminal: Terminal,
    pair: KeyPair,
    presses: int,
    *,
    settle: float = SETTLE_SECONDS,
) -> tuple[list[float], list[float]]:
    """Press both keys ``presses`` times; return the seconds until the effect of each press."""
    indicator = _find_indicator(terminal, pair, settle)
    delays = random.Random(0)
    forward: list[float] = []
    back: list[float] = []
    for _ in range(presses):
        for key, times in ((pair.key, forward), (pair.back, back)):
            terminal.read_for(settle * delays.uniform(0.2, 0.4))
            times.append(_press(terminal, key, indicator))
    return forward, back


def _press(terminal: Terminal, key: bytes, indicator: Indicator) -> float:
    """Return the seconds from the write of ``key`` to the bytes that changed the cell."""
    row, column = indicator.row, indicator.column
    before = terminal.cell(row, column)
    pressed = terminal.press(key)
    arrived = terminal.wait_until(lambda: terminal.cell(row, column) != before, LIMIT_SECONDS)
    if arrived is None:
        raise RuntimeError(f"key {key!r} changed nothing within {LIMIT_SECONDS:.0f} s")
    return arrived - pressed


def _find_indicator(terminal: Terminal, pair: KeyPair, settle: float) -> Indicator:
    """Find a cell that changes with every press of the pair and never otherwise."""
    before, after = [terminal.cells()], list[Screen]()
    for _ in range(REPEATS):
        for key, screens in ((pair.key, after), (pair.back, before)):
            terminal.press(key)
            terminal.read_for(settle)
            screens.append(terminal.cells())
    indicators = [
        Indicator(*place, content, after[0][place])
        for place, content in before[0].items()
        if all(screen[place] == content for screen in before)
        and all(screen[place] == after[0][place] != content for screen in after)
    ]
    if not indicators:
        raise RuntimeError(f"no cell of the screen shows: {pair.title}")
    fixed = [one for one in indicators if all(_is_fixed(one, state) for state in (before, after))]
    letters = [one for one in fixed if _is_letter(one.before) and _is_letter(one.after)]
    found = letters or fixed or indicators
    # What changes by itself may look like an effect, but not in as many cells of a row.
    cells = Counter(one.row for one in found)
    return next(one for one in found if 2 * cells[one.row] >= max(cells.values()))


def _is_fixed(indicator: Indicator, screens: Sequence[Screen]) -> bool:
    """Return True if the text to its left is always the same: a longer number would move it."""
    left = [(indicator.row, column) for column in range(indicator.column)]
    return all(screen[place][0] == screens[0][place][0] for screen in screens for place in left)


def quantiles(times: list[float]) -> tuple[Cell, Cell, Cell]:
    """Return the number of ``times``, their median and 95% quantile in ms."""
    ordered = sorted(time * 1e3 for time in times)
    return len(ordered), ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


def _is_letter(content: CellContent) -> bool:
    """Return True for a letter; a digit or a piece of a curve may look the same by chance."""
    return str(content[0]).isalpha()
