"""A model of a terminal, written independently of the code that is tested with it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import wcwidth

Attributes = dict[str, tuple[int, ...] | str]

_PIECE = re.compile(
    r"\x1b\[([<=>?]?)([\d;:]*)([ $]?)([@-~])|\x1b\]([^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b([^\[\]])|(.)",
    re.DOTALL,
)
_SIMPLE = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 5: "blink", 7: "reverse"} | {
    8: "conceal",
    9: "strike",
    53: "overline",
}
_ENDS = {22: ("bold", "dim"), 39: ("ink",), 49: ("paper",), 55: ("overline",), 59: ("line",)} | {
    20 + number: (name,) for number, name in _SIMPLE.items() if 3 <= number <= 9
}
_VISIBLE_ON_BLANKS = {"underline", "strike", "overline", "reverse", "paper", "link"}


@dataclass(frozen=True)
class Cell:
    """The content of a cell; ``look`` is None for half of a wide character that was cut."""

    text: str
    look: frozenset[tuple[str, object]] | None

    @property
    def visible(self) -> "Cell":
        """The visible part: of a space, only some attributes."""
        if self.text != " " or self.look is None:
            return self
        names = {name for name, _ in self.look}
        if names & (_VISIBLE_ON_BLANKS - {"paper", "link"}):
            return self
        return Cell(" ", frozenset(one for one in self.look if one[0] in _VISIBLE_ON_BLANKS))


BLANK = Cell(" ", frozenset())


@dataclass
class TerminalModel:
    """A terminal of ``width`` by ``height`` cells."""

    width: int
    height: int
    wraps: bool = True
    cursor_shown: bool = True
    inserts: bool = False
    x: int = 0
    y: int = 0
    pen: Attributes = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    """Sequences that do not affect the screen."""

    def __post_init__(self) -> None:
        self.cells = [[BLANK] * self.width for _ in range(self.height)]
        self.last: tuple[int, int] | None = None
        self.top, self.bottom = 0, self.height - 1
        self.saved = (0, 0, self.pen)

    def feed(self, data: str) -> "TerminalModel":
        """Process ``data``, which must not end within a sequence."""
        for match in _PIECE.finditer(data):
            private, parameters, between, final, command, escape, character = match.groups()
            if character is not None:
                self._character(character)
                continue
            if command is not None:
                self._command(command, match[0])
            elif escape is not None:
                self._escape(escape, match[0])
            elif private or between:
                self._private(private + between, parameters, final, match[0])
            else:
                self._control(final, parameters, match[0])
        return self

    @property
    def look(self) -> frozenset[tuple[str, object]]:
        return frozenset(self.pen.items())

    @property
    def blank(self) -> Cell:
        return Cell(" ", frozenset(one for one in self.look if one[0] == "paper"))

    def _character(self, character: str) -> None:
        if character in "\r\n\b":
            self.last = None
            self.x = 0 if character != "\b" else max(0, min(self.x, self.width - 1) - 1)
            if character == "\n":
                self._line()
        elif character < " ":
            self.passed.append(character)
        else:
            self._draw(character)

    def _draw(self, character: str) -> None:
        joined = self._joined(character)
        if joined:
            assert self.last
            y, x = self.last
            width = wcwidth.wcswidth(joined)
            if x + width <= self.width:
                self._place(y, x, joined, width, self.cells[y][x].look)
                self.x = x + width
            else:
                self.cells[y][x] = Cell(joined, self.cells[y][x].look)
            return
        width = 1 if "🇦" <= character <= "🇿" else wcwidth.wcwidth(character)
        if width <= 0:
            return
        if self.x + width > self.width:
            if self.wraps:
                self.x = 0
                self._line()
            else:
                self.x = self.width - width
        if self.inserts:
            row = self.cells[self.y]
            row[self.x :] = [self.blank] * width + row[self.x : self.width - width]
        self._place(self.y, self.x, character, width, self.look)
        self.last = (self.y, self.x)
        self.x += width

    def _joined(self, character: str) -> str:
        """Return the character combined with the one before it, if they share cells."""
        if self.last is None:
            return ""
        before = self.cells[self.last[0]][self.last[1]].text
        flags = "🇦" <= character <= "🇿" and len(before) == 1 and "🇦" <= before <= "🇿"
        skin = "🏻" <= character <= "🏿" and wcwidth.wcswidth(before) == 2
        after_joiner = before.endswith("\u200d") and wcwidth.wcwidth(character) == 2
        extends = wcwidth.wcwidth(character) == 0
        return before + character if flags or skin or after_joiner or extends else ""

    def _place(
        self, y: int, x: int, text: str, width: int, look: frozenset[tuple[str, object]] | None
    ) -> None:
        row = self.cells[y]
        for edge in (x, x + width):
            if edge < self.width and row[edge].text == "":
                first, last = edge - 1, edge
                while row[first].text == "":
                    first -= 1
                while last < self.width and row[last].text == "":
                    last += 1
                row[first:last] = [Cell(" ", None)] * (last - first)
        row[x : x + width] = [Cell(text, look), *[Cell("", look)] * (width - 1)]

    def _line(self) -> None:
        if self.y == self.bottom:
            del self.cells[self.top]
            self.cells.insert(self.bottom, [self.blank] * self.width)
        elif self.y < self.height - 1:
            self.y += 1

    def _command(self, command: str, whole: str) -> None:
        if command.startswith("8;"):
            link = command[2:]
            self.pen = {**self.pen, "link": link}
            if link == ";":
                del self.pen["link"]
        else:
            self.passed.append(whole)

    def _escape(self, escape: str, whole: str) -> None:
        if escape == "7":
            self.saved = (self.y, self.x, self.pen)
        elif escape == "8":
            self.y, self.x, self.pen = self.saved
            self.last = None
        else:
            self.passed.append(whole)

    def _private(self, private: str, parameters: str, final: str, whole: str) -> None:
        on = final == "h"
        if private == "?" and final in "hl" and parameters in ("7", "25", "1049", "2026"):
            if parameters == "7":
                self.wraps = on
            elif parameters == "25":
                self.cursor_shown = on
            elif parameters == "1049":
                self.cells = [[BLANK] * self.width for _ in range(self.height)]
                self.last = None
            return
        self.passed.append(whole)

    def _control(self, final: str, parameters: str, whole: str) -> None:
        if final == "m":
            self._style(parameters)
            return
        numbers = [int(one or 0) for one in parameters.split(";")] if parameters else []
        first = numbers[0] if numbers else 0
        count = max(1, first)
        actions: dict[str, Callable[[], None]] = {
            "H": lambda: self._to(count - 1, max(1, [*numbers, 1, 1][1]) - 1),
            "A": lambda: self._to(self.y - count, self.x),
            "B": lambda: self._to(self.y + count, self.x),
            "C": lambda: self._to(self.y, min(self.x, self.width - 1) + count),
            "D": lambda: self._to(self.y, min(self.x, self.width - 1) - count),
            "G": lambda: self._to(self.y, count - 1),
            "d": lambda: self._to(count - 1, self.x),
            "J": lambda: self._erase_screen(first),
            "K": lambda: self._erase_row(first),
            "h": lambda: setattr(self, "inserts", first == 4),
            "l": lambda: setattr(self, "inserts", self.inserts and first != 4),
            "r": lambda: self._scroll_within(numbers),
        }
        if final in actions:
            actions[final]()
            self.last = None
        else:
            self.passed.append(whole)

    def _to(self, y: int, x: int) -> None:
        self.y = max(0, min(self.height - 1, y))
        self.x = max(0, min(self.width - 1, x))

    def _erase_row(self, how: int) -> None:
        start, end = ((self.x, self.width), (0, self.x + 1), (0, self.width))[how % 3]
        row = self.cells[self.y]
        row[start:end] = [self.blank] * (len(row[start:end]))

    def _erase_screen(self, how: int) -> None:
        self._erase_row(how)
        rows = (range(self.y + 1, self.height), range(self.y), range(self.height))[how % 3]
        for y in rows:
            self.cells[y] = [self.blank] * self.width

    def _scroll_within(self, numbers: list[int]) -> None:
        first, last = numbers if len(numbers) == 2 else (1, self.height)
        if 0 < first < last <= self.height:
            self.top, self.bottom = first - 1, last - 1
            self._to(0, 0)

    def _style(self, parameters: str) -> None:
        pen = dict(self.pen)
        values = parameters.split(";")
        while values:
            value = values.pop(0)
            number = int(value.partition(":")[0] or 0)
            if number == 0:
                pen = {name: one for name, one in pen.items() if name == "link"}
            elif number in (38, 48, 58):
                name = {38: "ink", 48: "paper", 58: "line"}[number]
                count = {"5": 2, "2": 4}[values[0]]
                pen[name] = tuple(map(int, values[:count]))
                del values[:count]
            elif 30 <= number <= 37 or 90 <= number <= 97:
                pen["ink"] = (number,)
            elif 40 <= number <= 47 or 100 <= number <= 107:
                pen["paper"] = (number,)
            elif value == "4:0":
                pen.pop("underline", None)
            elif number == 21 or ":" in value:
                pen["underline"] = value
            elif number in _SIMPLE:
                pen[_SIMPLE[number]] = (number,)
            else:
                for name in _ENDS.get(number, ()):
                    pen.pop(name, None)
        self.pen = pen
