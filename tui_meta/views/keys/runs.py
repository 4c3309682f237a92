"""The keys of the Runs screen."""

from tui_meta.views.keys.table import Key, of_page

RUNS_KEYS = of_page(
    "runs",
    (
        Key("up,k", "move(-1)", "up", "Previous run; scrolls in an open run", 7, joined=True),
        Key("down,j", "move(1)", "choose", "Next run", 7),
        Key("pageup", "page(-1)", "page up", "Page up"),
        Key("pagedown", "page(1)", "page down", "Page down"),
        Key("home,g", "move(-99999)", "first", "First run"),
        Key("end,G", "move(99999)", "last", "Last run"),
        Key("enter", "open", "open", "Settings, checkpoints and evaluations of the run", 1),
        Key("space", "mark", "mark", "Mark or unmark the run", 3),
        Key("c", "compare", "compare", "Loss curves of the marked runs, or of this one", 3),
        Key("tab", "other_curves", "other curves", "Validation loss, or training loss"),
        Key("slash", "filter", "filter", "Filter by words of the name, algorithm or state", 4),
        Key(
            "s", "sort(1)", "sort", "Sort by the next column: age, name, state, iteration, best", 6
        ),
        Key("S", "sort(-1)", "previous sort", "Sort by the previous column"),
        Key("r", "resume", "resume", "Resume the run in a new session (asks first)", 4),
        Key("R", "read", "refresh", "Refresh the list", 8),
    ),
)
