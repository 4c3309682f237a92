"""A key means the same on every screen that binds it."""

from collections import defaultdict

from tui_meta.views.keys.keymap import BOUND_TOGETHER
from tui_meta.views.keys.table import APP_KEYS, SCREEN_KEYS

EVERYWHERE = {
    "help": "question_mark",
    "info": "i",
    "picture": "p",
    "copy": "y",
    "detach": "d",
    "quit": "q",
    "commands": "colon",
}
"""The first key of each action of the program."""

CORE = {
    "space": {"watch pause"},
    "comma": {"lab back", "time-machine back"},
    "full_stop": {"watch step", "lab step", "time-machine step"},
    "tab": {"watch next", "lab setting", "battery chart", "geometry next run"},
    "enter": {"watch enlarge", "lab type", "battery open", "runs open", "sweep open"},
    "slash": {"runs filter", "sweep filter"},
    "s": {"watch save"},
    "r": {"watch restart"},
    "escape": {"watch back", *(f"{page} back" for page in BOUND_TOGETHER if page != "watch")},
}
"""Keys of several screens, or reserved: pause, step back and on, focus on the next part, open what
is selected, filter, save, restart, back.
"""

ALIKE = {
    "e": {"watch evaluate", "battery start"},  # evaluate now
    "c": {"watch continue", "runs resume"},  # continue a run that has ended
    "z": {"watch freeze", "lab freeze", "geometry follow"},  # follow training, or freeze
    "n": {"lab new task", "time-machine new task", "battery seed"},  # other tasks
    "o": {"lab chart", "time-machine chart", "runs other curves", "sweep chart"},  # the other chart
    "minus": {"lab less", "battery fewer"},
    "plus": {"watch add run", "lab change", "battery tasks"},
}
"""Actions that one key has on several screens, which mean the same under different names."""

MOVES = {"up", "down", "left", "right", "h", "j", "k", "l", "g", "G", "home", "end"} | {
    "pageup",
    "pagedown",
    "shift+tab",
}
"""Keys that move through whatever a screen has; g and home lead to its start, G and end to its end.
"""

SECOND_NAMES = {"underscore": "minus", "equals_sign": "plus"}


def actions_by_key() -> dict[str, set[str]]:
    """Return the actions of every key as ``screen action``; one of all screens has no screen."""
    found: dict[str, set[str]] = defaultdict(set)
    program = {key.name for key in (*SCREEN_KEYS, *APP_KEYS)}
    for screen, keys in BOUND_TOGETHER.items():
        for key in keys:
            name = key.name.removeprefix(f"{screen} ")
            for one in key.names.split(","):
                found[one].add(name if key.name in program else f"{screen} {name}")
    return found


def test_core_keys_mean_the_same_on_every_screen() -> None:
    found = actions_by_key()
    assert {key: found[key] for key in CORE} == CORE
    for name, key in EVERYWHERE.items():
        assert found[key] == {name}


def test_no_other_key_means_two_things() -> None:
    for key, actions in actions_by_key().items():
        if key in MOVES or key in CORE:
            continue
        words = {action.partition(" ")[2] for action in actions}
        assert len(words) == 1 or actions == ALIKE[SECOND_NAMES.get(key, key)], key
