"""Draws a help page: usage, description, panels of entries, and examples.

Pages look as cyclopts draws them, but without Rich: importing and running that takes longer than
all else that ``--help`` needs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from math import ceil
from typing import TextIO

from tui_meta.console import needs_ascii

NAMES_SHARE = 0.35
"""Largest share of the width for the names of a panel."""

GAP = "  "
"""Between two columns of a panel, and at the beginning of a name's further lines."""

REQUIRED = "[required]"

COLOURS = {"name": "36", "mark": "1;31", "note": "37", "required": "31", "usage": "1"}
"""SGR codes of each kind of text, in the palette of 16 colours."""

MANY_COLOURS = {**COLOURS, "note": "38;5;246"}
NO_COLOURS = {"mark": "1", "usage": "1"}


@dataclass(frozen=True)
class Entry:
    """A row of a panel: names as they are typed, and a description with ``notes`` in brackets."""

    names: str
    description: str
    notes: tuple[str, ...] = ()
    is_required: bool = False


@dataclass(frozen=True)
class Medium:
    """What a page is drawn for: columns, box characters, and the codes of each style."""

    width: int
    box: str
    codes: Mapping[str, str]

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str]) -> Medium:
        """Return the medium that ``stream`` is, with the conventions of Rich."""
        is_ascii = needs_ascii(environment) or not stream.encoding.lower().startswith("utf")
        is_terminal = bool(environment.get("FORCE_COLOR")) or stream.isatty()
        return cls(
            _width(environment, is_terminal=is_terminal),
            "++++-|" if is_ascii else "╭╮╰╯─│",
            _codes(environment) if is_terminal else {},
        )

    def paint(self, text: str, style: str) -> str:
        """Return ``text`` in ``style``, where the medium has that."""
        code = self.codes.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if code and text else text


def _is_dumb(environment: Mapping[str, str]) -> bool:
    return environment.get("TERM", "") in ("dumb", "unknown")


def _width(environment: Mapping[str, str], *, is_terminal: bool) -> int:
    columns = environment.get("COLUMNS", "")
    if columns.isdigit() and int(columns):
        return int(columns)
    if is_terminal and _is_dumb(environment):
        return 80
    for descriptor in range(3):
        try:
            return os.get_terminal_size(descriptor).columns or 80
        except OSError:
            continue
    return 80


def _codes(environment: Mapping[str, str]) -> Mapping[str, str]:
    if _is_dumb(environment):
        return {}
    if environment.get("NO_COLOR"):
        return NO_COLOURS
    many = environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit")
    kind = environment.get("TERM", "").rpartition("-")[2]
    return MANY_COLOURS if many or kind in ("256color", "kitty") else COLOURS


def paragraphs(text: str, medium: Medium, style: str = "") -> Iterator[str]:
    """Yield the lines of ``text``, wrapped at the width of the medium."""
    for line in text.split("\n"):
        for start, end in pairwise(_line_starts(line, medium.width)):
            yield medium.paint(_cut(line[start:end], medium.width), style)


def panel(title: str, entries: Sequence[Entry], medium: Medium) -> Iterator[str]:
    """Yield the lines of a box with ``entries``: a mark, names and descriptions."""
    left_top, right_top, left_low, right_low, dash, bar = tuple(medium.box)
    marks = any(entry.is_required for entry in entries)
    names = [_wrapped_names(entry.names, ceil(medium.width * NAMES_SHARE)) for entry in entries]
    widest = max(len(line) for lines in names for line in lines)
    lead = len(f"*{GAP}") if marks else 0
    room = max(1, medium.width - len(f"{bar}  {bar}{GAP}") - lead - widest)
    yield f"{left_top}{dash} {title} ".ljust(medium.width - 1, dash) + right_top
    for entry, lines in zip(entries, names, strict=True):
        mark = medium.paint("*", "mark") if entry.is_required else " "
        for name, described in zip_longest(lines, _described(entry, room, medium), fillvalue=""):
            lead_text = f"{mark}{GAP}" if marks else ""
            mark = " "
            text = described or " " * room
            yield f"{bar} {lead_text}{medium.paint(name.ljust(widest), 'name')}{GAP}{text} {bar}"
    yield f"{left_low}{dash * (medium.width - 2)}{right_low}"


def _described(entry: Entry, room: int, medium: Medium) -> Iterator[str]:
    """Yield the description and the notes in lines of ``room`` columns."""
    text, notes = entry.description, list[tuple[int, int, str]]()
    for note in (*entry.notes, *[REQUIRED] * entry.is_required):
        text = f"{text} {note}" if text else note
        style = "required" if note == REQUIRED else "note"
        notes.append((len(text) - len(note), len(text), style))
    for start, after in pairwise(_line_starts(text, room)):
        end = start + len(_cut(text[start:after], room))
        line, at = "", start
        for first, last, style in notes:
            if max(first, at) < min(last, end):
                line += text[at : max(first, at)]
                line += medium.paint(text[max(first, at) : min(last, end)], style)
                at = min(last, end)
        yield line + text[at:end] + " " * (room - (end - start))


def _cut(line: str, width: int) -> str:
    """Return ``line`` without the blanks beyond ``width``."""
    return line[: max(width, len(line.rstrip()))]


def _line_starts(text: str, width: int) -> list[int]:
    """Return where each line of ``text`` starts that is wrapped at ``width``, and its end.

    Blanks stay at the end of a line; a word that is longer than a line is cut.
    """
    starts, column = [0], 0
    for word in re.finditer(r"\s*\S+\s*", text):
        length, start = len(word[0].rstrip()), word.start()
        if length > width:
            starts += [at for at in range(start, start + len(word[0]), width) if at]
            column = (len(word[0]) - 1) % width + 1
        elif column + length > width and start:
            starts.append(start)
            column = len(word[0])
        else:
            column += len(word[0])
    return [*starts, len(text)]


def _wrapped_names(names: str, width: int) -> list[str]:
    """Return ``names`` in lines of at most ``width``; one that is longer is cut before a dot."""
    lines, line = [], ""
    for word in names.split():
        candidate = f"{line} {word}" if line.strip() else line + word
        if len(candidate) <= width:
            line = candidate
            continue
        if line.strip():
            lines.append(line)
            line = GAP
        while word and len(line) + len(word) > width:
            available = max(1, width - len(line))
            cut = word.rfind(".", 1, available + 1)
            cut = cut if cut > 0 else available
            lines.append(line + word[:cut])
            line, word = GAP, word[cut:]
        line += word
    return [*lines, line]
