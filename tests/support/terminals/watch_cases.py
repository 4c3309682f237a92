"""The visible effect of each key of the watch screen, in the order of a run's life.

The runs train at 100 iterations a second and have a target of 3,000.
"""

from __future__ import annotations

import re

from tests.support.terminals.keyboard import (
    Case,
    Sight,
    changes_by,
    falls,
    hides,
    reads,
    rises,
    shows,
)

PAUSED = r"FOMAML +paused (?s:.*)Reptile +paused "
STILL = rf"(?s)\A(?!.*pausing).*{PAUSED}"
"""The message of an earlier pause may still be shown when another has begun."""
_COUNT = r"FOMAML +\w+ +([\d,]+) / "
_PACE = r"pace ([\d,]+) it/s"
_FOCUS = r"┏━ ([^━]+) ━"
_ON_TABLE = r"┏━ one random task each ━"
_TO_TABLE = "k k k k j j"
_ROW = r"[┃│] +([\d,]+) +\d+\.\d+ +[\d.]+ "
_ALONE = r"(?s)\A(?!.*╭)"


def _steps(count: int) -> Sight:
    return changes_by(_COUNT, lambda by: by == count)


def _at_first_row(screen: str) -> bool:
    found = re.search(_ROW, screen)
    return found is not None and found.group(1) == "10"


def _past_first_row(screen: str) -> bool:
    found = re.search(_ROW, screen)
    return found is not None and found.group(1) != "10"


WATCH_CASES = {
    "pause": Case(shows(PAUSED), there=r"FOMAML +training", after="space"),
    # When this appears all runs train again: an earlier pause would be of some only.
    "save": Case(shows(r"^saved \S+")),
    "step": Case(_steps(1), first="space", there=STILL),
    "step 10": Case(_steps(10), there=PAUSED),
    "step 100": Case(_steps(100), there=PAUSED),
    "lens scale": Case(shows("linear scale"), after="L"),
    "lens window": Case(shows("the last 10%"), after="W W"),
    "lens x": Case(shows("x axis in tasks"), after="X X X X"),
    "lens x_scale": Case(shows("logarithmic x axis"), after="ctrl+x"),
    "lens smoothing": Case(shows("nothing to smooth")),
    "cursor": Case(shows(r"at [\d,]+: FOMAML"), after="x"),
    "freeze": Case(shows("view frozen"), after="z"),
    "evaluate random": Case(shows(r"^random task, .*FOMAML .* → ")),
    "evaluate standard": Case(shows(r"^standard\b.*FOMAML .* → ")),
    "evaluate half-range": Case(shows(r"^half range\b.*FOMAML .* → ")),
    "evaluate compare": Case(shows("━ loss per step")),
    "focus_panel 1": Case(reads(_FOCUS)),
    "focus_panel -1": Case(reads(_FOCUS)),
    "move up": Case(reads(_FOCUS), first=_TO_TABLE, there=_ON_TABLE),
    "move down": Case(reads(_FOCUS), first=_TO_TABLE, there=_ON_TABLE),
    "move left": Case(shows(_ON_TABLE), first=f"{_TO_TABLE} l", there="┏━ (?!one random )"),
    "move right": Case(reads(_FOCUS), first=_TO_TABLE, there=_ON_TABLE),
    "enlarge": Case(shows(_ALONE), after="escape"),
    "back": Case(hides(_ALONE), first="enter", there=_ALONE),
    "scroll_table -1": Case(falls(_ROW), first=f"{_TO_TABLE} G", there=_past_first_row),
    "scroll_table 1": Case(rises(_ROW), first=f"{_TO_TABLE} g", there=_at_first_row),
    "go_to_end -1": Case(falls(_ROW), first=f"{_TO_TABLE} G", there=_past_first_row),
    "go_to_end 1": Case(rises(_ROW), first=f"{_TO_TABLE} g", there=_at_first_row),
    "pace -1": Case(falls(_PACE)),
    "pace 1": Case(rises(_PACE)),
    "pace 9": Case(
        shows("pace full speed"), after=9 * "less_than_sign " + 4 * "greater_than_sign "
    ),
    "continue": Case(
        shows("FOMAML .* 6,000 / 6,000", "Reptile .* 6,000 / 6,000"),
        first="U space",  # at full speed, or waiting would take a minute
        there=r"FOMAML +finished(?s:.*)Reptile +finished",
    ),
    "add": Case(shows("━ another run, as FOMAML "), after="escape"),
    "restart": Case(shows(r"new runs\?"), after="escape"),
}
"""By the names of the keys."""
