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


def rates(environment: Mapping[str, str]) -> Rates:
    """The rates for a terminal with these environment variables."""
    remote = environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")
    return FAR_AWAY if remote else AT_HAND
