"""Strategies that damage valid bytes and plain values."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
"""Every character, surrogates and control characters too."""

HOSTILE_TEXT = ANY_TEXT | st.sampled_from(
    [
        "",
        "..",
        "../up",
        "/etc/passwd",
        "a\0b",
        "a\nb",
        "\x1b[2J\x1b]0;owned\x07",
        "\x9b31m",
        "[/]",
        "[red]",
        "中文",
        "x" * 5_000,
        "\ud800",
    ]
)

NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from([2**31, 2**53, 2**63, 2**64, 10**400, -1, 1e308, 5e-324])
)

PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | HOSTILE_TEXT,
    lambda some: st.lists(some, max_size=4) | st.dictionaries(HOSTILE_TEXT, some, max_size=4),
    max_leaves=8,
)
"""Any plain value."""


def damaged(sound: bytes) -> st.SearchStrategy[bytes]:
    """``sound`` with some bits flipped, pieces cut, doubled, put in, or its end torn off."""
    at = st.integers(0, len(sound))
    bits = st.tuples(st.just("flip"), at, st.integers(0, 7))
    cuts = st.tuples(st.just("cut"), at, st.integers(1, 64))
    twice = st.tuples(st.just("double"), at, st.integers(1, 64))
    put = st.tuples(st.just("put"), at, st.binary(max_size=40))
    torn = st.tuples(st.just("tear"), at, st.none())
    changes = st.lists(st.one_of(bits, cuts, twice, put, torn), min_size=1, max_size=4)
    return changes.map(lambda some: _changed(sound, some))


def _changed(sound: bytes, changes: list[tuple[str, int, Any]]) -> bytes:
    content = bytearray(sound)
    for how, at, what in changes:
        at = min(at, len(content))
        if how == "flip" and at < len(content):
            content[at] ^= 1 << what
        elif how == "cut":
            del content[at : at + what]
        elif how == "double":
            content[at:at] = content[at : at + what]
        elif how == "put":
            content[at:at] = what
        elif how == "tear":
            del content[at:]
    return bytes(content)


@st.composite
def altered(draw: st.DrawFn, sound: Any) -> Any:
    """The plain value ``sound``, in which some parts are others, missing, renamed or put in."""
    plain = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(plain) if place]
        if not places:
            return draw(PLAIN)
        place = draw(st.sampled_from(places))
        inside = plain
        for key in place[:-1]:
            inside = inside[key]
        how = draw(st.sampled_from(["replace", "replace", "remove", "put"]))
        if how == "replace":
            inside[place[-1]] = draw(PLAIN)
        elif how == "remove":
            del inside[place[-1]]
        elif isinstance(inside, dict):
            inside[draw(HOSTILE_TEXT)] = draw(PLAIN)
        else:
            inside.append(draw(PLAIN))
    return plain


def as_json(plain: Any) -> str:
    """``plain`` in JSON, with NaN and infinities as numbers that are too large."""
    return json.dumps(plain).replace("-Infinity", "-1e999").replace("Infinity", "1e999")


def _places(plain: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here]
    if isinstance(plain, dict):
        for key, value in plain.items():
            found += _places(value, (*here, key))
    elif isinstance(plain, list):
        for index, value in enumerate(plain[:20]):
            found += _places(value, (*here, index))
    return found
