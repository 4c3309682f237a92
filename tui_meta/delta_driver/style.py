"""Styles: the effect of SGR sequences and hyperlinks, and the shortest change between two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

_SLOTS: Final = {
    1: "bold",
    2: "dim",
    3: "italic",
    4: "underline",
    5: "blink",
    6: "blink",
    7: "reverse",
    8: "conceal",
    9: "strike",
    21: "underline",
    **dict.fromkeys((*range(30, 39), *range(90, 98)), "foreground"),
    **dict.fromkeys((*range(40, 49), *range(100, 108)), "background"),
    51: "frame",
    52: "frame",
    53: "overline",
    58: "line color",
}
"""The slot that each parameter sets."""

_ENDS: Final = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    25: ("blink",),
    27: ("reverse",),
    28: ("conceal",),
    29: ("strike",),
    39: ("foreground",),
    49: ("background",),
    54: ("frame",),
    55: ("overline",),
    59: ("line color",),
}
"""The slots that each parameter resets."""

_END_OF: Final = {slot: str(end) for end, slots in _ENDS.items() for slot in slots}
_REPLACED: Final = ("foreground", "background", "line color")
"""Slots whose new value replaces the old one completely."""

_COLORS: Final = (38, 48, 58)
_COLOR_LENGTHS: Final = {"5": 3, "2": 5}
_SEEN_ON_BLANKS: Final = {"underline", "strike", "overline", "frame", "reverse"}

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Style:
    """The slots that are set, in order, with the parameters that set them, and a hyperlink.

    Equal styles are one object, created by ``style``, and compare by identity. If the cache drops
    one and it is created again, some cells are sent needlessly.
    """

    settings: Settings
    link: str
    on_blank: Style = field(init=False)
    """The style that looks the same on a space."""

    def __post_init__(self) -> None:
        slots = dict(self.settings)
        seen = {slot: value for slot, value in slots.items() if slot == "background"}
        is_seen = seen == slots or _SEEN_ON_BLANKS & slots.keys()
        on_blank = self if is_seen else style(tuple(seen.items()), self.link)
        object.__setattr__(self, "on_blank", on_blank)


@lru_cache(maxsize=4096)
def style(settings: Settings, link: str = "") -> Style:
    """Return the style with these settings."""
    return Style(settings, link)


PLAIN: Final = style(())


@lru_cache(maxsize=8192)
def restyled(pen: Style, parameters: str) -> Style | None:
    """Return ``pen`` after an SGR sequence; None if a parameter is unknown."""
    slots = dict(pen.settings)
    for value in _single_settings(parameters):
        number = int(value.replace(";", ":").split(":")[0] or 0)
        if number == 0:
            slots.clear()
        elif value == "4:0" or number in _ENDS:
            for slot in _ENDS[24 if value == "4:0" else number]:
                slots.pop(slot, None)
        elif number not in _SLOTS or value == "38":
            return None
        else:
            slots[_SLOTS[number]] = value
    return style(tuple(sorted(slots.items())), pen.link)


def resets(parameters: str) -> bool:
    """Return whether an SGR sequence resets every style before it."""
    return any(value in ("", "0") for value in _single_settings(parameters))


def _single_settings(parameters: str) -> Iterator[str]:
    """Yield single parameters, those of a colour together; an incomplete colour as ``38``."""
    rest = parameters.split(";")
    while rest:
        count = 1
        if rest[0].isdigit() and int(rest[0]) in _COLORS:
            count = _COLOR_LENGTHS.get(rest[1] if len(rest) > 1 else "", 0)
            if not count or len(rest) < count or not all(rest[:count]):
                yield "38"
                return
        yield ";".join(rest[:count])
        del rest[:count]


@lru_cache(maxsize=8192)
def change(pen: Style, wanted: Style) -> str:
    """Return the shortest sequence that changes ``pen`` into ``wanted``."""
    link = f"\x1b]8;{wanted.link or ';'}\x1b\\" if pen.link != wanted.link else ""
    if pen.settings == wanted.settings:
        return link
    old, new = dict(pen.settings), dict(wanted.settings)
    ends = dict.fromkeys(
        _END_OF[slot]
        for slot, value in old.items()
        if slot not in new or (new[slot] != value and slot not in _REPLACED)
    )
    kept = {slot: value for slot, value in old.items() if _END_OF[slot] not in ends}
    begins = [value for slot, value in new.items() if kept.get(slot) != value]
    step = f"\x1b[{';'.join([*ends, *begins])}m"
    return link + min(step, _reset_to(wanted), key=len)


def change_from_unknown(link: str, wanted: Style) -> str:
    """Return the sequence that sets ``wanted`` if only the link of the current style is known."""
    return change(style(wanted.settings, link), wanted) + _reset_to(wanted)


def _reset_to(wanted: Style) -> str:
    values = [value for _, value in wanted.settings]
    return f"\x1b[{';'.join(['0', *values])}m" if values else "\x1b[m"
