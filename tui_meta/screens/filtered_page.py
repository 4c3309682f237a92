"""A page with a list that typed words filter."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from tui_meta.screens.page import Page
from tui_meta.views.keys.footer import keys_line
from tui_meta.views.keys.table import Key
from tui_meta.views.text import Line, Span, line
from tui_meta.widgets.lines import Lines

LONGEST = 100

_KEEP = Key("enter", "", "keep the filter", "", 1)


class FilterInput(Input, inherit_bindings=False):
    """An input of one row; its cursor does not blink, and ctrl+c quits the program."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor_left", "left", tooltip="In the filter: to the left"),
        Binding("right", "cursor_right", "right", tooltip="In the filter: to the right"),
        Binding("backspace", "delete_left", "delete", tooltip="In the filter: delete"),
        Binding("delete", "delete_right", "delete", tooltip="In the filter: delete to the right"),
        Binding("ctrl+u", "delete_left_all", "clear", tooltip="In the filter: clear it"),
        Binding("enter", "submit", "keep", tooltip="In the filter: keep it"),
    ]

    def __init__(self, *, id: str, placeholder: str) -> None:
        super().__init__(id=id, placeholder=placeholder, max_length=LONGEST, compact=True)
        self.cursor_blink = False


class FilteredPage(Page, inherit_bindings=False):
    """Keeps the line of the filter, which is shown while words are typed."""

    FILTER_HINT: ClassVar[str]
    SHOW_ALL: ClassVar[Key]
    """The key that leaves the filter."""

    @property
    def wanted(self) -> str:
        """The words of the filter."""
        raise NotImplementedError

    def filter_by(self, wanted: str) -> None:
        """Show what has these words."""
        raise NotImplementedError

    def filter_line(self) -> Horizontal:
        """Create the line of the filter, which is hidden at first."""
        prompt = Lines(id="prompt")
        prompt.show([line(Span("filter /", "bold"))])
        field = FilterInput(id="filter", placeholder=self.FILTER_HINT)
        row = Horizontal(prompt, field, id="filter-line")
        row.display = False
        return row

    def footer(self, width: int) -> Line:
        """Return the footer; while a filter is typed, all other keys are text."""
        keys = (_KEEP, self.SHOW_ALL)
        return keys_line(keys, width) if self.is_typing else super().footer(width)

    @property
    def is_typing(self) -> bool:
        """True while a filter is typed."""
        return isinstance(self.focused, FilterInput)

    def open_filter(self) -> None:
        """Let the user type words."""
        self.query_one("#filter-line").display = True
        self.query_one(FilterInput).focus()
        self.call_after_refresh(self.tick)

    def end_filter(self, wanted: str) -> None:
        """Hide the line, and keep ``wanted``."""
        self.query_one(FilterInput).value = wanted
        self.filter_by(wanted)
        self.query_one("#filter-line").display = False
        self.set_focus(None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter the list while words are typed."""
        self.filter_by(event.value)
        self.tick()

    def on_input_submitted(self) -> None:
        """Keep the filter, and return to the list."""
        self.end_filter(self.wanted)
        self.tick()
