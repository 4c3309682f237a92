"""Replaces everything that is not ASCII, as the last step before a line is sent."""

import re

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_REPLACEMENTS = {
    "─╌┄╴╶╸╺⎯": "-",
    "│┃╷╵▏▎▍▌▐▕": "|",
    "╭╮╯╰┌┐└┘┏┓┗┛├┤┬┴┼┣┫┳┻╋╞╡": "+",
    "▀▄█▁▂▃▅▆▇▉▊▋▖▗▘▝▚▞▙▛▜▟": "#",
    "░▒▓": "%",
    "⠒": "*",
    "╍": "#",
    "┅": "+",
    "╾": "=",
    "⠂": ".",
    "·•∙": ".",
    "●○◆": "o",
    "…": "~",
    "→▶▸": ">",
    "←": "<",
    "↑▲": "^",
    "↓▼": "v",
    "▾": "*",
    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}": "-",
    "\N{PLUS-MINUS SIGN}": "~",
    "θ": "T",
    "²": "2",
    "³": "3",
    "φ": "f",
    "\N{NO-BREAK SPACE}\N{BRAILLE PATTERN BLANK}": " ",
}
_TABLE = {ord(char): ascii for chars, ascii in _REPLACEMENTS.items() for char in chars}
_TABLE |= {ord(char): "=" for char in "━═"}
_IN_CONTEXT = (
    (re.compile("\N{PLUS-MINUS SIGN} "), "+-"),
    (re.compile(r"(?<=\w) → (?=[\w-])"), " ->"),
    (re.compile(r"(?<=\d)·(?=[a-z(])"), "*"),
)
"""What depends on the characters around it: intervals, changes of a value, and products."""


def to_ascii(text: str) -> str:
    """Return ``text`` in as many cells, with a similar one for each character that is not ASCII."""
    if text.isascii():
        return text
    for pattern, ascii in _IN_CONTEXT:
        text = pattern.sub(ascii, text)
    text = text.translate(_TABLE)
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text)


class AsciiFilter(LineFilter):
    """A line filter that leaves only ASCII on the screen."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in ASCII."""
        return [segment._replace(text=to_ascii(segment.text)) for segment in segments]
