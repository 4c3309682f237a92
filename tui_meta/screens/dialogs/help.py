"""The help: what a screen shows, and its keys, made from the bindings themselves."""

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_meta.screens.dialogs.text_page import CLOSE_KEYS, TextPage
from tui_meta.views.keys.concepts import Concepts
from tui_meta.views.keys.help import help_lines
from tui_meta.views.keys.table import Groups
from tui_meta.views.text import Line


class Help(TextPage):
    """Explains a screen; created once, because opening it again is then faster."""

    NAME = "help"
    BINDINGS: ClassVar[list[BindingType]] = [Binding(f"question_mark,{CLOSE_KEYS}", "dismiss")]

    def __init__(self) -> None:
        super().__init__()
        self._bound: Mapping[str, str] = {}
        self._groups: Groups = ()
        self._about: Concepts = {}

    def explain(self, about: Concepts, bound: Mapping[str, str], groups: Groups) -> None:
        """Show this from now on: ``bound`` has the text of each key, ``groups`` their order."""
        self._about, self._bound, self._groups = about, bound, groups
        if self.is_mounted:
            self.query_one("#page").scroll_home(animate=False)
            self.fill()

    def lines(self, width: int) -> list[Line]:
        return help_lines(self._bound, width, self._groups, self._about)
