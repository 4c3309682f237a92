"""From what a terminal shows to what it should show, in as few bytes as can be."""

from __future__ import annotations

from tui_meta.delta_driver.screen import SURE, Screen
from tui_meta.delta_driver.style import PLAIN, Style, change, change_from_unknown


class Encoder:
    """Knows what a terminal shows, and its cursor and pen, where anybody can know them."""

    def __init__(self, width: int, height: int) -> None:
        self._shown = Screen(width, height)
        self._cursor: tuple[int, int] | None = None
        """Row and column; None where a terminal may differ from what was reckoned."""
        self._pen = PLAIN
        self._pen_known = False
        self._out: list[str] = []

    def forget(self) -> None:
        """The terminal may show anything now."""
        self._shown.forget()
        self._cursor = None
        self._pen_known = False

    def stands(self, cursor: tuple[int, int], pen: Style) -> None:
        """Others have moved the cursor and set the pen."""
        self._cursor, self._pen, self._pen_known = cursor, pen, True

    def update(self, wanted: Screen, cursor: tuple[int, int]) -> str:
        """What makes the terminal show ``wanted``; nothing, if it does.

        The cursor is left where it should be, unless that is behind the right margin: there,
        terminals differ.
        """
        shown = self._shown
        for y in range(wanted.height):
            if shown.characters[y] != wanted.characters[y] or shown.styles[y] != wanted.styles[y]:
                self._update_row(wanted, y)
        if cursor[1] < wanted.width:
            self._out.append(self._move(*cursor))
        return self._taken()

    def settle(self, wanted: Screen, cursor: tuple[int, int], pen: Style) -> str:
        """What brings cursor and pen to where a program believes them, that writes on itself."""
        y, x = cursor
        if x == wanted.width:  # only a character written there brings the cursor behind it
            at = wanted.head(y, x - 1)
            self._write(wanted, y, at)
            self._cursor = None
        self._set_pen(pen)
        return self._taken()

    def _taken(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

    def _update_row(self, wanted: Screen, y: int) -> None:
        characters, styles = wanted.characters[y], wanted.styles[y]
        shown, shown_styles = self._shown.characters[y], self._shown.styles[y]
        end = 0
        for x, character in enumerate(characters):
            if x < end or not character:  # written, unknown, or half of a wide one
                continue
            style = styles[x]
            if character == shown[x]:
                if style is shown_styles[x]:
                    continue
                if character == " " and style.on_blank is shown_styles[x].on_blank:
                    shown_styles[x] = style
                    continue
            if character not in SURE or len(shown[x] or "") > 1:
                self._write(wanted, y, x)
                continue
            end = x + 1
            while (
                end < wanted.width
                and styles[end] is style
                and (following := characters[end]) in SURE
                and following != (old := shown[end])
                and len(old or "") < 2
            ):
                end += 1
            self._write_run(wanted, y, x, end)

    def _write_run(self, wanted: Screen, y: int, x: int, end: int) -> None:
        """Write characters of one cell each, all of the style of the first."""
        text, style = (
            "".join(cell or "" for cell in wanted.characters[y][x:end]),
            wanted.styles[y][x],
        )
        self._reach(wanted, y, x, style)
        self._set_pen(style, blank=not text.strip(" "))
        self._out.append(text)
        self._shown.put(y, x, text, style, None)
        self._cursor = (y, end) if end < wanted.width else None

    def _write(self, wanted: Screen, y: int, x: int) -> None:
        """Write whatever stands at ``x``."""
        shown = self._shown
        cell, old = wanted.characters[y][x], shown.characters[y][x]
        assert cell
        end, style = wanted.end(y, x), wanted.styles[y][x]
        if cell in SURE:
            self._write_run(wanted, y, x, end)
        else:
            self._reach(wanted, y, x, style)
            self._set_pen(style)
            if len(cell) > 1:  # terminals differ in how many cells of joined characters they fill
                self._out.append(" " * (end - x))
                self._cursor = None
                self._out.append(self._move(y, x))
            self._out.append(cell)
            shown.put_wide(y, x, cell, end - x, style, None)
            self._cursor = None
        if len(cell) > 1 or len(old or "") > 1:
            shown.characters[y][end:] = [None] * (wanted.width - end)

    def _set_pen(self, style: Style, *, blank: bool = False) -> None:
        if not self._pen_known:
            self._out.append(change_from_unknown(self._pen.link, style))
        elif self._pen is style or (blank and self._pen.on_blank is style.on_blank):
            return
        else:
            self._out.append(change(self._pen, style))
        self._pen, self._pen_known = style, True

    def _reach(self, wanted: Screen, y: int, x: int, style: Style) -> None:
        """Bring the cursor to a cell, over what stands between if that is shorter."""
        move = self._move_text(y, x)
        if self._cursor is not None and self._cursor[0] == y and self._pen_known:
            first = self._cursor[1]
            between = wanted.characters[y][first:x] if 0 < x - first <= len(move) else []
            if between and all(cell in SURE for cell in between):
                text = "".join(cell or "" for cell in between)
                if len(text.encode()) <= len(move) and self._suits(wanted, y, first, x, style):
                    self._out.append(text)
                    move = ""
        self._out.append(move)
        self._cursor = (y, x)

    def _suits(self, wanted: Screen, y: int, first: int, end: int, style: Style) -> bool:
        """Whether cells can be written with the pen as it is, or will be for ``style``."""
        cells = [(wanted.characters[y][x] == " ", wanted.styles[y][x]) for x in range(first, end)]
        for pen in (self._pen, style):
            if all(one is pen or (blank and one.on_blank is pen.on_blank) for blank, one in cells):
                self._set_pen(pen)
                return True
        return False

    def _move(self, y: int, x: int) -> str:
        move = self._move_text(y, x)
        self._cursor = (y, x)
        return move

    def _move_text(self, y: int, x: int) -> str:
        """The shortest way for the cursor to a cell."""
        if self._cursor == (y, x):
            return ""
        ways = [f"\x1b[{y + 1 if y else ''}{f';{x + 1}' if x else ''}H"]
        if self._cursor is not None:
            down, right = y - self._cursor[0], x - self._cursor[1]
            if not down:
                ways += [_by(right, "C", "D"), "\r" + _by(x, "C")]
                if right < 0:
                    ways.append("\b" * -right)
            elif not right:
                ways.append(_by(down, "B", "A"))
            elif 0 < down <= 3:  # a line feed alone may or may not return the carriage
                ways.append("\r" + "\n" * down + _by(x, "C"))
        return min(ways, key=len)


def _by(count: int, forwards: str, backwards: str = "") -> str:
    """A move of the cursor by so many cells."""
    if not count:
        return ""
    size = abs(count)
    return f"\x1b[{size if size > 1 else ''}{forwards if count > 0 else backwards}"
