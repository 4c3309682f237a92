"""Keys that a person has put elsewhere: checked here, and shown where keys are shown."""

import re
from collections.abc import Callable, Mapping, Sequence

from core.errors import ConfigError
from core.validation import refuse_unknown
from tui_meta.views.keys.pages import PAGE_TABLES
from tui_meta.views.keys.table import (
    APP_KEYS,
    GROUPS,
    KEY_NAMES,
    PAGE_KEYS,
    SCREEN_KEYS,
    Key,
    Keymap,
    mapped,
)

_WATCH_KEYS = tuple(key for _, keys in GROUPS for key in keys)

_EVERYWHERE = (*PAGE_KEYS, *SCREEN_KEYS, *APP_KEYS)

BOUND_TOGETHER: Mapping[str, Sequence[Key]] = {
    "watch": _WATCH_KEYS,
    **{page: (*keys, *_EVERYWHERE) for page, keys in PAGE_TABLES.items()},
}
"""What is bound on each screen: no two of one screen may share a key."""

_MOVABLE = {key.name: key for keys in BOUND_TOGETHER.values() for key in keys}

KeyOf = Callable[[str], str]
"""The key of the action of this name, as a person reads it."""


def key_in(keymap: Keymap) -> KeyOf:
    """How texts name keys that may be elsewhere than usual."""
    return lambda name: mapped(_MOVABLE[name], keymap).shown


usual_key = key_in({})
"""Where nobody has put keys elsewhere."""


def check_keymap(keymap: Keymap) -> None:
    """Raise ``ConfigError`` or ``UnknownSettingError`` for a map that cannot be."""
    refuse_unknown(keymap, _MOVABLE, "[keys]")
    for name, key in keymap.items():
        if not _is_key(key):
            raise ConfigError(f"keys.{name}", key, "must be a key such as z or ctrl+z")
    for keys in BOUND_TOGETHER.values():
        _refuse_shared(keys, keymap)


def key_names(keymap: Keymap) -> dict[str, str]:
    """For each action in the map, its keys as the terminal library lists them."""
    return {name: mapped(_MOVABLE[name], keymap).names for name in keymap}


def _is_key(key: str) -> bool:
    *modifiers, last = re.split(r"\+(?=.)", key)
    known = (len(last) == 1 and last.isprintable() and last != " ") or last in KEY_NAMES
    return known and set(modifiers) <= {"ctrl", "shift", "alt"}


def _refuse_shared(keys: Sequence[Key], keymap: Keymap) -> None:
    """Raise ``ConfigError`` if two of ``keys`` share one, which only the map can have brought."""
    taken: dict[str, str] = {}
    # Those that stay come first, for it is the moved one that is to be said.
    for key in sorted(keys, key=lambda one: one.name in keymap):
        for shown in mapped(key, keymap).all_shown:
            if shown in taken:
                requirement = f"must be another key: {taken[shown]} has it"
                raise ConfigError(f"keys.{key.name}", keymap.get(key.name, shown), requirement)
            taken[shown] = key.name
