"""Keys that a person has put elsewhere: checked here, and shown where keys are shown."""

from collections.abc import Iterable, Sequence

from core.decoding import refuse_unknown
from core.errors import ConfigError
from tui_meta.views.keys import GROUPS, Key, Keymap, mapped

_LONGEST = 20

_MOVABLE = {key.name: key for _, keys in GROUPS for key in keys}
"""The keys of the watch screen and those that work everywhere, by name."""


def check_keymap(keymap: Keymap) -> None:
    """Raise ``ConfigError`` or ``UnknownSettingError`` for a map that cannot be."""
    refuse_unknown(keymap, _MOVABLE, "[keys]")
    taken = {
        name: key.name
        for key in _MOVABLE.values()
        for name in (*key.names.split(",")[key.name in keymap :], *_shown_alone(key, keymap))
    }
    for name, key in keymap.items():
        if not key.isprintable() or not key.strip() or len(key) > _LONGEST:
            raise ConfigError(f"keys.{name}", key, "a key, as z or ctrl+z")
        if key in taken:
            raise ConfigError(f"keys.{name}", key, f"another key: {taken[key]} has this one")
        taken[key] = name


def key_names(keymap: Keymap) -> dict[str, str]:
    """For each action in the map, its keys as the terminal library lists them."""
    return {
        name: ",".join(("comma" if key == "," else key, *_MOVABLE[name].names.split(",")[1:]))
        for name, key in keymap.items()
    }


def mapped_groups(
    groups: Sequence[tuple[str, Sequence[Key]]], keymap: Keymap
) -> list[tuple[str, Sequence[Key]]]:
    """The groups of a screen's keys as they are shown with this map."""
    return [(title, [mapped(key, keymap) for key in keys]) for title, keys in groups]


def _shown_alone(key: Key, keymap: Keymap) -> Iterable[str]:
    """How a key that stays is shown, if that is a name by which it could be given again."""
    return () if key.name in keymap or " " in key.shown else (key.shown,)
