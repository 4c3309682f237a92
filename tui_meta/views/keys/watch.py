"""The keys of the watch screen."""

from tui_meta.views.keys.table import APP_KEYS, ROOMY, SCREEN_KEYS, Key

RUN_KEYS = (
    Key(
        "space",
        "pause",
        "pause",
        "Pause or resume training: all runs, or only the run whose line has the focus",
        1,
    ),
    Key(
        "full_stop", "step", "step", "One iteration of each paused run (or of the one in focus)", 4
    ),
    Key("T", "step(10)", "10 iterations", "Ten iterations of each paused run"),
    Key("ctrl+t", "step(100)", "100 iterations", "A hundred iterations of each paused run"),
    Key("s", "save", "save", "Save a checkpoint of all runs (or of the one in focus)", 5),
    Key("c", "continue", "continue", "Continue a finished run for as many iterations again", 3),
    Key(
        "less_than_sign",
        "pace(-1)",
        "slower",
        "Slower, down to one iteration per second (all runs, or the one in focus)",
        8,
        joined=True,
    ),
    Key(
        "greater_than_sign",
        "pace(1)",
        "pace",
        "Faster, up to full speed (all runs, or the one in focus)",
        8,
    ),
    Key("U", "pace(9)", "full speed", "Full speed (all runs, or the one in focus)", 8),
    Key(
        "plus,equals_sign",
        "add",
        "add run",
        "Begin another run beside the present ones, with the settings of the one in focus",
        10,
    ),
    Key(
        "r",
        "restart",
        "restart",
        "Start new runs with the next seed (asks first; the current runs are saved)",
        10,
    ),
)
"""Keys that send a command to the runs."""

EVALUATION_KEYS = (
    Key(
        "e",
        "evaluate('random')",
        "evaluate",
        "Evaluate on a random task: 10 points, 32 gradient steps; the same task for all runs",
        6,
    ),
    Key(
        "1",
        "evaluate('standard')",
        "standard",
        "Standard evaluation: a fixed task, 10 points, 32 gradient steps",
        7,
    ),
    Key(
        "2",
        "evaluate('half-range')",
        "half range",
        "Half-range evaluation: a fixed task, 5 points in the right half, 10 gradient steps",
        7,
    ),
    Key(
        "S",
        "evaluate('compare')",
        "per step",
        "Loss per gradient step of all runs in one chart, on the half-range task",
        7,
    ),
)
"""Keys that evaluate."""

CHART_KEYS = (
    Key("L", "lens('scale')", "scale", "Loss axis of the chart: logarithmic or linear", ROOMY),
    Key(
        "W",
        "lens('window')",
        "window",
        "Iterations in the chart: all, the last 10%, or the newest only",
        ROOMY,
    ),
    Key(
        "X",
        "lens('x')",
        "x axis",
        "X axis of the chart: iterations, tasks, points, gradient evaluations or seconds",
        ROOMY,
    ),
    Key("ctrl+x", "lens('x_scale')", "x scale", "X axis of the chart: linear or logarithmic"),
    Key("u", "lens('smoothing')", "smooth", "Curve of the chart: smoothed, or every point"),
    Key(
        "x",
        "cursor",
        "cursor",
        "Cursor to read values from the chart (arrows, h and l move it; esc closes it)",
        ROOMY,
    ),
)
"""Keys that change how a chart is shown, also on Runs."""

VIEW_KEYS = (
    Key("tab", "focus_panel(1)", "next", "Next panel", 9),
    Key("shift+tab", "focus_panel(-1)", "previous", "Previous panel"),
    Key("up,k", "move('up')", "up", "Panel or run above; in an enlarged table, a row up"),
    Key("down,j", "move('down')", "down", "Panel or run below; in an enlarged table, a row down"),
    Key("left,h", "move('left')", "left", "Panel to the left; with a cursor, move it"),
    Key("right,l", "move('right')", "right", "Panel to the right; with a cursor, move it"),
    Key(
        "enter",
        "enlarge",
        "enlarge",
        "Enlarge the focused panel, or restore it; on the line of a group, show its runs",
        9,
    ),
    Key(
        "escape",
        "back",
        "back",
        "Back: close the cursor, a frozen view, an enlarged panel, your own evaluation or a group",
        2,
    ),
    Key("pageup", "scroll_table(-1)", "older", "Scroll the loss table to older rows"),
    Key("pagedown", "scroll_table(1)", "newer", "Scroll the loss table to newer rows"),
    Key(
        "home,g",
        "go_to_end(-1)",
        "first",
        "First row of the loss table; with a cursor, the first point of the curve",
    ),
    Key(
        "end,G",
        "go_to_end(1)",
        "newest",
        "Newest row of the loss table, following new rows; with a cursor, the newest point",
    ),
    *CHART_KEYS,
    Key(
        "z",
        "freeze",
        "freeze",
        "Freeze the table and charts while training continues; z or esc unfreezes them",
        ROOMY,
    ),
)
"""Keys that change the view only."""

COMMAND_KEYS = RUN_KEYS + EVALUATION_KEYS
"""Keys that a read-only session does not offer."""

GROUPS = (
    ("Training", RUN_KEYS),
    ("Evaluate", EVALUATION_KEYS),
    ("View", VIEW_KEYS),
    ("Screens", SCREEN_KEYS),
    ("Program", APP_KEYS),
)
"""Keys of the watch screen, as the help lists them."""
