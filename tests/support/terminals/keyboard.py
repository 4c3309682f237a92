"""Keys as a terminal sends them, and the visible effect that each must have."""

from __future__ import annotations

import operator
import re
import string
from collections.abc import Callable
from dataclasses import dataclass

from textual.keys import _character_to_key

from tests.support.terminals.terminal import Terminal

_NAMED = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "shift+tab": "\x1b[Z",
    "tab": "\t",
    "enter": "\r",
    "escape": "\x1b",
    "backspace": "\x7f",
}
_PRINTED = {_character_to_key(char): char for char in string.printable[:95]}

Sight = Callable[[str, str], bool]
"""A predicate of the screen when the key was pressed and the screen now."""

USUAL_SIZE = (120, 40)


@dataclass(frozen=True)
class Case:
    """The effect of a key: ``sight``, once the keys ``first`` have made the screen show ``there``.

    Keys are named as in the table, with blanks between; ``then`` are pressed after the key and
    before the look, and ``after`` undoes what was seen. ``there`` is a pattern or a predicate.
    With ``wiped``, the terminal has lost what it showed when the key comes.
    """

    sight: Sight
    first: str = ""
    there: str | Callable[[str], bool] = ""
    then: str = ""
    after: str = ""
    size: tuple[int, int] = USUAL_SIZE
    wiped: bool = False

    def ready(self, screen: str) -> bool:
        """Return True if the key can be pressed."""
        if callable(self.there):
            return self.there(screen)
        return re.search(self.there, screen) is not None


def sent(name: str) -> str:
    """Return the characters that a terminal sends for a key."""
    if name.startswith("ctrl+"):
        return chr(ord(name[-1]) & 0x1F)
    return _NAMED.get(name) or _PRINTED[name]


def looked(dashboard: Terminal) -> str:
    """Return the screen as text, and below it the text in reverse video."""
    return "\n".join([*dashboard.lines, *(f"reversed {text}" for text in dashboard.reversed)])


def resize(dashboard: Terminal, size: tuple[int, int]) -> None:
    """Give the window another size, and wait until its last row is there."""
    dashboard.resize(*size)
    dashboard.wait_until(lambda _: bool(dashboard.lines[-1].strip()), f"all rows at {size}")


def press(dashboard: Terminal, names: str) -> None:
    """Press several keys."""
    for name in names.split():
        dashboard.press(sent(name))


def try_out(dashboard: Terminal, name: str, case: Case, where: str) -> None:
    """Press the key called ``name`` on the screen ``where``, and see what ``case`` says."""
    what = f"{name} on {where}"
    resized = case.size != USUAL_SIZE
    if resized:
        resize(dashboard, case.size)
    press(dashboard, case.first)
    dashboard.wait_until(
        lambda _: dashboard.whole and case.ready(looked(dashboard)), f"before {what}"
    )
    if case.wiped:
        dashboard.wipe()
    before = looked(dashboard)
    assert not case.sight(before, before), f"{what} has no visible effect\n{before}"
    press(dashboard, f"{name} {case.then}")
    dashboard.wait_until(lambda _: dashboard.whole and case.sight(before, looked(dashboard)), what)
    if case.after:
        press(dashboard, case.after)
        gone = f"what {what} showed is gone"
        dashboard.wait_until(
            lambda _: dashboard.whole and not case.sight(before, looked(dashboard)), gone
        )
    if resized:
        resize(dashboard, USUAL_SIZE)


# Sights.


def shows(*patterns: str) -> Sight:
    """All ``patterns`` are found, and were not."""

    def found(screen: str) -> bool:
        return all(re.search(pattern, screen, re.MULTILINE) for pattern in patterns)

    return lambda before, now: found(now) and not found(before)


def hides(pattern: str) -> Sight:
    """``pattern`` was found, and is no longer."""
    appears = shows(pattern)
    return lambda before, now: appears(now, before)


def reads(pattern: str, relation: Callable[[str, str], bool] = operator.ne) -> Sight:
    """The group in ``pattern`` has another value than before; "" where it is not found."""

    def value(screen: str) -> str:
        found = re.search(pattern, screen, re.MULTILINE)
        return found.group(1) if found else ""

    return lambda before, now: relation(value(before), value(now))


def changes_by(pattern: str, is_so: Callable[[float], bool]) -> Sight:
    """The number in ``pattern`` has changed by an amount of which ``is_so`` holds."""

    def relation(before: str, now: str) -> bool:
        return bool(before and now) and is_so(_number(now) - _number(before))

    return reads(pattern, relation)


def rises(pattern: str) -> Sight:
    """The number in ``pattern`` is higher."""
    return changes_by(pattern, lambda by: by > 0)


def falls(pattern: str) -> Sight:
    """The number in ``pattern`` is lower."""
    return changes_by(pattern, lambda by: by < 0)


def _number(text: str) -> float:
    return float(text.replace(",", ""))
