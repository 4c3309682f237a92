"""The input of the filter."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

LONGEST = 100


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

    def __init__(self, *, id: str) -> None:
        super().__init__(
            id=id, placeholder="words of name, algorithm, state", max_length=LONGEST, compact=True
        )
        self.cursor_blink = False
