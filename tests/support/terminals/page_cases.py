"""The visible effect of each key of the pages.

The session has two runs at 30 iterations a second, of which the first has three checkpoints and the
second two.
"""

from __future__ import annotations

from tests.support.terminals.keyboard import Case, falls, hides, reads, rises, shows

_SMALL = (60, 15)
_USUAL = (80, 24)

_ACROSS, _UP = r"cursor at (-?[\d.]+),", r"cursor at \S+, (-?[\d.]+)"
_POINTS, _STEP, _AMPLITUDE = r"points (\d+)", r"step (\d+) of", r"amplitude (-?[\d.]+)"
_SETTING = r"▸(\w+)"

LAB_CASES = {
    "move -1 0": Case(falls(_ACROSS)),
    "move 0 -1": Case(falls(_UP)),
    "move 0 1": Case(rises(_UP)),
    "move 1 0": Case(rises(_ACROSS)),
    "turn -1": Case(falls(_AMPLITUDE), first="1", there="▸amplitude 4.00"),
    "turn 1": Case(rises(_AMPLITUDE), first="1", there="▸amplitude 4.00"),
    "place": Case(rises(_POINTS), first="1", there="points 10 "),
    "grab": Case(shows("grabbed at"), after="H"),
    "delete": Case(falls(_POINTS), first="1", there="points 10 "),
    "step -1": Case(falls(_STEP), first="1 G", there="step 32 of 32"),
    "step 1": Case(rises(_STEP), first="1 g", there="step 0 of 32"),
    "step -9999": Case(shows("step 0 of 32"), first="1 G", there="step 32 of 32"),
    "step 9999": Case(shows("step 32 of 32"), first="1 g", there="step 0 of 32"),
    "replay": Case(shows("playing"), after="P"),
    "another": Case(rises(r"task (\d+) "), first="1", there="task 1 "),
    "preset standard": Case(shows("points 10 .*from whole", "steps 32"), first="2", there="ts 5 "),
    "preset half-range": Case(shows("points 5 ", "steps 10"), first="1", there="points 10 "),
    "preset beyond-range": Case(rises(_AMPLITUDE), first="1", there="amplitude 4.00"),
    "preset noisy": Case(shows(r"noise 0\.\d"), first="1", there="noise 0 "),
    "preset one-point": Case(shows("points 1 "), first="1", there="points 10 "),
    "preset contradictory": Case(shows("points 10 "), first="5", there="points 1 "),
    "choose_next 1": Case(reads(_SETTING)),
    "choose_next -1": Case(reads(_SETTING)),
    "type_in": Case(shows("enter: apply"), after="escape"),
    "freeze": Case(shows("θ frozen"), after="z"),
    "other_chart": Case(shows("loss per step"), there="o chart", after="o", size=_SMALL),
}

_CHECKPOINT = r"checkpoint (\d+) of"
_LOSS = r"loss ([\d.]+) at step"
_NEWEST, _OLDEST = r"checkpoint (\d+) of \1,", "checkpoint 1 of"
_TASK = r"([\d.]+·sin\(x \+ [\d.]+\)), \d+ points?"
_STANDARD = r"4\.00·sin\(x \+ 1\.00\), 10 points"

TIME_MACHINE_CASES = {
    "travel -1": Case(falls(_CHECKPOINT), first="G", there=_NEWEST),
    "travel 1": Case(rises(_CHECKPOINT), first="g", there=_OLDEST),
    "travel -9999": Case(shows(_OLDEST), first="G", there=_NEWEST),
    "travel 9999": Case(shows(_NEWEST), first="g", there=_OLDEST),
    "other_path": Case(shows(r"evaluation [\d,]+ of"), there=_CHECKPOINT, after="E"),
    "change_run -1": Case(reads(_LOSS), there=_LOSS),
    "change_run 1": Case(reads(_LOSS), there=_LOSS),
    "step -1": Case(falls(_STEP), first="1", there="step 32 of 32"),
    "step 1": Case(rises(_STEP), first="1 comma comma", there="step 30 of 32"),
    "preset standard": Case(shows("of 32 ", _STANDARD), first="2", there=", 5 points"),
    "preset half-range": Case(shows("of 10 ", ", 5 points"), first="1", there=_STANDARD),
    "preset beyond-range": Case(reads(_TASK), first="1", there=_STANDARD),
    "preset noisy": Case(reads(_TASK), first="1", there=_STANDARD),
    "preset one-point": Case(shows(", 1 point"), first="1", there=_STANDARD),
    "preset contradictory": Case(shows(", 10 points"), first="5", there=", 1 point"),
    "another": Case(reads(_TASK), there=_TASK),
    "other_chart": Case(shows("validation loss"), there="o chart", after="o", size=_SMALL),
}

_TASKS, _MAP = r"next: (?:\S+: )?([\d,]+) tasks", "amplitude 0.0"
_WORST = r"▸ +(\d+ +[\d.]+ +[\d.]+·sin)"
_CHOSEN = "▸ next: "
_LAST_OF_TEN = r"▸ +\d+ +[\d.]+ +[\d.]+·sin.*\n(?!.*·sin)"

BATTERY_CASES = {
    "more -1": Case(falls(_TASKS), first=5 * "plus ", there="10,000 tasks"),
    "more 1": Case(rises(_TASKS), first=5 * "minus ", there=r"next: (?:\S+: )?100 tasks"),
    "protocol": Case(reads(r"next: .* tasks, (\d+) (?:support )?points")),
    "open": Case(shows("enter: apply"), after="escape"),
    "reseed 1": Case(rises(r"seed (\d+)")),
    "reseed -1": Case(falls(r"seed (\d+)"), there="seed [1-9]"),
    "start": Case(shows("worst tasks of", "mean loss of")),
    "select -1": Case(reads(_WORST), first="end", there=_LAST_OF_TEN),
    "select 1": Case(reads(_WORST), first="home", there=_CHOSEN),
    "select -99": Case(shows(_CHOSEN), first="end", there=_WORST),
    "select 99": Case(shows(_WORST), first="home", there=_CHOSEN),
    "source -1": Case(reads(r"worst tasks of (\w+)")),
    "source 1": Case(reads(r"worst tasks of (\w+)")),
    "turn 1": Case(shows(_MAP), there="⠒⠒ FOMAML", size=_USUAL),
    "turn -1": Case(hides(_MAP), there=_MAP, size=_USUAL),
    "back": Case(hides("·  Battery"), first="home", there=_CHOSEN, after="b"),
}

_AFTER, _RUN = r"FOMAML after ([\d,]+)", r"▸(FOMAML|Reptile)"

GEOMETRY_CASES = {
    "ask_again": Case(rises(_AFTER), there=_AFTER),
    "follow": Case(shows("following, once per second"), after="z"),
    "choose 1": Case(reads(_RUN), there=_RUN, size=_USUAL),
    "choose -1": Case(reads(_RUN), there=_RUN, size=_USUAL),
    "choose -99": Case(shows("▸FOMAML"), first="end", there="▸Reptile", size=_USUAL),
    "choose 99": Case(shows("▸Reptile"), first="home", there="▸FOMAML", size=_USUAL),
}

_FIRST, _SECOND = r"\A(?:.*\n){3}▸", r"\A(?:.*\n){4}▸"
_READING = r"· at [\d,]+"
_LIST, _ORDER = r": 2 runs .* by ", r": 2 runs .* by (\w+)"

RUNS_CASES = {
    "move -1": Case(shows(_FIRST), first="end", there=_SECOND),
    "move 1": Case(shows(_SECOND), first="home", there=_FIRST),
    "page -1": Case(shows(_FIRST), first="end", there=_SECOND),
    "page 1": Case(shows(_SECOND), first="home", there=_FIRST),
    "move -99999": Case(shows(_FIRST), first="end", there=_SECOND),
    "move 99999": Case(shows(_SECOND), first="home", there=_FIRST),
    "sort 1": Case(reads(_ORDER), there=_LIST),
    "sort -1": Case(reads(_ORDER), there=_LIST),
    "mark": Case(shows("1 marked"), first="home", there=_FIRST),
    "open": Case(shows("Settings that differ"), there=_LIST, after="escape"),
    "compare": Case(shows("o other curves"), there=_LIST, after="escape"),
    "other_curves": Case(
        reads("─ (training loss|validation:)"), first="C", there="o other", after="o"
    ),
    "filter": Case(shows("filter /"), first="escape", there=_LIST, after="escape"),
    "resume": Case(shows("already in this session"), there=_LIST),
    "lens scale": Case(shows("linear scale"), there=_LIST, after="L"),
    "lens window": Case(shows("the last 10%"), there=_LIST, after="W W"),
    "lens x": Case(shows("x axis in tasks"), there=_LIST, after="X X X X"),
    "lens x_scale": Case(shows("logarithmic x axis"), there=_LIST, after="ctrl+x"),
    "lens smoothing": Case(shows("nothing to smooth"), there=_LIST),
    "cursor": Case(shows(_READING), there=_LIST, after="x"),
    "steer -1": Case(shows(_READING), there=_LIST, after="escape"),
    "steer 1": Case(shows(_READING), there=_LIST, after="escape"),
}

_ROWS, _SORTED = r"this session: \d of 2 runs", r"this session: .* by ([\w ]+)"
_TOP, _BELOW = r"\A(?:.*\n){4}▸", r"\A(?:.*\n){5}▸"

SWEEP_CASES = {
    "move -1": Case(shows(_TOP), first="end", there=_BELOW),
    "move 1": Case(shows(_BELOW), first="home", there=_TOP),
    "page -1": Case(shows(_TOP), first="end", there=_BELOW),
    "page 1": Case(shows(_BELOW), first="home", there=_TOP),
    "move -99999": Case(shows(_TOP), first="end", there=_BELOW),
    "move 99999": Case(shows(_BELOW), first="home", there=_TOP),
    "sort 1": Case(reads(_SORTED), there=_ROWS),
    "sort -1": Case(reads(_SORTED), there=_ROWS),
    "open": Case(shows("training loss"), there=_ROWS, after="escape"),
    "filter": Case(shows("filter /"), there=_ROWS, after="escape"),
    "other_chart": Case(shows("no other chart"), there=_ROWS),
    "axis x": Case(shows("for the x axis"), there=_ROWS),
    "axis y": Case(shows("for the y axis"), there=_ROWS),
    "loss_scale": Case(shows("loss axis: linear"), there=_ROWS, after="L"),
    "folder": Case(shows("enter: apply"), there=_ROWS, after="escape"),
}

MESSAGES_SIZE = (120, 15)
"""Fewer rows than there are messages: of the start, of saving, and 20 of random tasks."""
NEWEST_SEEN = r"\n\d\d:\d\d:\d\d  (.{30}).*\n\1"
"""The last row has the same message as the status line below."""
_OLDEST_SEEN = r"\A.*\n\d\d:\d\d:\d\d  training \("


MESSAGES_CASES = {
    "scroll -1": Case(hides(NEWEST_SEEN), first="end", there=NEWEST_SEEN),
    "scroll 1": Case(shows(r"\A.*\n.*save requested"), first="home", there=_OLDEST_SEEN),
    # On a busy machine the results of two runs come as two messages: more than a page of them.
    "page -1": Case(hides(NEWEST_SEEN), first="end", there=NEWEST_SEEN),
    "page 1": Case(shows(r"\A.*\n.*random task"), first="home", there=_OLDEST_SEEN),
    "scroll -9999": Case(shows(_OLDEST_SEEN), first="end", there=NEWEST_SEEN),
    "scroll 9999": Case(shows(NEWEST_SEEN), first="home", there=_OLDEST_SEEN),
    "back": Case(hides("·  Messages"), there=NEWEST_SEEN, after="m"),
}

PAGE_CASES = {
    "lab": LAB_CASES,
    "time-machine": TIME_MACHINE_CASES,
    "battery": BATTERY_CASES,
    "geometry": GEOMETRY_CASES,
    "runs": RUNS_CASES,
    "sweep": SWEEP_CASES,
    "messages": MESSAGES_CASES,
}
"""By page and by the names of the keys."""
