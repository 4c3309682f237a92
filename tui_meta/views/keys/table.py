"""Key bindings: their type, and those that work on every screen.

Bindings, footers, the help, the palette and key maps derive from these tables and from those of
each screen, in the modules beside this one.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import force_setattr, replace

ROOMY = 11
"""The footer shows keys of this rank only if everything else fits in full."""

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
"""Display names of keys that Textual names differently."""

_ARROWS = {"up", "down", "left", "right"}

KEY_NAMES = {*_READ, "tab", "enter", "space", "backspace", "insert", "home", "end"} | {
    f"f{number}" for number in range(1, 13)
}
"""Keys that are not single characters, as a key map may name them."""


def key_word(name: str) -> str:
    """Return the name of a key as users read it."""
    return _READ.get(name, name)


class Key(Struct, frozen=True):
    """A key binding.

    ``names`` lists all keys of the action, comma-separated, by Textual's names. ``label`` is shown
    in the footer, which drops keys of a higher ``rank`` first and never shows rank 0. ``name``
    identifies the action in a key map: its label, prefixed with the page's name.
    """

    names: str
    action: str
    label: str
    help: str
    rank: int = 0
    joined: bool = False
    """Shown in the footer in front of the next key, under a shared label."""
    name: str = ""
    always: bool = False
    """Works in dialogs and text fields as well."""
    ascii: bool = False
    """Shown without arrows: in ASCII they would read as other keys, such as < and v."""

    def __post_init__(self) -> None:
        # Footers replace the label by what the key would do now; the name stays.
        force_setattr(self, "name", self.name or self.label)

    @property
    def all_shown(self) -> Sequence[str]:
        """All keys that do it, as users read them."""
        names = self.names.split(",")
        return [name if self.ascii and name in _ARROWS else key_word(name) for name in names]

    @property
    def shown(self) -> str:
        """The first of them, in ASCII rather a letter: the footer has room for one."""
        shown = self.all_shown
        letters = [key for key in shown if len(key) == 1] if shown[0] in _ARROWS else []
        return (letters or shown)[0]


Keymap = Mapping[str, str]
"""The key of each remapped action, by the action's name."""

NO_KEYMAP: Keymap = {}


class AsciiKeymap(dict[str, str]):
    """A key map where only ASCII is shown."""


Groups = Sequence[tuple[str, Sequence[Key]]]
"""Keys by the title of their group in the help."""


def mapped(key: Key, keymap: Keymap) -> Key:
    """Return ``key`` as this map shows it, with its first key replaced if the map says so."""
    if isinstance(keymap, AsciiKeymap):
        key = replace(key, ascii=True)
    if key.name not in keymap:
        return key
    first = "comma" if keymap[key.name] == "," else keymap[key.name]
    return replace(key, names=",".join((first, *key.names.split(",")[1:])))


def mapped_groups(groups: Groups, keymap: Keymap) -> Groups:
    """Return the groups of a screen's keys with this map applied."""
    return [(title, [mapped(key, keymap) for key in keys]) for title, keys in groups]


def of_page(page: str, *keys: Key) -> tuple[Key, ...]:
    """Return ``keys`` with names that start with ``page``: pages may share labels."""
    return tuple(replace(key, name=f"{page} {key.name}") for key in keys)


SCREEN_KEYS = (
    Key("w", "visit('watch')", "watch", "Watch: the runs, their losses and waves"),
    Key("a", "visit('lab')", "lab", "Lab: adapt to a task of your own, step by step"),
    Key("t", "visit('time-machine')", "time", "Time machine: a run's checkpoints, one by one"),
    Key("b", "visit('battery')", "battery", "Battery: all runs on thousands of tasks"),
    Key("v", "visit('geometry')", "geometry", "Geometry: inner and outer steps as vectors"),
    Key("f", "visit('runs')", "runs", "Runs: the runs in the run folder"),
    Key("V", "visit('sweep')", "sweep", "Sweep: groups of settings and seeds, and their results"),
    Key("m", "visit('messages')", "messages", "Messages: message log with timestamps"),
)
"""Keys that open a screen, from everywhere."""

APP_KEYS = (
    Key("question_mark", "help", "help", "What you see here, and this list of keys", 1),
    Key(
        "i",
        "info",
        "info",
        "What the run in focus is, or all: settings, budget, definitions, provenance",
        ROOMY,
    ),
    Key(
        "colon,ctrl+p",
        "palette",
        "commands",
        "Command palette: find any screen or key by part of its name",
        5,
    ),
    Key(
        "y", "copy", "copy", "Copy the focused panel as tab-separated values (also saved to a file)"
    ),
    Key("p", "picture", "picture", "Save a screenshot, and each chart alone as SVG and CSV"),
    Key("ctrl+l", "redraw", "redraw", "Redraw the screen"),
    Key("ctrl+z", "suspend", "suspend", "Back to the shell; fg continues here", always=True),
    Key(
        "d",
        "detach",
        "detach",
        "Detach (asks first): training continues; tui-meta attach reconnects",
        4,
    ),
    Key(
        "q,ctrl+c,ctrl+q",
        "quit",
        "quit",
        "Quit; asks first unless all runs have ended and are saved",
        1,
    ),
)
"""Keys that work everywhere."""


PAGE_KEYS = (Key("escape", "back", "back", "Back to the watch screen", 2),)
"""Keys of every other screen, besides its own; their names are those of the watch screen."""


def page_groups(title: str, keys: Sequence[Key]) -> Groups:
    """Return the groups of a screen with these ``keys``, as the help lists them."""
    return (
        (title, (*keys, *PAGE_KEYS)),
        ("Screens", SCREEN_KEYS),
        ("Program", APP_KEYS),
    )
