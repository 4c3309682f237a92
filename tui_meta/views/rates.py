"""How often the dashboard polls its session and repaints, near and over SSH."""

from collections.abc import Mapping

from msgspec import Struct


class Rates(Struct, frozen=True):
    """Intervals of polling and repainting.

    The session is polled every ``tick`` seconds; numbers, panels and waves are repainted every so
    many ticks. Waves change least often, for each takes a while to read.

    After a key, the session is polled every ``fast_tick`` seconds, ``fast_polls`` times, because
    its answer is about to arrive. At most ``panels_at_once`` panels are painted in one tick: a key
    waits for these, not for all. Between the answer to a key and further panels there are ``rest``
    seconds, in which a busy machine brings the answer to the terminal.
    """

    tick: float
    fast_tick: float
    fast_polls: int
    number_ticks: int
    panel_ticks: int
    wave_ticks: int
    panels_at_once: int
    rest: float

    @property
    def answers_first(self) -> bool:
        """True where a key's answer has a repaint of its own, before charts that it changes."""
        return self.panels_at_once == 1


LOCAL = Rates(
    tick=0.1,
    fast_tick=0.02,
    fast_polls=20,
    number_ticks=4,
    panel_ticks=10,
    wave_ticks=20,
    panels_at_once=1,
    rest=0.01,
)

OVER_SSH = Rates(
    tick=0.25,
    fast_tick=0.25,
    fast_polls=0,
    number_ticks=2,
    panel_ticks=4,
    wave_ticks=8,
    panels_at_once=9,
    rest=0.0,
)
"""At most four repaints a second, for a connection of low bandwidth."""


BEHIND_SECONDS = 1.0
"""A terminal with a backlog of this many seconds does not keep up with what it is sent."""

RECOVERY_SECONDS = 4.0
"""The terminal must keep up for this long before it is sent more again."""

SLOWEST = 8


class Throttle:
    """Repaints less often while the terminal is behind: ``factor`` times less often than usual.

    The factor doubles while the terminal does not take the bytes, doubles again if that does not
    help, and falls back once it does. Keys are answered at once all the same.
    """

    def __init__(self, tick: float) -> None:
        self.factor = 1
        self._tick = tick
        self._recovered = 0.0

    def update(self, backlog: float) -> None:
        """Adapt the factor; called at every tick.

        ``backlog`` is the number of seconds for which the terminal has not shown the newest screen.
        """
        if backlog >= BEHIND_SECONDS * self.factor:
            self.factor = min(2 * self.factor, SLOWEST)
        if backlog >= BEHIND_SECONDS / 2:
            self._recovered = 0.0
            return
        self._recovered += self._tick
        if self._recovered >= RECOVERY_SECONDS:
            self.factor = max(1, self.factor // 2)
            self._recovered = 0.0


def rates(environment: Mapping[str, str], fps: float | None = None) -> Rates:
    """Return the rates for a terminal with these environment variables.

    ``fps`` limits the repaints per second; each kind of content is still repainted no more often
    than usual.
    """
    remote = environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")
    usual = OVER_SSH if remote else LOCAL
    if fps is None:
        return usual
    tick = 1 / fps
    fast_tick = max(LOCAL.fast_tick, tick)
    numbers, panels, waves = (
        max(1, round(ticks * usual.tick / tick))
        for ticks in (usual.number_ticks, usual.panel_ticks, usual.wave_ticks)
    )
    return Rates(
        tick=tick,
        fast_tick=fast_tick,
        fast_polls=int(LOCAL.fast_tick * LOCAL.fast_polls / fast_tick),
        number_ticks=numbers,
        panel_ticks=panels,
        wave_ticks=waves,
        panels_at_once=LOCAL.panels_at_once if panels >= LOCAL.panel_ticks else 9,
        rest=usual.rest,
    )
