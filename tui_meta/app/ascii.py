"""ASCII in place of everything else: the last thing that is done to a line before it is sent."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LIKENESSES = {
    "─╌┄╴╶╸╺⎯": "-",
    "│┃╷╵▏▎▍▌▐▕": "|",
    "╭╮╯╰┌┐└┘┏┓┗┛├┤┬┴┼┣┫┳┻╋╞╡": "+",
    "▀▄█▁▂▃▅▆▇▉▊▋▖▗▘▝▚▞▙▛▜▟": "#",
    "░▒▓": "%",
    "⠒": "*",
    "·•∙": ".",
    "●○◆": "o",
    "…": "~",
    "→▶": ">",
    "←": "<",
    "↑▲": "^",
    "↓▼": "v",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}": "-",
    "θ": "0",
    "φ": "f",
    "\N{NO-BREAK SPACE}\N{BRAILLE PATTERN BLANK}": " ",
}
_TABLE = {ord(char): like for chars, like in _LIKENESSES.items() for char in chars}
_TABLE |= {ord(char): "=" for char in "━═"}


def in_ascii(text: str) -> str:
    """``text`` in as many cells, with a likeness for each character that is not ASCII."""
    if text.isascii():
        return text
    return "".join(
        char if char.isascii() else "?" * cell_len(char) for char in text.translate(_TABLE)
    )


class AsciiFilter(LineFilter):
    """Leaves nothing on the screen that is not ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in ASCII."""
        return [segment._replace(text=in_ascii(segment.text)) for segment in segments]
