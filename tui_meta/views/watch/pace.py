"""The paces that keys choose, and that of a user's first runs."""

from tui_meta.views.keys.keymap import KeyOf, usual_key
from tui_meta.views.numbers import pace as pace_text

PACES: tuple[float | None, ...] = (1, 3, 10, 30, 100, 300, 1_000, 3_000, None)
"""Iterations per second; None is full speed."""

FIRST_RUN_SECONDS = 30
"""Duration of a user's first runs, so that learning can be watched."""


def faster(pace: float | None, steps: int) -> float | None:
    """Return the one of ``PACES`` that is ``steps`` faster, or slower if negative, up to the ends.

    A pace between two of them counts as the slower one.
    """
    reached = [one for one in PACES if pace is None or (one is not None and one <= pace)]
    place = max(0, len(reached) - 1)
    return PACES[max(0, min(place + steps, len(PACES) - 1))]


def first_pace(iterations: int) -> float:
    """Return the pace of a user's first runs."""
    return max(1.0, float(round(iterations / FIRST_RUN_SECONDS)))


def first_pace_message(pace: float, key: KeyOf = usual_key) -> str:
    """Say that the first runs are slowed down, and how to let them go."""
    return (
        f"first run: {pace_text(pace)}, to watch it learn for {FIRST_RUN_SECONDS} s"
        f" · {key('full speed')}: full speed"
    )
