"""The keys of the time machine."""

from tui_meta.views.keys.lab import OTHER_CHART_KEY, PRESET_KEYS
from tui_meta.views.keys.table import Key, of_page

TIME_MACHINE_KEYS = of_page(
    "time-machine",
    (
        Key("left,h", "travel(-1)", "earlier", "Previous checkpoint or evaluation", 2, joined=True),
        Key("right,l", "travel(1)", "checkpoint", "Next checkpoint or evaluation", 2),
        Key(
            "tab",
            "other_path",
            "evaluations",
            "Move through evaluations, each with its own task, or through checkpoints",
            3,
        ),
        Key("home,g", "travel(-9999)", "first", "First checkpoint or evaluation"),
        Key(
            "end,G",
            "travel(9999)",
            "newest",
            "Newest checkpoint or evaluation, following new ones",
            7,
        ),
        Key("up,k", "change_run(-1)", "previous run", "Previous run", 4, joined=True),
        Key("down,j", "change_run(1)", "run", "Next run", 4),
        Key("comma", "step(-1)", "back", "Previous gradient step", 3, joined=True),
        Key("full_stop", "step(1)", "step", "Next gradient step", 3),
        *PRESET_KEYS,
        Key("n", "another", "new task", "Next task of the same kind", 6),
        OTHER_CHART_KEY,
    ),
)
