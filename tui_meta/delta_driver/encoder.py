"""Encodes the difference between two screens in as few bytes as possible."""

from typing import Final

from tui_meta.delta_driver.screen import SURE, Screen
from tui_meta.delta_driver.style import PLAIN, Style, change, change_from_unknown

_SINGLE: Final = SURE | {None}
"""What a cell may hold that is not half of a wide character: unknown content too."""


class Encoder:
    """The known content, cursor and style of a terminal, and the updates that change them."""

    def __init__(self, width: int, height: int) -> None:
        self._shown = Screen(width, height)
        self._cursor: tuple[int, int] | None = None
        """Row and column; None where terminals differ."""
        self._pen = PLAIN
        self._pen_known = False
        self._out: list[str] = []

    def forget(self) -> None:
        """Treat content, cursor and style of the terminal as unknown."""
        self._shown.forget()
        self._cursor = None
        self._pen_known = False

    def set_state(self, cursor: tuple[int, int], pen: Style) -> None:
        """Set cursor and style, which output that was passed on has changed."""
        self._cursor, self._pen, self._pen_known = cursor, pen, True

    def update(self, wanted: Screen, cursor: tuple[int, int]) -> str:
        """Return what makes the terminal show ``wanted``; an empty string if it does.

        The cursor ends at ``cursor``, unless that is behind the right margin, where terminals
        differ.
        """
        shown = self._shown
        for y in range(wanted.height):
            if shown.characters[y] != wanted.characters[y] or shown.styles[y] != wanted.styles[y]:
                self._update_row(wanted, y)
        if cursor[1] < wanted.width:
            self._out.append(self._move(*cursor))
        return self._flush()

    def settle(self, wanted: Screen, cursor: tuple[int, int], pen: Style) -> str:
        """Return what sets cursor and style as the program expects, before output is passed on."""
        y, x = cursor
        if x == wanted.width:  # only writing the last character moves the cursor behind it
            at = wanted.head(y, x - 1)
            self._write(wanted, y, at)
            self._cursor = None
        self._set_pen(pen)
        return self._flush()

    def _flush(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

    def _update_row(self, wanted: Screen, y: int) -> None:
        characters, styles = wanted.characters[y], wanted.styles[y]
        shown, shown_styles = self._shown.characters[y], self._shown.styles[y]
        if SURE.issuperset(characters) and _SINGLE.issuperset(shown):
            self._update_sure_row(wanted, y)
            return
        end = 0
        # Writing changes what is shown of the row, in the same lists.
        cells = enumerate(zip(characters, shown, styles, shown_styles, strict=True))
        for x, (character, before, style, style_before) in cells:
            if character == before:
                if style is style_before:
                    continue
                if character == " " and style.on_blank is style_before.on_blank:
                    shown_styles[x] = style
                    continue
            if x < end or not character:  # written, unknown, or half of a wide character
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

    def _update_sure_row(self, wanted: Screen, y: int) -> None:
        """Update a row of characters that take one cell each, as almost all do."""
        characters, styles = wanted.characters[y], wanted.styles[y]
        shown, shown_styles = self._shown.characters[y], self._shown.styles[y]
        differs = [
            character != before
            or (
                style is not style_before
                and (character != " " or style.on_blank is not style_before.on_blank)
            )
            for character, before, style, style_before in zip(
                characters, shown, styles, shown_styles, strict=True
            )
        ]
        differs.append(True)  # the end of the row
        x, width = differs.index(True), wanted.width
        while x < width:
            style, end = styles[x], x + 1
            while end < width and differs[end] and styles[end] is style:
                end += 1
            self._write_text(wanted, y, x, end)
            x = differs.index(True, end)
        shown[:], shown_styles[:] = characters, styles

    def _write_run(self, wanted: Screen, y: int, x: int, end: int) -> None:
        """Write characters of one cell each, all of the style of the first."""
        text = self._write_text(wanted, y, x, end)
        self._shown.put(y, x, text, wanted.styles[y][x], None)

    def _write_text(self, wanted: Screen, y: int, x: int, end: int) -> str:
        """Write a run, and return its text."""
        text = "".join(filter(None, wanted.characters[y][x:end]))
        style = wanted.styles[y][x]
        self._reach(wanted, y, x, style)
        self._set_pen(style, blank=not text.strip(" "))
        self._out.append(text)
        self._cursor = (y, end) if end < wanted.width else None
        return text

    def _write(self, wanted: Screen, y: int, x: int) -> None:
        """Write the character at ``x``."""
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
        """Move the cursor to a cell, or rewrite the cells between if that is shorter."""
        if self._cursor == (y, x):
            return
        move = self._move_text(y, x)
        if self._cursor is not None and self._cursor[0] == y and self._pen_known:
            first = self._cursor[1]
            between = wanted.characters[y][first:x] if 0 < x - first <= len(move) else []
            if between and SURE.issuperset(between):
                text = "".join(filter(None, between))
                if len(text.encode()) <= len(move) and self._fits_style(wanted, y, first, x, style):
                    self._out.append(text)
                    move = ""
        self._out.append(move)
        self._cursor = (y, x)

    def _fits_style(self, wanted: Screen, y: int, first: int, end: int, style: Style) -> bool:
        """Return whether cells can be written in the current style or in ``style``; sets it."""
        characters, styles = wanted.characters[y], wanted.styles[y]
        for pen in (self._pen, style):
            for x in range(first, end):
                one = styles[x]
                if one is not pen and (characters[x] != " " or one.on_blank is not pen.on_blank):
                    break
            else:
                self._set_pen(pen)
                return True
        return False

    def _move(self, y: int, x: int) -> str:
        move = self._move_text(y, x)
        self._cursor = (y, x)
        return move

    def _move_text(self, y: int, x: int) -> str:
        """Return the shortest sequence that moves the cursor to a cell."""
        if self._cursor == (y, x):
            return ""
        if self._cursor is not None and self._cursor[0] == y and self._cursor[1] < x:
            return _by(x - self._cursor[1], "C")
        ways = [f"\x1b[{y + 1 if y else ''}{f';{x + 1}' if x else ''}H"]
        if self._cursor is not None:
            down, right = y - self._cursor[0], x - self._cursor[1]
            if not down:
                ways += [_by(-right, "D"), "\r" + _by(x, "C"), "\b" * -right]
            elif not right:
                ways.append(_by(down, "B", "A"))
            elif 0 < down <= 3:  # a line feed alone may or may not return the carriage
                ways.append("\r" + "\n" * down + _by(x, "C"))
        return min(ways, key=len)


def _by(count: int, forwards: str, backwards: str = "") -> str:
    """Return a move of the cursor by ``count`` cells."""
    if not count:
        return ""
    size = abs(count)
    return f"\x1b[{size if size > 1 else ''}{forwards if count > 0 else backwards}"
