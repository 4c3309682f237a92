"""Key maps: checks of the user's map, and the key of an action wherever text names one."""

import re
from collections.abc import Callable, Mapping, Sequence

from core.errors import ConfigError
from core.validation import refuse_unknown
from tui_meta.views.keys.pages import PAGE_TABLES
from tui_meta.views.keys.table import (
    APP_KEYS,
    KEY_NAMES,
    PAGE_KEYS,
    SCREEN_KEYS,
    Key,
    Keymap,
    mapped,
)
from tui_meta.views.keys.watch import GROUPS

FORMER_NAMES = {
    "train on": "continue",
    "fresh run": "restart",
    "10 steps": "10 iterations",
    "100 steps": "100 iterations",
    "per update": "per step",
    "lab carry": "lab grab",
    "lab next": "lab new task",
    "lab still": "lab freeze",
    "time-machine travel": "time-machine checkpoint",
    "time-machine run before": "time-machine previous run",
    "time-machine next task": "time-machine new task",
    "battery seed back": "battery previous seed",
    "battery worst": "battery task",
    "battery whose before": "battery previous run",
    "battery whose": "battery run",
    "battery chart before": "battery previous chart",
    "geometry before": "geometry previous run",
    "runs order before": "runs previous sort",
    "runs go on": "runs resume",
}
"""Today's names of the actions that were renamed since version 0.1."""

_EVERYWHERE = (*PAGE_KEYS, *SCREEN_KEYS, *APP_KEYS)

BOUND_TOGETHER: Mapping[str, Sequence[Key]] = {
    "watch": tuple(key for _, keys in GROUPS for key in keys),
    **{page: (*keys, *_EVERYWHERE) for page, keys in PAGE_TABLES.items()},
}
"""All keys bound on each screen: no two of them may be the same."""

_MOVABLE = {key.name: key for keys in BOUND_TOGETHER.values() for key in keys}

KeyOf = Callable[[str], str]
"""Returns the key of the action of this name, as users read it."""


def key_in(keymap: Keymap) -> KeyOf:
    """Return the lookup that texts use to name keys under this map."""
    return lambda name: mapped(_MOVABLE[name], keymap).shown


usual_key = key_in({})
"""The lookup without a key map."""


def with_current_names(keymap: Keymap) -> dict[str, str]:
    """Return the map with names of version 0.1 replaced by those of today."""
    return {FORMER_NAMES.get(name, name): key for name, key in keymap.items()}


def check_keymap(keymap: Keymap) -> None:
    """Raise ``ConfigError`` or ``UnknownSettingError`` if the map is invalid."""
    refuse_unknown(keymap, _MOVABLE, "[keys]")
    for name, key in keymap.items():
        if not _is_key(key):
            raise ConfigError(f"keys.{name}", key, "must be a key such as z or ctrl+z")
    for keys in BOUND_TOGETHER.values():
        _refuse_shared(keys, keymap)


def key_names(keymap: Keymap) -> dict[str, str]:
    """Return the keys of each action in the map, in Textual's notation."""
    return {name: mapped(_MOVABLE[name], keymap).names for name in keymap}


def _is_key(key: str) -> bool:
    *modifiers, last = re.split(r"\+(?=.)", key)
    known = (len(last) == 1 and last.isprintable() and last != " ") or last in KEY_NAMES
    return known and set(modifiers) <= {"ctrl", "shift", "alt"}


def _refuse_shared(keys: Sequence[Key], keymap: Keymap) -> None:
    """Raise ``ConfigError`` if the map gives two of ``keys`` the same key."""
    taken: dict[str, str] = {}
    # Keys that stay come first, so that the error names the one that was moved.
    for key in sorted(keys, key=lambda one: one.name in keymap):
        for shown in mapped(key, keymap).all_shown:
            if shown in taken:
                requirement = f"must be another key: {taken[shown]} has it"
                raise ConfigError(f"keys.{key.name}", keymap.get(key.name, shown), requirement)
            taken[shown] = key.name
