"""Every key of the dashboard: the one table from which bindings, footer and help are made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

ROOMY = 11
"""Keys of this rank stand in the footer only where everything else does, in full."""

_READ = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "escape": "esc",
    "pageup": "page up",
    "pagedown": "page down",
    "delete": "del",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "comma": ",",
    "full_stop": ".",
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "minus": "-",
    "underscore": "_",
    "plus": "+",
    "equals_sign": "=",
}
"""How a person reads a key that the terminal library calls otherwise."""

KEY_NAMES = {*_READ, "tab", "enter", "space", "backspace", "insert", "home", "end"} | {
    f"f{number}" for number in range(1, 13)
}
"""Keys that are no characters, as a person may name them in a map."""


@dataclass(frozen=True)
class Key:
    """A key and what it does.

    ``names`` are all keys that do it, as the terminal library calls them. ``label`` stands in the
    footer, where keys of a higher ``rank`` give way first; rank 0 is not shown there. ``name`` is
    what a key map and the palette call the action: its label, after the name of its page.
    """

    names: str
    action: str
    label: str
    help: str
    rank: int = 0
    joined: bool = False
    """Stands in the footer before the next key and shares its label."""
    name: str = ""

    def __post_init__(self) -> None:
        # It stays where another label says what the key would do at the moment.
        object.__setattr__(self, "name", self.name or self.label)

    @property
    def all_shown(self) -> Sequence[str]:
        """All keys that do it, as a person reads them."""
        return [_READ.get(name, name) for name in self.names.split(",")]

    @property
    def shown(self) -> str:
        """The first of them, as the footer has room for one."""
        return self.all_shown[0]


Keymap = Mapping[str, str]
"""The key of each action that has another than usual, by the action's name."""

Groups = Sequence[tuple[str, Sequence[Key]]]
"""Keys under the titles that the help gives them."""


def mapped(key: Key, keymap: Keymap) -> Key:
    """``key`` with this map: another takes the place of its first one, and the others stay."""
    if key.name not in keymap:
        return key
    first = "comma" if keymap[key.name] == "," else keymap[key.name]
    return replace(key, names=",".join((first, *key.names.split(",")[1:])))


def mapped_groups(groups: Groups, keymap: Keymap) -> Groups:
    """The groups of a screen's keys with this map."""
    return [(title, [mapped(key, keymap) for key in keys]) for title, keys in groups]


def of_page(page: str, keys: Iterable[Key]) -> tuple[Key, ...]:
    """``keys`` as those of one page, which may be called as those of another."""
    return tuple(replace(key, name=f"{page} {key.name}") for key in keys)


RUN_KEYS = (
    Key(
        "space",
        "pause",
        "pause",
        "Pause or resume training: all runs, or only the one whose line at the top has the focus",
        1,
    ),
    Key("n", "step", "step", "One iteration of a paused run (of all, or of the one in focus)", 4),
    Key("N", "step(10)", "10 steps", "Ten iterations of a paused run"),
    Key("ctrl+n", "step(100)", "100 steps", "A hundred iterations of a paused run"),
    Key("s", "save", "save", "Save a checkpoint (of all runs, or of the one in focus)", 5),
    Key("c", "train_on", "train on", "Train a finished run on, for as many iterations again", 3),
    Key(
        "less_than_sign,comma",
        "pace(-1)",
        "slower",
        "Slower, down to one iteration a second (all runs, or the one in focus)",
        8,
        joined=True,
    ),
    Key(
        "greater_than_sign,full_stop",
        "pace(1)",
        "pace",
        "Faster, up to full speed (all runs, or the one in focus)",
        8,
    ),
    Key(
        "r",
        "fresh",
        "fresh run",
        "Fresh runs with the next seed, after a question; the present ones are saved",
        10,
    ),
)
"""Keys that act on the runs."""

EVALUATION_KEYS = (
    Key(
        "e",
        "evaluate('random')",
        "evaluate",
        "Evaluate on a random task: 10 points, 32 updates; all runs on the same",
        6,
    ),
    Key(
        "1",
        "evaluate('standard')",
        "standard",
        "The standard evaluation: SineWave(4, 1), 10 points, 32 updates",
        7,
    ),
    Key(
        "2",
        "evaluate('half-range')",
        "half range",
        "Half range: SineWave(4, 1) from 5 points right of the middle, 10 updates",
        7,
    ),
    Key(
        "3",
        "evaluate('compare')",
        "per update",
        "Loss per update of all runs on one chart, on the task of the half range",
        7,
    ),
)
"""Keys that evaluate."""

VIEW_KEYS = (
    Key("tab", "focus_panel(1)", "next", "Next panel", 9),
    Key("shift+tab", "focus_panel(-1)", "previous", "Previous panel"),
    Key("up,k", "move('up')", "up", "Panel or run above; in an enlarged table, a row up"),
    Key("down,j", "move('down')", "down", "Panel or run below; in an enlarged table, a row down"),
    Key("left,h", "move('left')", "left", "Panel to the left; with a cursor, move it"),
    Key("right,l", "move('right')", "right", "Panel to the right; with a cursor, move it"),
    Key("enter", "enlarge", "enlarge", "Enlarge the focused panel, or put it back", 9),
    Key("escape", "back", "back", "Back: from a large panel, from your own evaluation", 2),
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
        "Newest row of the loss table, and follow it; with a cursor, the newest point",
    ),
    Key("L", "lens('scale')", "scale", "Loss axis of the chart: logarithmic or linear", ROOMY),
    Key(
        "W",
        "lens('window')",
        "window",
        "Iterations on the chart: all, the last 10 %, or the newest only",
        ROOMY,
    ),
    Key("u", "lens('smoothing')", "smooth", "Curve of the chart: smoothed, or every point"),
    Key(
        "x",
        "cursor",
        "cursor",
        "A cursor on the chart, which reads values off; arrows and hl move it, escape ends it",
        ROOMY,
    ),
    Key(
        "z",
        "freeze",
        "freeze",
        "Freeze table and charts while training goes on; again or escape, and they follow",
        ROOMY,
    ),
)
"""Keys that change what is seen."""

SCREEN_KEYS = (
    Key("w", "visit('watch')", "watch", "Watch: the runs, their losses and waves"),
    Key("a", "visit('lab')", "lab", "Lab: adapt to a task of your own, step by step"),
    Key("t", "visit('time-machine')", "time", "Time machine: a run's checkpoints, one by one"),
    Key("b", "visit('battery')", "battery", "Battery: all runs on thousands of tasks"),
    Key("v", "visit('geometry')", "geometry", "Geometry: inner and outer steps as vectors"),
    Key("f", "visit('runs')", "runs", "Runs: what is in the folder of runs"),
    Key("m", "visit('messages')", "messages", "Messages: all that was said, with times"),
)
"""Keys that open a screen, from everywhere."""

APP_KEYS = (
    Key("question_mark", "help", "help", "This list of keys", 1),
    Key(
        "colon,ctrl+p",
        "palette",
        "commands",
        "Every screen and key by name: type a part of it",
        5,
    ),
    Key(
        "y",
        "copy",
        "copy",
        "Copy what has the focus, as values with tabs between; they go to a file too",
    ),
    Key("p", "picture", "picture", "Save a picture of the screen, and its charts as CSV"),
    Key("ctrl+l", "redraw", "redraw", "Draw all anew, where the terminal shows rubbish"),
    Key(
        "d",
        "detach",
        "detach",
        "Leave, and let the runs train on; tui-meta attach shows them again",
        4,
    ),
    Key(
        "q,ctrl+c,ctrl+q",
        "quit",
        "quit",
        "Quit; asks first while anything trains or is not saved",
        1,
    ),
)
"""Keys that work everywhere."""

GROUPS = (
    ("Runs", RUN_KEYS),
    ("Evaluate", EVALUATION_KEYS),
    ("View", VIEW_KEYS),
    ("Screens", SCREEN_KEYS),
    ("Program", APP_KEYS),
)
"""Keys of the watch screen, as the help lists them."""

PAGE_KEYS = (Key("escape", "back", "back", "Back to the watch screen", 2),)
"""Keys of every other screen, beside its own; they are called as the same ones of the first."""


def page_groups(title: str, keys: Sequence[Key]) -> Groups:
    """Keys of a screen of its own ``keys``, as the help lists them."""
    return (
        (title, (*keys, *PAGE_KEYS)),
        ("Screens", SCREEN_KEYS),
        ("Program", APP_KEYS),
    )


COMMAND_KEYS = RUN_KEYS + EVALUATION_KEYS
"""Keys that a face which may only look does not have."""
