"""From a key to the changed screen, while both runs train at full speed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import Cell, Table
from benchmarks.rounds import Effort
from benchmarks.terminals.terminal import Content, Screen, Terminal

LIMIT_SECONDS = 5.0
"""A key that changed nothing by then is a fault of the program or of the benchmark."""


REPEATS = 2
"""How often a gesture is made to learn its sign."""

SETTLE_SECONDS = 1.0
"""From a key until all of its effect is seen."""


@dataclass(frozen=True)
class Gesture:
    """A key that changes the screen, and one that changes it back."""

    title: str
    key: bytes
    back: bytes
    back_title: str | None = None
    """Set if the way back is measured as well."""


HELP = Gesture("?: the help opens", b"?", b"\x1b")
GESTURES = (
    Gesture("tab: the focus moves on", b"\t", b"\x1b[Z", "shift+tab: the focus moves back"),
    Gesture("space: it says that the runs pause", b" ", b" "),
    # Escape alone is not measured: a terminal application waits whether more of a sequence comes.
    HELP,
)


@dataclass(frozen=True)
class Sign:
    """The cell that tells whether a key has had its effect, and its two contents."""

    row: int
    column: int
    before: Content
    after: Content


def latency(seen: Terminal, effort: Effort) -> Table:
    """Of a dashboard whose runs are training."""
    presses = 2 if effort.quick else 30
    times: dict[str, list[float]] = {}
    for gesture in GESTURES:
        times |= _measure(seen, gesture, presses)
    times["all"] = [time for some in times.values() for time in some]
    rows = [(title, *quantiles(some)) for title, some in times.items()]
    return Table("From a key to the changed cell", ("", "presses", "p50, ms", "p95, ms"), rows)


def _measure(seen: Terminal, gesture: Gesture, presses: int) -> dict[str, list[float]]:
    there, back = to_and_fro(seen, gesture, presses)
    return {gesture.title: there} | ({gesture.back_title: back} if gesture.back_title else {})


def to_and_fro(
    seen: Terminal,
    gesture: Gesture,
    presses: int,
    *,
    settle: float = SETTLE_SECONDS,
) -> tuple[list[float], list[float]]:
    """Seconds that ``presses`` of the key took to show, and as many of the one back."""
    sign = _learn(seen, gesture, settle)
    delays = random.Random(0)
    there: list[float] = []
    back: list[float] = []
    for _ in range(presses):
        for key, times in ((gesture.key, there), (gesture.back, back)):
            seen.look(settle * delays.uniform(0.2, 0.4))
            times.append(_press(seen, key, sign))
    return there, back


def _press(seen: Terminal, key: bytes, sign: Sign) -> float:
    """Seconds from the write of ``key`` to the bytes that changed the cell."""
    stood = seen.content(sign.row, sign.column)
    pressed = seen.press(key)
    arrived = seen.wait(lambda: seen.content(sign.row, sign.column) != stood, LIMIT_SECONDS)
    if arrived is None:
        raise RuntimeError(f"key {key!r} changed nothing within {LIMIT_SECONDS:.0f} s")
    return arrived - pressed


def _learn(seen: Terminal, gesture: Gesture, settle: float) -> Sign:
    """Find a cell that changes with the gesture, every time, and otherwise stays as it is."""
    before, after = [seen.contents()], list[Screen]()
    for _ in range(REPEATS):
        for key, screens in ((gesture.key, after), (gesture.back, before)):
            seen.press(key)
            seen.look(settle)
            screens.append(seen.contents())
    signs = [
        Sign(*place, content, after[0][place])
        for place, content in before[0].items()
        if all(screen[place] == content for screen in before)
        and all(screen[place] == after[0][place] != content for screen in after)
    ]
    if not signs:
        raise RuntimeError(f"nothing on the screen tells of: {gesture.title}")
    held = [sign for sign in signs if _is_held(sign, [*before, *after])]
    worded = [sign for sign in held if _is_letter(sign.before) and _is_letter(sign.after)]
    return (worded or held or signs)[0]


def _is_held(sign: Sign, screens: Sequence[Screen]) -> bool:
    """Whether all text before it in its row stays: a number of another width would move it."""
    left = [(sign.row, column) for column in range(sign.column)]
    return all(screen[place][0] == screens[0][place][0] for screen in screens for place in left)


def quantiles(times: list[float]) -> tuple[Cell, Cell, Cell]:
    """How many, their median and the one that 95 % are below, in ms."""
    ordered = sorted(time * 1e3 for time in times)
    return len(ordered), ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]


def _is_letter(content: Content) -> bool:
    """Words say how things stand; a digit or a piece of a curve may look the same by chance."""
    return str(content[0]).isalpha()
