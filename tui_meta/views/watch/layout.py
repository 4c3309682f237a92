"""Layout of the watch screen for any terminal size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tui_meta.views.text import Line, Span, first_that_fits, line

Direction = Literal["up", "down", "left", "right"]
Box = tuple[int, int, int, int]
"""Column, row, width and height of a panel, in cells."""

TABLE, VALIDATION, TRAINING, UPDATES = "table", "validation", "training", "updates"
CHARTS = (VALIDATION, TRAINING, UPDATES)
"""Charts that share one place where there is no room for all."""

CHART_NAMES = {
    VALIDATION: "validation",
    TRAINING: "training loss",
    UPDATES: "loss per step",
}
"""Names of the charts in messages."""

LEAST_WIDTH, LEAST_HEIGHT = 40, 10
"""Below it, there are no panels."""

_ONE_WIDTH, _ONE_HEIGHT = 60, 15
_BESIDE_WIDTH = 120
_WIDE_WIDTH = 170
_FRAMED_HEIGHT = 28
_STACKED_HEIGHT = 44
_TWO_ROWS_WIDTH = 100
_TWO_MESSAGES_HEIGHT = 20
_THREE_VERDICTS_HEIGHT = 36
_LARGEST_SHARE_OF_RUNS = 1 / 6
"""Of the height, for runs of three rows each."""


@dataclass(frozen=True)
class Tab:
    """A group of panels that is shown in turn with others; ``panel`` is its first."""

    label: str
    panel: str
    active: bool


@dataclass(frozen=True)
class Arrangement:
    """Panels row by row, and how many lines the rest takes.

    ``framed`` gives panels a frame on all sides, else only a line with their title. No panels at
    all means that the terminal is tiny.
    """

    rows: tuple[tuple[str, ...], ...]
    framed: bool = True
    title: bool = True
    run_rows: int = 2
    message_rows: int = 2
    verdict_rows: int = 0
    tabs: tuple[Tab, ...] = ()

    @property
    def panels(self) -> tuple[str, ...]:
        """All that are shown."""
        return tuple(panel for row in self.rows for panel in row)

    @property
    def columns(self) -> int:
        """Columns of a grid in which every row is filled by panels of one width."""
        return math.lcm(*(len(row) for row in self.rows))


def wave(index: int) -> str:
    """The panel with the wave of run number ``index``."""
    return f"wave-{index}"


def is_wave(panel: str) -> bool:
    """Return True for a panel with a run's wave."""
    return panel.startswith("wave-")


def all_panels(runs: int) -> tuple[str, ...]:
    """Every panel there is, in the order in which tab visits them."""
    return (TABLE, *CHARTS, *(wave(index) for index in range(runs)))


def arrange(
    width: int,
    height: int,
    runs: int,
    panel: str,
    chart: str,
    *,
    enlarged: bool,
    verdict: bool = False,
) -> Arrangement:
    """The arrangement for a terminal of ``width`` by ``height`` cells.

    ``panel`` is the one that must be seen, ``chart`` the one that takes the place of the charts
    where there is room for one. ``verdict`` asks for its lines.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement((), title=False, run_rows=1, message_rows=1)
    small = width < _ONE_WIDTH or height < _ONE_HEIGHT
    roomy = height >= _FRAMED_HEIGHT
    made = partial(
        Arrangement,
        title=not small,
        run_rows=_run_rows(width, height, runs),
        message_rows=2 if height >= _TWO_MESSAGES_HEIGHT else 1,
        verdict_rows=_verdict_rows(height) if verdict else 0,
    )
    if enlarged or small:
        return made(((panel,),), framed=roomy)
    waves = tuple(wave(index) for index in range(runs))
    if width >= _WIDE_WIDTH and roomy:
        return made(((TABLE, VALIDATION, TRAINING), (UPDATES, *waves)))
    beside = width >= _BESIDE_WIDTH
    top = ((TABLE, chart),) if beside else ((TABLE,), (chart,))
    if height >= (_FRAMED_HEIGHT if beside else _STACKED_HEIGHT):
        return made((*top, waves))
    on_waves = panel in waves
    tabs = (Tab("losses", TABLE, not on_waves), Tab("waves", waves[0], on_waves))
    return made((waves,) if on_waves else top, framed=False, tabs=tabs)


def _run_rows(width: int, height: int, runs: int) -> int:
    """Return the rows of a run's line: the second has details, the third its settings."""
    if height < _FRAMED_HEIGHT or width < _TWO_ROWS_WIDTH:
        return 1
    return 3 if 3 * runs <= height * _LARGEST_SHARE_OF_RUNS else 2


def _verdict_rows(height: int) -> int:
    heights = (_TWO_MESSAGES_HEIGHT, _FRAMED_HEIGHT, _THREE_VERDICTS_HEIGHT)
    return sum(height >= least for least in heights)


def neighbour(boxes: Mapping[str, Box], current: str, direction: Direction) -> str | None:
    """The panel next to ``current`` in a direction, the best aligned of the nearest."""
    if current not in boxes:
        return next(iter(boxes), None)
    here = boxes[current]
    ahead = [name for name, box in boxes.items() if _gap(here, box, direction) >= 0]
    ahead = [name for name in ahead if name != current]
    return min(
        ahead,
        key=lambda name: (_gap(here, boxes[name], direction), _aside(here, boxes[name], direction)),
        default=None,
    )


def following(order: Sequence[str], current: str, steps: int) -> str:
    """The panel ``steps`` places after ``current``, around the ends."""
    if current not in order:
        return order[0] if steps > 0 else order[-1]
    return order[(order.index(current) + steps) % len(order)]


def _gap(here: Box, there: Box, direction: Direction) -> int:
    """Cells between two boxes in a direction; negative if ``there`` is not in that direction."""
    x, y, width, height = here
    other_x, other_y, other_width, other_height = there
    return {
        "left": x - (other_x + other_width),
        "right": other_x - (x + width),
        "up": y - (other_y + other_height),
        "down": other_y - (y + height),
    }[direction]


def _aside(here: Box, there: Box, direction: Direction) -> int:
    """Return the distance of two boxes' centres across a direction, in half cells."""
    across = 0 if direction in ("up", "down") else 1
    return abs(2 * here[across] + here[across + 2] - 2 * there[across] - there[across + 2])


def too_small(width: int, height: int) -> Line:
    """Return the text for a terminal without room for panels: the needed and the current size."""
    needed = f"{LEAST_WIDTH}x{LEAST_HEIGHT}"
    long = f"please enlarge {needed}; this has {width}x{height}"
    return first_that_fits(
        [line(long), line(f"please enlarge {needed}"), line(f"needs {needed}")], width
    )


def tab_line(tabs: Sequence[Tab]) -> Line:
    """The tabs' names; a click shows a tab."""
    spans = [
        Span(f" {tab.label} ", "reverse" if tab.active else "dim", f"reveal('{tab.panel}')")
        for tab in tabs
    ]
    return tuple(spans)


def chart_hint(chart: str, arrangement: Arrangement) -> str:
    """Return which of the charts that share a place this is, and how to reach the others."""
    if len(set(CHARTS) & set(arrangement.panels)) > 1:
        return ""
    place = CHARTS.index(chart) + 1
    return f"chart {place} of {len(CHARTS)}, tab: next"
