"""Layout of the watch screen for any terminal size."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tui_meta.views.text import Line, Span, first_that_fits, line

Direction = Literal["up", "down", "left", "right"]
Box = tuple[int, int, int, int]
"""Column, row, width and height of a panel, in cells."""

TABLE, FACTS = "table", "facts"
VALIDATION, TRAINING, UPDATES = "validation", "training", "updates"
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

MOST_IN_DETAIL = 4
"""Runs that are shown side by side; of more, each has one line, and panels for a single run show
the chosen one."""

_ONE_WIDTH, _ONE_HEIGHT = 60, 15
_BESIDE_WIDTH = 120
_WIDE_WIDTH = 170
_FRAMED_HEIGHT = 28
_STACKED_HEIGHT = 44
_TWO_ROWS_WIDTH = 100
_TWO_MESSAGES_HEIGHT = 20
_TWO_VERDICTS_HEIGHT, _THREE_VERDICTS_HEIGHT = 24, 36
USUAL_VERDICT_ROWS = 3
"""Of a verdict on single runs; one on groups takes more rows where panels leave some."""
_LARGEST_SHARE_OF_RUNS = 1 / 6
"""Of the height, for runs of three rows each."""
_LARGEST_SHARE_OF_LINES = 5 / 12
"""Of the height, for more runs than are shown in detail."""
_ROOM_FOR_TWO_ROWS = 20
_FACT_NAMES, _FACT_CELLS, _MOST_FACT_CELLS = 28, 16, 64
"""Of the panel of facts: width of the names with the frame, of a run's column, and of all."""
_FRAME_ROWS, _LEAST_BELOW_FACTS = 2, 14


class Tab(Struct, frozen=True):
    """A group of panels that is shown in turn with others; ``panel`` is its first."""

    label: str
    panel: str
    active: bool


class Arrangement(Struct, frozen=True):
    """Panels row by row, and how many lines the rest takes.

    ``framed`` gives panels a frame on all sides, else only a line with their title. No panels at
    all means that the terminal is tiny. ``lines`` are the numbers of the lines shown. The first
    panel of each row is ``side`` cells wide, if that is not 0; all others of a row share the rest.
    The panels of the first row are ``first_rows`` high, if that is not 0; rows are equal else.
    """

    rows: tuple[tuple[str, ...], ...]
    framed: bool = True
    title: bool = True
    run_rows: int = 2
    message_rows: int = 2
    verdict_rows: int = 0
    tabs: tuple[Tab, ...] = ()
    lines: range = range(0)
    side: int = 0
    first_rows: int = 0

    @property
    def panels(self) -> tuple[str, ...]:
        """All that are shown."""
        return tuple(panel for row in self.rows for panel in row)

    @property
    def spans(self) -> Mapping[str, int]:
        """The columns of a grid that each panel takes, so that every row is filled."""
        aside = bool(self.side)
        columns = math.lcm(*(len(row) - aside for row in self.rows))
        return {
            panel: 1 if aside and panel == row[0] else columns // (len(row) - aside)
            for row in self.rows
            for panel in row
        }

    @property
    def columns(self) -> int:
        """The columns of that grid."""
        return sum(self.spans[panel] for panel in self.rows[0])


def wave(index: int) -> str:
    """The panel with the wave of run number ``index``."""
    return f"wave-{index}"


def run_line(index: int) -> str:
    """The line of run number ``index``."""
    return f"run-{index}"


def group_line(index: int) -> str:
    """The line of group number ``index`` of runs."""
    return f"group-{index}"


def is_group(name: str) -> bool:
    """Return True for the line of a group."""
    return name.startswith("group-")


def is_line(name: str) -> bool:
    """Return True for the line of a run or of a group."""
    return name.startswith("run-") or is_group(name)


def number(name: str) -> int:
    """Return the number of the run or the group whose wave or line this is."""
    return int(name.rpartition("-")[2])


def is_wave(panel: str) -> bool:
    """Return True for a panel with a run's wave."""
    return panel.startswith("wave-")


def waves(runs: int) -> tuple[str, ...]:
    """Return the panels with waves: one for each run, or one that many runs take turns in."""
    return tuple(map(wave, range(1 if runs > MOST_IN_DETAIL else runs)))


def in_turns(panel: str) -> tuple[str, ...]:
    """Return the panels that have the place of this one by turns."""
    return next((those for those in (CHARTS, (TABLE, FACTS)) if panel in those), (panel,))


def all_panels(runs: int) -> tuple[str, ...]:
    """Every panel there is."""
    return (TABLE, *CHARTS, *waves(runs), FACTS)


def focus_order(runs: int, line: str) -> tuple[str, ...]:
    """Everything that tab visits, in its order: lines and panels, of many runs the ``line`` of the
    chosen one.
    """
    if runs > MOST_IN_DETAIL:
        return (line, *CHARTS, TABLE, FACTS, *waves(runs))
    return (*map(run_line, range(runs)), *all_panels(runs))


def arrange(
    width: int,
    height: int,
    runs: int,
    panel: str,
    chart: str,
    *,
    line: int = 0,
    lines: int | None = None,
    first: int = 0,
    enlarged: bool,
    verdict: int = 0,
    facts: int = 0,
) -> Arrangement:
    """The arrangement for a terminal of ``width`` by ``height`` cells.

    ``panel`` is the one that must be seen, ``chart`` the one that takes the place of the charts
    where there is room for one. Of many runs the line number ``line`` is seen, of so many ``lines``
    if not each run has one. They begin with number ``first`` if possible. ``verdict`` and ``facts``
    are how many rows these fill.
    """
    many = runs > MOST_IN_DETAIL
    all_lines = runs if lines is None else lines
    window = _window(height, all_lines, line, first) if many else range(runs)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Arrangement((), title=False, run_rows=1, message_rows=1, lines=window)
    small = width < _ONE_WIDTH or height < _ONE_HEIGHT
    rest = Arrangement(
        (),
        title=not small,
        run_rows=1 if many else _run_rows(width, height, runs),
        message_rows=2 if height >= _TWO_MESSAGES_HEIGHT else 1,
        verdict_rows=min(verdict, _usual_verdict_rows(height)),
        lines=window,
    )
    wide = is_wide(width, height)
    if verdict > USUAL_VERDICT_ROWS:
        needed = facts + _FRAME_ROWS + _LEAST_BELOW_FACTS if wide else _ROOM_FOR_TWO_ROWS
        spare = _room(rest, height) + rest.verdict_rows - needed
        rest = replace(rest, verdict_rows=max(rest.verdict_rows, min(verdict, spare)))
    if enlarged or small:
        return replace(rest, rows=((panel,),), framed=height >= _FRAMED_HEIGHT)
    if wide and (not many or _room(rest, height) >= _ROOM_FOR_TWO_ROWS):
        return _for_wide(rest, waves(runs), _room(rest, height), facts)
    if many:
        return _for_many(rest, height, panel, chart, *waves(runs))
    return _for_few(rest, width, height, panel, chart, waves(runs))


def is_wide(width: int, height: int) -> bool:
    """Return True where all panels have room, and the facts as many rows as they fill."""
    return width >= _WIDE_WIDTH and height >= _FRAMED_HEIGHT


def _room(rest: Arrangement, height: int) -> int:
    """Return the rows that are left for panels."""
    lines = len(rest.lines) * rest.run_rows
    return height - rest.title - lines - rest.message_rows - rest.verdict_rows - 1


def _for_few(
    rest: Arrangement, width: int, height: int, panel: str, chart: str, waves: Sequence[str]
) -> Arrangement:
    """Add the panels of few runs, each with its waves."""
    beside = width >= _BESIDE_WIDTH
    numbers = _numbers(panel)
    top = ((numbers, chart),) if beside else ((numbers,), (chart,))
    if height >= (_FRAMED_HEIGHT if beside else _STACKED_HEIGHT):
        return replace(rest, rows=(*top, tuple(waves)))
    on_waves = panel in waves
    tabs = (Tab("losses", numbers, not on_waves), Tab("waves", waves[0], on_waves))
    return replace(rest, rows=(tuple(waves),) if on_waves else top, framed=False, tabs=tabs)


def _for_many(rest: Arrangement, height: int, panel: str, chart: str, one_wave: str) -> Arrangement:
    """Add the panels of many runs: a wide chart, and what shows a single run."""
    numbers = _numbers(panel)
    if _room(rest, height) >= _ROOM_FOR_TWO_ROWS:
        return replace(rest, rows=((chart,), (numbers, one_wave)))
    shown = panel if panel in (numbers, one_wave) else chart
    names = {"curves": chart, "losses": numbers, "waves": one_wave}
    tabs = tuple(Tab(label, name, name == shown) for label, name in names.items())
    return replace(rest, rows=((shown,),), framed=height >= _FRAMED_HEIGHT, tabs=tabs)


def _for_wide(rest: Arrangement, waves: Sequence[str], room: int, facts: int) -> Arrangement:
    """Add all panels; numbers have a column of their own, as high as the facts need if possible."""
    needed = facts + _FRAME_ROWS
    is_short = room // 2 < needed <= room - _LEAST_BELOW_FACTS
    rows = ((FACTS, VALIDATION, TRAINING), (TABLE, UPDATES, *waves))
    side = min(_FACT_NAMES + len(waves) * _FACT_CELLS, _MOST_FACT_CELLS)
    return replace(rest, rows=rows, side=side, first_rows=needed if is_short else 0)


def _numbers(panel: str) -> str:
    """Return which panel of numbers is shown where there is room for one."""
    return FACTS if panel == FACTS else TABLE


def _window(height: int, lines: int, seen: int, first: int) -> range:
    """Return which lines are shown: as near to ``first`` as the one that is ``seen`` allows."""
    rows = min(lines, int(height * _LARGEST_SHARE_OF_LINES) or 1)
    first = min(max(first, seen - rows + 1), seen, lines - rows)
    return range(first, first + rows)


def _run_rows(width: int, height: int, runs: int) -> int:
    """Return the rows of a run's line: the second has details, the third its settings.

    A wide screen has settings among the facts.
    """
    if height < _FRAMED_HEIGHT or width < _TWO_ROWS_WIDTH:
        return 1
    has_room = 3 * runs <= height * _LARGEST_SHARE_OF_RUNS
    return 3 if has_room and width < _WIDE_WIDTH else 2


def _usual_verdict_rows(height: int) -> int:
    heights = (_TWO_MESSAGES_HEIGHT, _TWO_VERDICTS_HEIGHT, _THREE_VERDICTS_HEIGHT)
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
