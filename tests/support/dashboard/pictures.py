"""Screens as text: the characters, a letter for the style of each cell, and what letters mean.

A picture is compared with a text file, so that a difference can be read in a diff.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Iterable

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from tui_meta.upstream.repaint import rendered

_SYMBOLS = string.ascii_letters + string.digits + string.punctuation


class TextPicture(SingleFileSnapshotExtension):
    """A text file for each picture."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT


def size_name(size: tuple[int, int]) -> str:
    """The columns and rows of a terminal, as in ``80x24``."""
    return f"{size[0]}x{size[1]}"


def picture(pilot: Pilot[None]) -> str:
    """The screen as text, with the style of each cell."""
    letters, rows = StyleLetters(), rendered(pilot.app.screen)
    texts = [row.text.rstrip() for row in rows]
    marks = ["".join(letters.of(part) for part in row).rstrip() for row in rows]
    return "\n".join([*texts, "marks:", *marks, "styles:", *letters.legend, ""])


def style_words(drawn: str) -> set[str]:
    """All words of the styles in a picture."""
    lines = drawn.rpartition("styles:\n")[2].splitlines()
    return {word for line in lines for word in line.split()[1:]}


class StyleLetters:
    """A letter for each style, in the order of their first cells."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def of(self, part: Segment) -> str:
        """Return the letters of the cells of ``part``; a blank where no style is visible."""
        letters: dict[bool, str] = {}
        for is_blank in dict.fromkeys(char == " " for char in part.text):
            words = _words(part.style or Style(), is_blank=is_blank)
            next_one = _SYMBOLS[len(self._letters)]
            letters[is_blank] = self._letters.setdefault(words, next_one) if words else " "
        return "".join(letters[char == " "] for char in part.text)

    @property
    def legend(self) -> list[str]:
        """The meaning of each letter."""
        return [f"{letter}: {words}" for words, letter in self._letters.items()]


@functools.cache
def _words(style: Style, *, is_blank: bool) -> str:
    return " ".join(_visible(style, is_blank=is_blank))


def _visible(style: Style, *, is_blank: bool) -> Iterable[str]:
    """The words of a style; of a blank, those that can be seen."""
    yield from (name for name in ("underline", "reverse") if getattr(style, name))
    if not is_blank:
        yield from (name for name in ("bold", "dim", "italic") if getattr(style, name))
    if style.reverse or not is_blank:
        yield from _named(style.color)
    yield from (f"on {name}" for name in _named(style.bgcolor))


def _named(color: Color | None) -> Iterable[str]:
    if color and not color.is_default:
        yield color.name
