"""Every key of the dashboard: the one table from which bindings, footer and help are made."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.events import Snapshot
from tui_meta.views.text import Line, Span, cells

ROOMY = 11
"""Keys of this rank stand in the footer only where everything else does, in full."""


@dataclass(frozen=True)
class Key:
    """A key and what it does.

    ``names`` are the keys as the terminal library calls them, ``shown`` how a person reads them.
    ``label`` stands in the footer, where keys of a higher ``rank`` give way first; rank 0 is not
    shown there.
    """

    names: str
    shown: str
    action: str
    label: str
    help: str
    rank: int = 0
    joined: bool = False
    """Stands in the footer before the next key and shares its label."""

    @property
    def name(self) -> str:
        """What a key map calls it: the action and what it is given, as `evaluate random`."""
        return re.sub(r"[('),]+", " ", self.action).strip()


Keymap = Mapping[str, str]
"""The key of each action that has another than usual, by the action's name."""


def mapped(key: Key, keymap: Keymap) -> Key:
    """``key`` as it is shown with this map; its other names stay."""
    if key.name not in keymap:
        return key
    return replace(key, shown=" ".join((keymap[key.name], *key.shown.split(" ")[1:])))


RUN_KEYS = (
    Key(
        "space",
        "space",
        "pause",
        "pause",
        "Pause or resume training: all runs, or only the one whose line at the top has the focus",
        1,
    ),
    Key(
        "n",
        "n",
        "step",
        "step",
        "One iteration of a paused run (of all, or of the one in focus)",
        4,
    ),
    Key("N", "N", "step(10)", "10 steps", "Ten iterations of a paused run"),
    Key("ctrl+n", "ctrl+n", "step(100)", "100 steps", "A hundred iterations of a paused run"),
    Key("s", "s", "save", "save", "Save a checkpoint (of all runs, or of the one in focus)", 5),
    Key(
        "c",
        "c",
        "train_on",
        "train on",
        "Train a finished run on, for as many iterations again",
        3,
    ),
    Key(
        "less_than_sign,comma",
        "<",
        "pace(-1)",
        "slower",
        "Slower, down to one iteration a second (all runs, or the one in focus)",
        8,
        joined=True,
    ),
    Key(
        "greater_than_sign,full_stop",
        ">",
        "pace(1)",
        "pace",
        "Faster, up to full speed (all runs, or the one in focus)",
        8,
    ),
    Key(
        "r",
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
        "e",
        "evaluate('random')",
        "evaluate",
        "Evaluate on a random task: 10 points, 32 updates; all runs on the same",
        6,
    ),
    Key(
        "1",
        "1",
        "evaluate('standard')",
        "standard",
        "The standard evaluation: SineWave(4, 1), 10 points, 32 updates",
        7,
    ),
    Key(
        "2",
        "2",
        "evaluate('half-range')",
        "half range",
        "Half range: SineWave(4, 1) from 5 points right of the middle, 10 updates",
        7,
    ),
    Key(
        "3",
        "3",
        "evaluate('compare')",
        "per update",
        "Loss per update of all runs on one chart, on the task of the half range",
        7,
    ),
)
"""Keys that evaluate."""

VIEW_KEYS = (
    Key("tab", "tab", "focus_panel(1)", "next", "Next panel", 9),
    Key("shift+tab", "shift+tab", "focus_panel(-1)", "previous", "Previous panel"),
    Key("up,k", "↑ k", "move('up')", "up", "Panel or run above; in an enlarged table, a row up"),
    Key(
        "down,j",
        "↓ j",
        "move('down')",
        "down",
        "Panel or run below; in an enlarged table, a row down",
    ),
    Key("left,h", "← h", "move('left')", "left", "Panel to the left; with a cursor, move it"),
    Key("right,l", "→ l", "move('right')", "right", "Panel to the right; with a cursor, move it"),
    Key("enter", "enter", "enlarge", "enlarge", "Enlarge the focused panel, or put it back", 9),
    Key("escape", "esc", "back", "back", "Back: from a large panel, from your own evaluation", 2),
    Key("pageup", "page up", "scroll_table(-1)", "older", "Scroll the loss table to older rows"),
    Key("pagedown", "page down", "scroll_table(1)", "newer", "Scroll the loss table to newer rows"),
    Key(
        "home,g",
        "home g",
        "go_to_end(-1)",
        "first",
        "First row of the loss table; with a cursor, the first point of the curve",
    ),
    Key(
        "end,G",
        "end G",
        "go_to_end(1)",
        "newest",
        "Newest row of the loss table, and follow it; with a cursor, the newest point",
    ),
    Key(
        "L",
        "L",
        "lens('scale')",
        "scale",
        "Loss axis of the chart: logarithmic or linear",
        ROOMY,
    ),
    Key(
        "W",
        "W",
        "lens('window')",
        "window",
        "Iterations on the chart: all, the last 10 %, or the newest only",
        ROOMY,
    ),
    Key("u", "u", "lens('smoothing')", "smooth", "Curve of the chart: smoothed, or every point"),
    Key(
        "x",
        "x",
        "cursor",
        "cursor",
        "A cursor on the chart, which reads values off; arrows and hl move it, escape ends it",
        ROOMY,
    ),
    Key(
        "z",
        "z",
        "freeze",
        "freeze",
        "Freeze table and charts while training goes on; again or escape, and they follow",
        ROOMY,
    ),
)
"""Keys that change what is seen."""

SCREEN_KEYS = (
    Key("w", "w", "visit('watch')", "watch", "Watch: the runs, their losses and waves"),
    Key("a", "a", "visit('lab')", "lab", "Lab: adapt to a task of your own, step by step"),
    Key("t", "t", "visit('time-machine')", "time", "Time machine: a run's checkpoints, one by one"),
    Key("b", "b", "visit('battery')", "battery", "Battery: all runs on thousands of tasks"),
    Key("v", "v", "visit('geometry')", "geometry", "Geometry: inner and outer steps as vectors"),
    Key("f", "f", "visit('runs')", "runs", "Runs: what is in the folder of runs"),
    Key("m", "m", "visit('messages')", "messages", "Messages: all that was said, with times"),
)
"""Keys that open a screen, from everywhere."""

APP_KEYS = (
    Key("question_mark", "?", "help", "help", "This list of keys", 1),
    Key(
        "colon,ctrl+p",
        ":",
        "palette",
        "commands",
        "Every screen and key by name: type a part of it (ctrl+p does the same)",
        5,
    ),
    Key(
        "y",
        "y",
        "copy",
        "copy",
        "Copy what has the focus, as values with tabs between; they go to a file too",
    ),
    Key("p", "p", "picture", "picture", "Save a picture of the screen, and its charts as CSV"),
    Key("ctrl+l", "ctrl+l", "redraw", "redraw", "Draw all anew, where the terminal shows rubbish"),
    Key(
        "d",
        "d",
        "detach",
        "detach",
        "Leave, and let the runs train on; tui-meta attach shows them again",
        4,
    ),
    Key(
        "q,ctrl+c,ctrl+q",
        "q",
        "quit",
        "quit",
        "Quit; asks first while anything trains or is not saved (ctrl+c does the same)",
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

PAGE_KEYS = (Key("escape", "esc", "back", "back", "Back to the watch screen", 2),)
"""Keys of every other screen, beside its own."""


def page_groups(title: str, keys: Sequence[Key]) -> tuple[tuple[str, Sequence[Key]], ...]:
    """Keys of a screen of its own ``keys``, as the help lists them."""
    return (
        (title, (*keys, *PAGE_KEYS)),
        ("Screens", SCREEN_KEYS),
        ("Program", APP_KEYS),
    )


def page_footer(keys: Sequence[Key], width: int, keymap: Keymap | None = None) -> Line:
    """The keys of a screen that is no watch screen, in one line; it may have its own escape."""
    own = {key.shown for key in keys}
    rest = [key for key in (*PAGE_KEYS, *APP_KEYS) if key.shown not in own]
    shown = [key for key in (*keys, *rest) if key.action != "detach"]
    return keys_line(shown, width, keymap)


def keys_line(keys: Sequence[Key], width: int, keymap: Keymap | None = None) -> Line:
    """These keys and no others."""
    shown = [(key, key.label) for key in keys if key.rank]
    return _spans(_fitting(_mapped(shown, keymap or {}), width))


COMMAND_KEYS = RUN_KEYS + EVALUATION_KEYS
"""Keys that a face which may only look does not have."""


@dataclass(frozen=True)
class Situation:
    """What decides which keys apply.

    ``runs`` are those that keys act on, and ``focused`` is the name of the one, if it is one.
    ``enlarged``: a panel fills the screen; ``back``: there is something to go back from;
    ``detachable``: the runs go on without the face, which may be ``read_only``. The view is
    ``frozen`` or follows; ``keymap`` has keys that are elsewhere than usual.
    """

    runs: Sequence[Snapshot]
    focused: str = ""
    enlarged: bool = False
    back: bool = False
    detachable: bool = False
    read_only: bool = False
    frozen: bool = False
    keymap: Keymap = field(default_factory=dict)


def footer(situation: Situation, width: int) -> Line:
    """The keys that apply now, in one line; those of the highest rank give way to the others."""
    shown = []
    for _, keys in GROUPS:
        for key in keys:
            label = _label(key, situation)
            # Where there is no room for a title, the footer is what tells frozen from paused.
            thaws = key.action == "freeze" and situation.frozen
            if key.rank and label:
                shown.append((replace(key, rank=1) if thaws else key, label))
    needed = [(key, label) for key, label in shown if key.rank < ROOMY]
    if cells(_spans(needed)) > width and not situation.read_only:
        shown = _with_evaluations_joined(shown)
    return _spans(_fitting(_mapped(shown, situation.keymap), width))


def _mapped(shown: list[tuple[Key, str]], keymap: Keymap) -> list[tuple[Key, str]]:
    return [(mapped(key, keymap), label) for key, label in shown]


def _fitting(shown: list[tuple[Key, str]], width: int) -> list[tuple[Key, str]]:
    """Without as many of the highest ranks as there is no room for; of the last, from its start."""
    while shown and cells(_spans(shown)) > width:
        last = max(key.rank for key, _ in shown)
        kept = [(key, label) for key, label in shown if key.rank != last]
        shown = kept or shown[1:]
    return shown


def _with_evaluations_joined(shown: list[tuple[Key, str]]) -> list[tuple[Key, str]]:
    """The keys that evaluate, under one label."""
    *others, last = EVALUATION_KEYS
    rank = others[0].rank
    joined = {key: (replace(key, joined=True, rank=rank), "") for key in others}
    joined[last] = (replace(last, rank=rank), others[0].label)
    return [joined.get(key, (key, label)) for key, label in shown]


def _label(key: Key, situation: Situation) -> str:
    """What the key would do now; nothing if it would do nothing."""
    states = {one.state for one in situation.runs}
    whose = f" {situation.focused}" if situation.focused else ""
    if situation.read_only and key in COMMAND_KEYS:
        return ""
    match key.action:
        case "pause" if states & {"training", "loading"}:
            return f"pause{whose}"
        case "pause" if "paused" in states:
            return f"resume{whose}"
        case "step" if "paused" in states:
            return "step"
        case "train_on" if "finished" in states:
            return "train on"
        case "pause" | "step" | "train_on":
            return ""
        case "back":
            return "back" if situation.back else ""
        case "enlarge" if situation.enlarged:
            return ""
        case "freeze" if situation.frozen:
            return "frozen"
        case "detach" if not situation.detachable:
            return ""
    return key.label


def _spans(shown: Sequence[tuple[Key, str]]) -> Line:
    spans: list[Span] = []
    for key, label in shown:
        said = " " if key.joined else f" {label}  "
        spans += [Span(key.shown, "bold", key.action), Span(said, "dim", key.action)]
    return (*spans[:-1], Span(spans[-1].text.rstrip(), "dim", spans[-1].action)) if spans else ()
