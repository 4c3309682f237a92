"""The keys of the battery."""

from tui_meta.views.keys.table import Key, of_page

BATTERY_KEYS = of_page(
    "battery",
    (
        Key("enter", "enter", "start", "Start, or open the selected task in the Lab", 1),
        Key("less_than_sign,comma", "more(-1)", "fewer", "Fewer tasks", 3, joined=True),
        Key("greater_than_sign,full_stop", "more(1)", "tasks", "More tasks", 3),
        Key("r", "range", "half range", "Support points over the whole range or the right half", 5),
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
        Key(
            "right,l",
            "source(1)",
            "run",
            "Heat map, comparisons and worst tasks of the next run",
            7,
        ),
        Key("tab", "turn(1)", "chart", "Next chart, where only one fits", 4),
        Key("shift+tab", "turn(-1)", "previous chart", "Previous chart"),
    ),
)
