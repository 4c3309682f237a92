"""How often the screen is repainted: the one place that decides it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """News are taken in every ``tick`` seconds; numbers, panels and waves are repainted every so
    many ticks, for a new wave wants to be looked at for a while.

    After a key, news are looked for every ``hurry`` seconds, ``looks`` times, as its answer comes.
    Of the panels, ``panels_at_once`` are painted in one tick: a key waits for these, not for all.
    """

    tick: float
    hurry: float
    looks: int
    number_ticks: int
    panel_ticks: int
    wave_ticks: int
    panels_at_once: int


AT_HAND = Rates(
    tick=0.1,
    hurry=0.02,
    looks=20,
    number_ticks=4,
    panel_ticks=10,
    wave_ticks=20,
    panels_at_once=1,
)

FAR_AWAY = Rates(
    tick=0.25,
    hurry=0.25,
    looks=0,
    number_ticks=2,
    panel_ticks=4,
    wave_ticks=8,
    panels_at_once=9,
)
"""At most four repaints a second, for a connection that carries little."""


LATE_SECONDS = 1.0
"""A terminal that is so far behind does not take what it is sent."""

CALM_SECONDS = 4.0
"""For so long it must keep up before it is sent more again."""

SLOWEST = 8


class Brake:
    """How many times more rarely than usual the screen is repainted of itself.

    Twice as rarely while the terminal does not take the bytes, and twice again if that does not
    help; as often as before when it does take them. A key is answered at once all the same.
    """

    def __init__(self, tick: float) -> None:
        self.times = 1
        self._tick = tick
        self._calm = 0.0

    def look(self, backlog: float) -> None:
        """At every tick: the terminal has not shown the newest screen for so many seconds."""
        if backlog >= LATE_SECONDS * self.times:
            self.times = min(2 * self.times, SLOWEST)
        if backlog >= LATE_SECONDS / 2:
            self._calm = 0.0
            return
        self._calm += self._tick
        if self._calm >= CALM_SECONDS:
            self.times = max(1, self.times // 2)
            self._calm = 0.0


def rates(environment: Mapping[str, str], fps: float | None = None) -> Rates:
    """The rates for a terminal with these environment variables, or for ``fps`` repaints a second.

    With ``fps``, each kind of thing is repainted as often as usual, where that is not more often.
    """
    remote = environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")
    usual = FAR_AWAY if remote else AT_HAND
    if fps is None:
        return usual
    tick = 1 / fps
    hurry = max(AT_HAND.hurry, tick)
    numbers, panels, waves = (
        max(1, round(ticks * usual.tick / tick))
        for ticks in (usual.number_ticks, usual.panel_ticks, usual.wave_ticks)
    )
    return Rates(
        tick=tick,
        hurry=hurry,
        looks=int(AT_HAND.hurry * AT_HAND.looks / hurry),
        number_ticks=numbers,
        panel_ticks=panels,
        wave_ticks=waves,
        panels_at_once=AT_HAND.panels_at_once if panels >= AT_HAND.panel_ticks else 9,
    )
