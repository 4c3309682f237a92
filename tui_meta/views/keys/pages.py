"""The keys of each page, beside those that work everywhere."""

from tui_meta.views.keys.table import Key, of_page

_PRESETS = (
    Key("1", "preset('standard')", "standard", "Standard: SineWave(4, 1), 10 points, 32 updates"),
    Key("2", "preset('half-range')", "half range", "Half range: 5 points right of the middle"),
    Key(
        "3",
        "preset('beyond-range')",
        "beyond range",
        "Waves taller than any that was trained on",
    ),
    Key("4", "preset('noisy')", "noisy", "Noisy: points beside the wave"),
    Key("5", "preset('one-point')", "one point", "One point alone"),
    Key("6", "preset('contradictory')", "contradictory", "Contradictory: two points at every x"),
)
_OTHER_CHART = Key("o", "other_chart", "chart", "The other chart, where one has room", 2)

LAB_KEYS = of_page(
    "lab",
    (
        Key("left,h", "move(-1, 0)", "left", "Move the cursor to the left", 3, joined=True),
        Key("down,j", "move(0, -1)", "down", "Move the cursor down", 3, joined=True),
        Key("up,k", "move(0, 1)", "up", "Move the cursor up", 3, joined=True),
        Key("right,l", "move(1, 0)", "cursor", "Move the cursor to the right", 3),
        Key("i", "place", "point", "Place a support point at the cursor (mouse: press)", 6),
        Key("c", "carry", "carry", "Carry the nearest point, or put it down (mouse: drag)", 7),
        Key("x,delete", "delete", "delete", "Delete the nearest point (mouse: right button)", 8),
        Key("comma", "step(-1)", "back", "One gradient step back", 3, joined=True),
        Key("full_stop", "step(1)", "step", "One gradient step on", 3),
        Key("home,g", "step(-9999)", "first", "Before the first gradient step"),
        Key("end,G", "step(9999)", "last", "After the last gradient step"),
        Key("r", "replay", "replay", "Play the steps in slow motion, or stop", 4),
        Key("n", "another", "next", "The next task of the same kind", 5),
        *_PRESETS,
        Key("tab", "choose_next(1)", "setting", "The next setting, then the θ of each run", 9),
        Key("shift+tab", "choose_next(-1)", "previous", "The setting before"),
        Key(
            "minus,underscore",
            "turn(-1)",
            "less",
            "Less of the setting; of a θ, an older checkpoint",
            9,
            joined=True,
        ),
        Key("plus,equals_sign", "turn(1)", "change", "More of the setting; of a θ, a newer one", 9),
        Key("enter", "type_in", "type", "Type a value for the setting", 10),
        Key("s", "still", "still", "Hold live θ still, or follow the training again", 11),
        _OTHER_CHART,
    ),
)

TIME_MACHINE_KEYS = of_page(
    "time-machine",
    (
        Key("left,h", "travel(-1)", "earlier", "To the one before", 2, joined=True),
        Key("right,l", "travel(1)", "travel", "To the next checkpoint, or evaluation", 2),
        Key(
            "tab",
            "other_path",
            "evaluations",
            "Move through evaluations, each with its own task, or through checkpoints",
            3,
        ),
        Key("home,g", "travel(-9999)", "first", "The oldest there is"),
        Key("end,G", "travel(9999)", "newest", "The newest; follow those to come", 7),
        Key("up,k", "change_run(-1)", "run before", "The run before", 4, joined=True),
        Key("down,j", "change_run(1)", "run", "The next run", 4),
        Key("comma", "step(-1)", "back", "One gradient step back", 3, joined=True),
        Key("full_stop", "step(1)", "step", "One gradient step on", 3),
        *_PRESETS,
        Key("n", "another", "next task", "The next task of the same kind", 6),
        _OTHER_CHART,
    ),
)

BATTERY_KEYS = of_page(
    "battery",
    (
        Key("enter", "enter", "start", "Start, or open the chosen task in the Lab", 1),
        Key("less_than_sign,comma", "more(-1)", "fewer", "Fewer tasks", 3, joined=True),
        Key("greater_than_sign,full_stop", "more(1)", "tasks", "More tasks", 3),
        Key("r", "range", "half range", "Points from the whole or from half the range", 5),
        Key("n", "reseed(1)", "seed", "Other tasks: the next seed", 6),
        Key("N", "reseed(-1)", "seed back", "The seed before"),
        Key("up,k", "select(-1)", "up", "The task above of the worst ten", 4, joined=True),
        Key("down,j", "select(1)", "worst", "The task below of the worst ten", 4),
        Key("home,g", "select(-99)", "settings", "Back to the settings"),
        Key("end,G", "select(99)", "last", "The last of the worst ten"),
        Key(
            "left,h",
            "source(-1)",
            "whose before",
            "Map, pairs and tasks of the one before",
            7,
            joined=True,
        ),
        Key("right,l", "source(1)", "whose", "Map, pairs and tasks of the next one", 7),
        Key("tab", "turn(1)", "chart", "Next chart, where there is room for one", 4),
        Key("shift+tab", "turn(-1)", "chart before", "The chart before"),
    ),
)

GEOMETRY_KEYS = of_page(
    "geometry",
    (
        Key("enter", "ask_again", "newest", "Ask for the newest iteration", 1),
        Key("space", "follow", "follow", "Follow the training: ask once a second", 2),
        Key("tab,right,down,l,j", "choose(1)", "next run", "The next run", 3),
        Key("shift+tab,left,up,h,k", "choose(-1)", "before", "The run before"),
        Key("home,g", "choose(-99)", "first", "The first run"),
        Key("end,G", "choose(99)", "last", "The last run"),
    ),
)

RUNS_KEYS = of_page(
    "runs",
    (
        Key("up,k", "move(-1)", "up", "The run above; scrolls where one is open", 7, joined=True),
        Key("down,j", "move(1)", "choose", "The run below", 7),
        Key("pageup", "page(-1)", "page up", "A page up"),
        Key("pagedown", "page(1)", "page down", "A page down"),
        Key("home,g", "move(-99999)", "first", "The first run"),
        Key("end,G", "move(99999)", "last", "The last run"),
        Key("enter", "open", "open", "Settings, checkpoints and evaluations of the run", 1),
        Key("space", "mark", "mark", "Mark the run, or no longer", 3),
        Key("c", "compare", "compare", "Curves of the marked runs, or of this one", 3),
        Key("tab", "other_curves", "other curves", "Loss after adaptation, or in training"),
        Key("slash", "filter", "filter", "Only runs with certain words", 4),
        Key("s", "sort(1)", "sort", "In the next order: age, name, state, iteration, best", 6),
        Key("S", "sort(-1)", "order before", "In the order before"),
        Key("r", "resume", "go on", "Let the run train on, in a session of its own; asks first", 4),
        Key("R", "read", "read again", "Read the folder again", 8),
    ),
)

MESSAGES_KEYS = of_page(
    "messages",
    (
        Key("up,k", "scroll(-1)", "older", "Older messages", 5, joined=True),
        Key("down,j", "scroll(1)", "scroll", "Newer messages", 5),
        Key("pageup", "page(-1)", "page up", "A page of older messages"),
        Key("pagedown", "page(1)", "page down", "A page of newer messages"),
        Key("home,g", "scroll(-9999)", "first", "The first message"),
        Key("end,G", "scroll(9999)", "newest", "The newest message; follow it", 6),
    ),
)

PAGE_TABLES = {
    "lab": LAB_KEYS,
    "time-machine": TIME_MACHINE_KEYS,
    "battery": BATTERY_KEYS,
    "geometry": GEOMETRY_KEYS,
    "runs": RUNS_KEYS,
    "messages": MESSAGES_KEYS,
}
"""The keys of all pages, by the names of the pages."""
