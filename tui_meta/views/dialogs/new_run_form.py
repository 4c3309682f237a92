"""The form for a new run: its rows, the field in focus, and the text that is typed there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.algorithms.registry import ALGORITHMS
from core.config import TABLES
from core.session.run_requests import AddRequest
from tui_meta.views.dialogs.new_run import (
    ALGORITHM,
    NAME,
    NO_VALUE,
    NewRun,
    RunSetting,
)
from tui_meta.views.run_groups import titles
from tui_meta.views.text import Line, Span, clip, fit, line, wrap

HINT_ROWS = 3
"""Lines below the fields about the one in focus."""

DIFFERENCE_ROWS = 2

_LONGEST = 100
"""Characters of a value."""

_LABEL_CELLS, _VALUE_CELLS = 24, 22
_EMPTY = {NAME: "the time"}
_NAME_HELP = "Run name suffix: the folder is named {}-NAME (default: the time)"


@dataclass(frozen=True)
class _Field:
    """A field: the setting that it is for, if it is for one."""

    key: str
    label: str
    choices: Sequence[str] = ()
    setting: RunSetting | None = None


class NewRunForm:
    """Fields for the settings of ``new``, one of which is in focus, with a cursor in its text."""

    def __init__(self, new: NewRun) -> None:
        self.new = new
        self.place = 0
        """The number of the field in focus."""
        self.refused = ""
        self._cursor = len(new.name)

    @property
    def fields(self) -> Sequence[_Field]:
        """All fields, from top to bottom."""
        settings = (
            _Field(one.key, self.new.labels[one.key], one.choices, one) for one in self.new.settings
        )
        return _Field(NAME, NAME), _Field(ALGORITHM, ALGORITHM, tuple(ALGORITHMS)), *settings

    @property
    def field(self) -> _Field:
        """The one in focus."""
        return self.fields[self.place]

    @property
    def title(self) -> str:
        """The name of the form."""
        present = {one.run: one for one in self.new.present}
        return f"another run, as {titles(present)[self.new.beside.run]}"

    # Keys.

    def focus(self, place: int) -> None:
        """Put the focus on the field number ``place``, or the nearest that there is."""
        self.place = max(0, min(place, len(self.fields) - 1))
        self._cursor = len(self.new.text(self.field.key))

    def move(self, steps: int) -> None:
        """Move the focus to a field below, or above if ``steps`` are negative; one step wraps."""
        place = self.place + steps
        self.focus(place % len(self.fields) if abs(steps) == 1 else place)

    def insert(self, text: str) -> None:
        """Insert ``text`` at the cursor, or take the first choice that begins with it."""
        choices = self.field.choices
        if choices:
            self._set(next((one for one in choices if one.startswith(text)), self._text))
            return
        text = "".join(filter(str.isprintable, text))[: _LONGEST - len(self._text)]
        self._set(self._text[: self._cursor] + text + self._text[self._cursor :])
        self._cursor += len(text)

    def delete(self, first: int, last: int) -> None:
        """Delete the characters from ``first`` to before ``last``, counted from the cursor."""
        if self.field.choices:
            return
        start, end = max(0, self._cursor + first), max(0, self._cursor + last)
        self._set(self._text[:start] + self._text[end:])
        self._cursor = min(start, self._cursor)

    def sideways(self, steps: int) -> None:
        """Take the choice beside the present one, or move the cursor, also to an end."""
        choices = self.field.choices
        if choices and abs(steps) == 1:
            at = choices.index(self._text) if self._text in choices else 0  # a mixture of families
            self._set(choices[(at + steps) % len(choices)])
        elif not choices:
            self._cursor = max(0, min(self._cursor + steps, len(self._text)))

    def request(self) -> AddRequest | None:
        """Return the request; None, and the focus on what is wrong, if something is."""
        self.new = replace(self.new)  # a name may have been taken since
        problems = self.new.problems
        wrong = [place for place, one in enumerate(self.fields) if one.key in problems]
        if wrong:
            self.focus(self.place if self.place in wrong else wrong[0])
        return None if problems else self.new.request

    def refuse(self, problem: str) -> None:
        """Show why the session has not added the run, until something is changed."""
        self.new, self.refused = replace(self.new), problem

    @property
    def _text(self) -> str:
        return self.new.text(self.field.key)

    def _set(self, text: str) -> None:
        self.new = self.new.with_text(self.field.key, text)
        self.refused = ""

    # Lines.

    def lines(self, width: int, rows: int) -> list[Line]:
        """Return as many rows of fields and headings as fit, with the one in focus among them."""
        all_rows, focused = self._rows(width)
        first = max(0, min(focused - rows // 2, len(all_rows) - rows))
        return all_rows[first : first + rows]

    @property
    def count(self) -> int:
        """The number of rows of all fields and headings."""
        return len(self.fields) + len({one.table for one in self.new.settings if one.table})

    def _rows(self, width: int) -> tuple[list[Line], int]:
        """Return all rows, and the number of the one in focus."""
        found: list[Line] = []
        table, focused = "", 0
        for place, one in enumerate(self.fields):
            if one.setting and one.setting.table != table:
                table = one.setting.table
                title = getattr(TABLES[table], "title", table.capitalize())
                found.append(fit(line(Span(f"  {title}", "dim")), width))
            if place == self.place:
                focused = len(found)
            found.append(fit(self._row(one, place), width))
        return found, focused

    def _row(self, one: _Field, place: int) -> Line:
        action = f"pick({place})"
        chosen = place == self.place
        label = Span(f"{'▸' if chosen else ' '} {one.label:<{_LABEL_CELLS}}", "", action)
        remark, style = Span(""), "bold" if chosen else ""
        if problem := self.new.problems.get(one.key):
            remark, style = Span(problem, "bright_red"), "bold bright_red"
        elif differing := self.new.differences.get(one.key):
            remark, style = Span(f"instead of {differing[0] or NO_VALUE}", "dim"), "bold"
        return line(label, *self._value(one, style, chosen=chosen), "  ", remark)

    def _value(self, one: _Field, style: str, *, chosen: bool) -> Line:
        """Return the value in its column; that in focus with a cursor, or as a chosen one."""
        text, first = self.new.text(one.key), 0
        if chosen and not one.choices:
            first = max(0, self._cursor - _VALUE_CELLS + 1)
            at = self._cursor - first
            shown = f"{text} "[first : first + _VALUE_CELLS]
            marked = line(
                Span(shown[:at], style), Span(shown[at], "reverse"), Span(shown[at + 1 :], style)
            )
        else:
            shown = clip(text or _EMPTY.get(one.key) or self.new.words(one.key), _VALUE_CELLS)
            style = f"{style} reverse" if chosen else style if text else "dim"
            marked = line(Span(shown, style))
        return fit(marked, _VALUE_CELLS)

    def hint(self, width: int) -> list[Line]:
        """Return what the field in focus is, and what it must be; or what is wrong with it."""
        one = self.field
        if self.refused or one.key in self.new.problems:
            problem = self.refused or self.new.problems[one.key]
            return [line(Span(row, "bright_red")) for row in wrap(problem, width)][:HINT_ROWS]
        help = one.setting.help if one.setting else _NAME_HELP.format(self.new.algorithm)
        if one.key == ALGORITHM:
            help = "Algorithm, each with settings"
        rule = f"left, right: {', '.join(one.choices)}" if one.choices else ""
        if one.setting and not one.choices:
            rule = self.new.requirement(one.setting)
        return [line(Span(row, "dim")) for row in [*wrap(help, width), *wrap(rule, width)]]

    def differences(self, width: int) -> list[Line]:
        """Return what differs from the run beside it."""
        rows = wrap(f"differs: {self.new.difference_words}", width)
        if len(rows) > DIFFERENCE_ROWS:
            rest = " ".join(rows[DIFFERENCE_ROWS - 1 :])
            rows = [*rows[: DIFFERENCE_ROWS - 1], clip(rest, width)]
        return [line(row) for row in rows]
