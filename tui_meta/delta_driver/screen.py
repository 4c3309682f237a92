"""The cells of a terminal, as far as they are known, and the width of characters."""

import re
from itertools import chain
from typing import Final

from rich.cells import cell_len, get_character_cell_size

from tui_meta.delta_driver.style import PLAIN, Style

_SURE_RANGES: Final = (
    (0x20, 0x7E),
    (0xA0, 0xAC),
    (0xAE, 0x2FF),
    (0x370, 0x482),  # Greek, Cyrillic
    (0x2010, 0x2027),  # dashes, dots, ellipsis
    (0x2190, 0x2193),  # arrows
    (0x2200, 0x22FF),  # mathematics
    (0x2500, 0x25FC),  # lines, blocks, shapes
    (0x2800, 0x28FF),  # braille
)
SURE_CLASS: Final = "".join(f"{chr(first)}-{chr(last)}" for first, last in _SURE_RANGES)
"""Characters of one cell on every terminal, for the brackets of a regular expression."""

SURE: Final = frozenset(
    map(chr, chain.from_iterable(range(first, last + 1) for first, last in _SURE_RANGES))
)

_JOINER: Final = "\u200d"
_MODIFIER: Final = re.compile("[\U0001f3fb-\U0001f3ff]")
_REGIONAL: Final = re.compile("[\U0001f1e6-\U0001f1ff]")


class Screen:
    """Rows of cells.

    ``characters`` holds the content of each cell, with combining characters; an empty string for a
    cell that is covered by a wide character to its left; None if unknown. ``styles`` holds their
    styles.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.characters: list[list[str | None]]
        self.styles: list[list[Style]]
        self.forget()

    def forget(self) -> None:
        """Treat all cells as unknown."""
        self.characters = [[None] * self.width for _ in range(self.height)]
        self.styles = [[PLAIN] * self.width for _ in range(self.height)]

    def put(self, y: int, x: int, text: str, style: Style, rest: str | None) -> None:
        """Write characters of one cell each; ``rest`` replaces halves of wide characters."""
        count = len(text)
        end = x + count
        row = self.characters[y]
        if row[x] == "":
            self._cut(row, x, rest)
        if end < self.width and row[end] == "":
            self._cut(row, end, rest)
        row[x:end] = text
        self.styles[y][x:end] = [style] * count

    def put_wide(
        self, y: int, x: int, cell: str, width: int, style: Style, rest: str | None
    ) -> None:
        """Write one character, or a combined one, that takes ``width`` cells."""
        self.put(y, x, " " * width, style, rest)
        self.characters[y][x : x + width] = [cell, *[""] * (width - 1)]

    def head(self, y: int, x: int) -> int:
        """Return the column where the character that covers a cell begins."""
        while self.characters[y][x] == "":
            x -= 1
        return x

    def end(self, y: int, x: int) -> int:
        """Return the column after the character that begins at a cell."""
        x += 1
        while x < self.width and self.characters[y][x] == "":
            x += 1
        return x

    def _cut(self, row: list[str | None], x: int, rest: str | None) -> None:
        """Replace the wide character of which ``x`` is a right half by ``rest``."""
        first, last = x - 1, x
        while row[first] == "":
            first -= 1
        while last < self.width and row[last] == "":
            last += 1
        row[first:last] = [rest] * (last - first)


def joins(cell: str, character: str) -> bool:
    """Return whether ``character`` combines with the cell before it."""
    if not get_character_cell_size(character) or cell.endswith(_JOINER):
        return True
    if _MODIFIER.match(character):
        return cell not in SURE
    return bool(_REGIONAL.match(character)) and bool(_REGIONAL.fullmatch(cell))


def width_of(cell: str) -> int:
    """Return the number of cells, as Textual counts them."""
    return cell_len(cell)
