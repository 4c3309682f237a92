"""The keys of the Lab."""

from tui_meta.views.keys.table import Key, of_page

PRESET_KEYS = (
    Key(
        "1",
        "preset('standard')",
        "standard",
        "Standard: SineWave(4, 1), 10 points, 32 gradient steps",
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
OTHER_CHART_KEY = Key("o", "other_chart", "chart", "Toggle the chart (small screens)", 2)

LAB_KEYS = of_page(
    "lab",
    (
        Key("left,h", "move(-1, 0)", "left", "Move the cursor to the left", 3, joined=True),
        Key("down,j", "move(0, -1)", "down", "Move the cursor down", 3, joined=True),
        Key("up,k", "move(0, 1)", "up", "Move the cursor up", 3, joined=True),
        Key("right,l", "move(1, 0)", "cursor", "Move the cursor to the right", 3),
        Key("i", "place", "point", "Place a support point at the cursor (mouse: press)", 6),
        Key("c", "grab", "grab", "Grab the nearest point, or drop it (mouse: drag)", 7),
        Key("x,delete", "delete", "delete", "Delete the nearest point (mouse: right button)", 8),
        Key("comma", "step(-1)", "back", "Previous gradient step", 3, joined=True),
        Key("full_stop", "step(1)", "step", "Next gradient step", 3),
        Key("home,g", "step(-9999)", "first", "Before the first gradient step"),
        Key("end,G", "step(9999)", "last", "After the last gradient step"),
        Key("r", "replay", "replay", "Play the gradient steps in slow motion, or stop", 4),
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
        Key("enter", "type_in", "type", "Type a value of the setting", 10),
        Key("s", "freeze", "freeze", "Freeze or unfreeze live θ", 11),
        OTHER_CHART_KEY,
    ),
)
