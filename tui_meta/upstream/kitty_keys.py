"""Keys of the Kitty keyboard protocol, rewritten to the part of it that Textual reads.

https://sw.kovidgoyal.net/kitty/keyboard-protocol/
"""

import re
from typing import Final

from textual._keyboard_protocol import FUNCTIONAL_KEYS, MODIFIER_FUNCTIONAL_KEYS

_KEY: Final = re.compile(
    r"\x1b\[(?P<code>\d{0,7})(?::(?P<shifted>\d{0,7}))?(?::(?P<base>\d{0,7}))?"
    r"(?:;(?P<modifiers>\d{0,3})(?::(?P<event>\d))?)?(?:;(?P<text>[\d:]{0,40}))?(?P<end>[u~A-FHPQS])"
)

_SHIFT, _LOCKS, _RELEASED = 1, 64 | 128, "3"

_ALONE: Final = {*MODIFIER_FUNCTIONAL_KEYS, "caps_lock", "num_lock", "scroll_lock"}
"""Keys that do nothing by themselves."""

_PRIVATE: Final = range(0xE000, 0xF900)
"""Numbers of keys that are not characters."""

_LATIN: Final = {
    ord(other): ord(latin)
    for others, latins in (
        ("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,."),
        ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
    )
    for other, latin in zip(others, latins, strict=True)
}
"""Where the usual Cyrillic and Greek layouts have the Latin letters, for terminals that do not say
which key of the base layout it is."""


def textual_sequence(sequence: str) -> str | None:
    """Return the sequence that Textual reads as this key; None if it is not a key to act on.

    Combined with Ctrl, Alt or Super, a key of another layout is the one that the same key is in the
    Latin layout, as shortcuts are named. A key that is released, a modifier that is pressed alone
    and a number that is not a character are nothing.
    """
    key = _KEY.fullmatch(sequence)
    if key is None:
        return None
    end, modifiers = key["end"], max(0, int(key["modifiers"] or 1) - 1)
    code = int(key["code"] or 1)
    name = FUNCTIONAL_KEYS.get(f"{code}{end}")
    if key["event"] == _RELEASED or name in _ALONE:
        return None
    if name is None and (end != "u" or not key["code"] or not _is_character(code)):
        return None
    text = [number for number in (key["text"] or "").split(":") if _is_text(number)]
    pressed = modifiers & ~_LOCKS
    if name is None and pressed == _SHIFT and not text and _is_text(key["shifted"]):
        text = [key["shifted"]]
    elif name is None and pressed & ~_SHIFT and code > 0x7F:
        code = int(key["base"]) if _is_text(key["base"]) else _LATIN.get(code, code)
    return f"\x1b[{code};{modifiers + 1 if pressed else ''};{':'.join(text)}{end}"


def _is_text(number: str | None) -> bool:
    return bool(number) and _is_character(int(number or 0)) and chr(int(number or 0)).isprintable()


def _is_character(code: int) -> bool:
    return 0 < code <= 0x10FFFF and not 0xD800 <= code < 0xE000 and code not in _PRIVATE
