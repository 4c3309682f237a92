"""The list of keys, made from the bindings themselves."""

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_meta.screens.dialogs.text_page import CLOSE_KEYS, TextPage
from tui_meta.views.keys.help import help_lines
from tui_meta.views.keys.table import Groups
from tui_meta.views.text import Line


class Help(TextPage):
    """Lists keys; created once, because opening it again is then faster."""

    NAME = "keys"
    BINDINGS: ClassVar[list[BindingType]] = [Binding(f"question_mark,{CLOSE_KEYS}", "dismiss")]

    def __init__(self) -> None:
        super().__init__()
        self._bound: Mapping[str, str] = {}
        self._groups: Groups = ()

    def list_keys(self, bound: Mapping[str, str], groups: Groups) -> None:
        """Show these keys from now on: ``bound`` has the text of each, ``groups`` their order."""
        self._bound, self._groups = bound, groups
        if self.is_mounted:
            self.query_one("#page").scroll_home(animate=False)
            self.fill()

    def lines(self, width: int) -> list[Line]:
        return help_lines(self._bound, width, self._groups)
