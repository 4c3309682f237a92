"""The keys of all screens but Watch."""

from tui_meta.views.keys.table import Key, of_page
from tui_meta.views.keys.watch import CHART_KEYS

PRESET_KEYS = (
    Key(
        "1",
        "preset('standard')",
        "standard",
        "Standard: a fixed task, 10 points, 32 gradient steps",
    ),
    Key("2", "preset('half-range')", "half range", "Half range: 5 points in the right half"),
    Key(
        "3",
        "preset('beyond-range')",
        "beyond range",
        "Beyond range: amplitudes larger than in training",
    ),
    Key("4", "preset('noisy')", "noisy", "Noisy support points"),
    Key("5", "preset('one-point')", "one point", "A single support point"),
    Key("6", "preset('contradictory')", "contradictory", "Contradictory: two y values at every x"),
)
OTHER_CHART_KEY = Key("o", "other_chart", "chart", "Other chart, below 76 columns or 20 rows", 2)

LAB_KEYS = of_page(
    "lab",
    Key("left,h", "move(-1, 0)", "left", "Move the cursor to the left", 3, joined=True),
    Key("down,j", "move(0, -1)", "down", "Move the cursor down", 3, joined=True),
    Key("up,k", "move(0, 1)", "up", "Move the cursor up", 3, joined=True),
    Key("right,l", "move(1, 0)", "cursor", "Move the cursor to the right", 3),
    Key("A,insert", "place", "point", "Add a support point at the cursor (mouse: press)", 6),
    Key("H", "grab", "grab", "Grab and hold the nearest point, or drop it (mouse: drag)", 7),
    Key(
        "D,delete,backspace",
        "delete",
        "delete",
        "Delete the nearest point (mouse: right button)",
        8,
    ),
    Key("comma", "step(-1)", "back", "Previous gradient step", 3, joined=True),
    Key("full_stop", "step(1)", "step", "Next gradient step", 3),
    Key("home,g", "step(-9999)", "first", "Before the first gradient step"),
    Key("end,G", "step(9999)", "last", "After the last gradient step"),
    Key("P", "replay", "replay", "Play the gradient steps in slow motion, or stop", 4),
    Key("n", "another", "new task", "Next task of the same kind", 5),
    *PRESET_KEYS,
    Key("tab", "choose_next(1)", "setting", "Next setting, then the θ of each run", 9),
    Key("shift+tab", "choose_next(-1)", "previous", "Previous setting"),
    Key(
        "minus,underscore",
        "turn(-1)",
        "less",
        "Decrease the setting; for a θ, an older checkpoint",
        9,
        joined=True,
    ),
    Key(
        "plus,equals_sign",
        "turn(1)",
        "change",
        "Increase the setting; for a θ, a newer checkpoint",
        9,
    ),
    Key("enter", "type_in", "type", "Open the setting, to type a value", 10),
    Key("z", "freeze", "freeze", "Freeze or unfreeze live θ", 11),
    OTHER_CHART_KEY,
)

TIME_MACHINE_KEYS = of_page(
    "time-machine",
    Key("left,h", "travel(-1)", "earlier", "Previous checkpoint or evaluation", 2, joined=True),
    Key("right,l", "travel(1)", "checkpoint", "Next checkpoint or evaluation", 2),
    Key(
        "E",
        "other_path",
        "evaluations",
        "Move through evaluations, each with its own task, or through checkpoints",
        3,
    ),
    Key("home,g", "travel(-9999)", "first", "First checkpoint or evaluation"),
    Key(
        "end,G", "travel(9999)", "newest", "Newest checkpoint or evaluation, following new ones", 7
    ),
    Key("up,k", "change_run(-1)", "previous run", "Previous run", 4, joined=True),
    Key("down,j", "change_run(1)", "run", "Next run", 4),
    Key("comma", "step(-1)", "back", "Previous gradient step", 3, joined=True),
    Key("full_stop", "step(1)", "step", "Next gradient step", 3),
    *PRESET_KEYS,
    Key("n", "another", "new task", "Next task of the same kind", 6),
    OTHER_CHART_KEY,
)

BATTERY_KEYS = of_page(
    "battery",
    Key("e", "start", "start", "Start: evaluate all runs and a random initialisation", 1),
    Key(
        "enter",
        "open",
        "open",
        "Open what is selected: the settings, to type them, or a task in the Lab",
        2,
    ),
    Key("minus,underscore", "more(-1)", "fewer", "Fewer tasks", 3, joined=True),
    Key("plus,equals_sign", "more(1)", "tasks", "More tasks", 3),
    Key("F", "protocol", "protocol", "Next few-shot protocol: points, interval, steps, rate", 5),
    Key("n", "reseed(1)", "seed", "Other tasks: next seed", 6),
    Key("N", "reseed(-1)", "previous seed", "Other tasks: previous seed"),
    Key("up,k", "select(-1)", "up", "Previous of the ten worst tasks", 4, joined=True),
    Key("down,j", "select(1)", "task", "Next of the ten worst tasks", 4),
    Key("home,g", "select(-99)", "settings", "Back to the settings"),
    Key("end,G", "select(99)", "last", "Last of the ten worst tasks"),
    Key(
        "left,h",
        "source(-1)",
        "previous run",
        "Heat map, comparisons and worst tasks of the previous run",
        7,
        joined=True,
    ),
    Key("right,l", "source(1)", "run", "Heat map, comparisons and worst tasks of the next run", 7),
    Key("tab", "turn(1)", "chart", "Next chart, where only one fits", 4),
    Key("shift+tab", "turn(-1)", "previous chart", "Previous chart"),
)

GEOMETRY_KEYS = of_page(
    "geometry",
    Key("R", "ask_again", "newest", "Trace the newest iteration", 1),
    Key("z", "follow", "follow", "Follow training: trace once per second, or freeze", 2),
    Key("tab,right,down,l,j", "choose(1)", "next run", "Next run", 3),
    Key("shift+tab,left,up,h,k", "choose(-1)", "previous run", "Previous run"),
    Key("home,g", "choose(-99)", "first", "First run"),
    Key("end,G", "choose(99)", "last", "Last run"),
)

RUNS_KEYS = of_page(
    "runs",
    Key("up,k", "move(-1)", "up", "Previous run; scrolls in an open run", 7, joined=True),
    Key("down,j", "move(1)", "choose", "Next run", 7),
    Key("pageup", "page(-1)", "page up", "Page up"),
    Key("pagedown", "page(1)", "page down", "Page down"),
    Key("home,g", "move(-99999)", "first", "First run; with a cursor, the first point"),
    Key("end,G", "move(99999)", "last", "Last run; with a cursor, the newest point"),
    Key("left,h", "steer(-1)", "left", "Read values from the chart: cursor to the left"),
    Key("right,l", "steer(1)", "right", "Read values from the chart: cursor to the right"),
    Key("enter", "open", "open", "Settings, checkpoints and evaluations of the run", 1),
    Key("M", "mark", "mark", "Mark or unmark the run, and go to the next", 3),
    Key("C", "compare", "compare", "Loss curves of the marked runs, or of this one", 3),
    Key("o", "other_curves", "other curves", "Validation loss, or training loss"),
    *CHART_KEYS,
    Key("slash", "filter", "filter", "Filter by words of the name, algorithm or state", 4),
    Key(
        "O",
        "sort(1)",
        "sort",
        "Order by the next column: age, name, state, iteration, validation",
        6,
    ),
    Key("ctrl+o", "sort(-1)", "previous sort", "Order by the previous column"),
    Key("c", "resume", "resume", "Continue the run in a new session (asks first)", 4),
)

SWEEP_KEYS = of_page(
    "sweep",
    Key("up,k", "move(-1)", "up", "Previous group, or run of an opened group", 7, joined=True),
    Key("down,j", "move(1)", "choose", "Next group, or run", 7),
    Key("pageup", "page(-1)", "page up", "Page up"),
    Key("pagedown", "page(1)", "page down", "Page down"),
    Key("home,g", "move(-99999)", "first", "First group or run"),
    Key("end,G", "move(99999)", "last", "Last group or run"),
    Key("enter", "open", "open", "The runs of the group", 1),
    Key(
        "o",
        "other_chart",
        "chart",
        "Next chart: heat map, loss over a setting, settings in parallel, curves",
        3,
    ),
    Key("X", "axis('x')", "x axis", "X axis of the chart: next setting", 6),
    Key("Y", "axis('y')", "y axis", "Y axis of the heat map: next setting", 6),
    Key("L", "loss_scale", "scale", "Loss axis of the chart: logarithmic or linear", 11),
    Key("slash", "filter", "filter", "Filter by words of the group, its settings or states", 4),
    Key("O", "sort(1)", "sort", "Order by the next column", 5),
    Key("ctrl+o", "sort(-1)", "previous sort", "Order by the previous column"),
    Key("ctrl+f", "folder", "folder", "Open the folder of another sweep; esc returns", 8),
)

MESSAGES_KEYS = of_page(
    "messages",
    Key("up,k", "scroll(-1)", "older", "Older messages", 5, joined=True),
    Key("down,j", "scroll(1)", "scroll", "Newer messages", 5),
    Key("pageup", "page(-1)", "page up", "Page of older messages"),
    Key("pagedown", "page(1)", "page down", "Page of newer messages"),
    Key("home,g", "scroll(-9999)", "first", "First message"),
    Key("end,G", "scroll(9999)", "newest", "Newest message, following new ones", 6),
)

PAGE_TABLES = {
    "lab": LAB_KEYS,
    "time-machine": TIME_MACHINE_KEYS,
    "battery": BATTERY_KEYS,
    "geometry": GEOMETRY_KEYS,
    "runs": RUNS_KEYS,
    "sweep": SWEEP_KEYS,
    "messages": MESSAGES_KEYS,
}
"""The keys of all pages, by the names of the pages."""
