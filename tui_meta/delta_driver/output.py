"""Parses what a program writes to its terminal, and returns what must be sent of it."""

from collections.abc import Callable
from typing import Final

from tui_meta.delta_driver.encoder import Encoder
from tui_meta.delta_driver.screen import Screen, joins, width_of
from tui_meta.delta_driver.style import PLAIN, resets, restyled, style
from tui_meta.delta_driver.tokens import HARMLESS, KEEPS_PEN, LASTING, TOKEN

RESET: Final = "\x1b[0m"
BEGIN_UPDATE: Final = "\x1b[?2026h"
END_UPDATE: Final = "\x1b[?2026l"


class Output:
    """The screen that a program has written so far; ``take`` returns what must be sent.

    Frames that are not taken cost nothing: only the newest screen is kept. Output that is not part
    of a screen, such as a bell or text for the clipboard, is returned once and in order. A sequence
    that is not understood is returned as it is, and so is everything after it until cursor and
    style are known again; the content of the terminal then counts as unknown.

    A line feed returns the carriage, as the line discipline of a terminal does.
    """

    def __init__(self, width: int, height: int) -> None:
        self.updating = False
        """True between the marks of a frame."""
        self._marked = False
        self._rest = ""
        self._out: list[str] = []
        self._pen = PLAIN
        self._pen_known = self._trusted = True
        self._begin(width, height)
        self._readers: dict[str, Callable[[str], str]] = {
            "text": self._read_text,
            "other": self._read_other,
            "style": self._read_style,
            "place": self._read_place,
            "line": self._read_line,
            "carriage": self._read_carriage,
            "link": self._read_link,
            "sequence": self._read_sequence,
            "control": self._read_sequence,
        }

    def _begin(self, width: int, height: int) -> None:
        self.size = (width, height)
        self._wanted = Screen(width, height)
        self._encoder = Encoder(width, height)
        self._y = self._x = 0
        self._placed = False
        self._last: int | None = None
        """Column of the character before the cursor, which combining characters may join."""

    @property
    def _understood(self) -> bool:
        return self._placed and self._pen_known and self._trusted

    def resize(self, width: int, height: int) -> None:
        """Set the size; after a change, the content of the terminal is unknown."""
        if (width, height) != self.size:
            if self._understood:
                self._settle()
            self._begin(width, height)

    def forget(self) -> None:
        """Send the whole screen again, because the content of the terminal is unknown."""
        self._encoder.forget()

    def write(self, data: str) -> None:
        """Parse output of the program; it may end within a sequence."""
        data, self._rest = self._rest + data, ""
        for match in TOKEN.finditer(data):
            kind = match.lastgroup
            assert kind
            if kind == "styled":
                look, text = match["look"], match["styled"]
                if not self._put_styled(look, text):
                    self._read("style", f"\x1b[{look}m", look)
                    self._read("text", text, text)
                    self._read("style", RESET, "0")
            elif kind == "start":
                self._rest = match[0]
            elif kind == "mark":
                self.updating = match["mark"] == "h"
                self._marked = True
            else:
                self._read(kind, match[0], match[kind])

    def _read(self, kind: str, token: str, value: str) -> None:
        if not self._understood:
            self._pass_on(kind, token, value)
        elif rest := self._readers[kind](value):
            self._out.append(self._encoder.update(self._wanted, (self._y, self._x)))
            self._settle()
            self._wanted.forget()
            self._encoder.forget()
            self._pass_on(kind, rest if kind in ("text", "other") else token, rest)

    def _put_styled(self, look: str, text: str) -> bool:
        """Put text between a style and its end; False where that is not all that is to be done."""
        pen, end = restyled(self._pen, look), self._x + len(text)
        if pen is None or end > self._wanted.width or not self._understood:
            return False
        self._wanted.put(self._y, self._x, text, pen, " ")
        self._x, self._last = end, end - 1
        self._pen = style((), pen.link)
        return True

    def take(self) -> str:
        """Return what makes the terminal show the screen: nothing if it does, or within a frame."""
        if self.updating:
            return ""
        out = "".join(self._out)
        self._out.clear()
        if self._understood:
            changes = self._encoder.update(self._wanted, (self._y, self._x))
            out += BEGIN_UPDATE + changes + END_UPDATE if changes and self._marked else changes
        self._marked = False
        return out

    def _settle(self) -> None:
        cursor = (self._y, self._x)
        self._out.append(self._encoder.settle(self._wanted, cursor, self._pen))

    # Output that is not understood, or comes before cursor and style are known.

    def _pass_on(self, kind: str, token: str, value: str) -> None:
        self._out.append(token)
        self._last = None
        if kind == "style":
            pen = restyled(self._pen, value)
            self._pen_known = pen is not None and (self._pen_known or resets(value))
            self._pen = pen or self._pen
        elif kind == "link":
            self._read_link(value)
        elif kind == "place":
            self._placed = not self._read_place(value)
        elif kind not in ("sequence", "control"):
            self._placed = False
        elif not HARMLESS.fullmatch(token):
            self._placed = False
            self._pen_known = self._pen_known and bool(KEEPS_PEN.fullmatch(token))
            self._trusted = self._trusted and not LASTING.fullmatch(token)
        if self._understood:
            self._encoder.set_state((self._y, self._x), self._pen)

    # Output that is understood. Each reader returns what it could not read.

    def _read_text(self, text: str) -> str:
        room = self._wanted.width - self._x
        part = text[:room]
        if part:
            self._wanted.put(self._y, self._x, part, self._pen, " ")
            self._x += len(part)
            self._last = self._x - 1
        return text[room:]

    def _read_other(self, text: str) -> str:
        wanted, y = self._wanted, self._y
        for index, character in enumerate(text):
            at, cell, pen = self._x, character, self._pen
            if self._last is not None:
                before = wanted.characters[y][self._last]
                assert before
                if joins(before, character):
                    at, cell, pen = self._last, before + character, wanted.styles[y][self._last]
            width = width_of(cell)
            if not width or at + width > wanted.width:
                return text[index:]
            wanted.put_wide(y, at, cell, width, pen, " ")
            self._last, self._x = at, at + width
        return ""

    def _read_style(self, parameters: str) -> str:
        pen = restyled(self._pen, parameters)
        if pen is None:
            return parameters
        self._pen = pen
        return ""

    def _read_place(self, place: str) -> str:
        row, _, column = place.partition(";")
        y, x = max(int(row or 1), 1) - 1, max(int(column or 1), 1) - 1
        if y >= self._wanted.height or x >= self._wanted.width:
            return place
        self._y, self._x, self._last = y, x, None
        return ""

    def _read_line(self, line: str) -> str:
        if self._y + 1 >= self._wanted.height:
            return line  # the terminal scrolls
        self._y, self._x, self._last = self._y + 1, 0, None
        return ""

    def _read_carriage(self, _: str) -> str:
        self._x, self._last = 0, None
        return ""

    def _read_link(self, link: str) -> str:
        address = link.partition(";")[2]
        self._pen = style(self._pen.settings, link if address else "")
        return ""

    def _read_sequence(self, sequence: str) -> str:
        if not HARMLESS.fullmatch(sequence):
            return sequence
        self._out.append(sequence)
        return ""
