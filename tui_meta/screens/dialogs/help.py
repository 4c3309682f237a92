"""The list of keys, made from the bindings themselves."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tui_meta.upstream.repaint import PlainModal
from tui_meta.views.keys.help import help_lines
from tui_meta.views.keys.table import Groups
from tui_meta.widgets.lines import Lines

PAGE_WIDTH = 92
"""Cells; in a wide terminal the page takes ``SHARE`` of the width, to show more at once."""

SHARE = 0.65
EDGES = 5
"""Cells of border, padding and scrollbar."""


class Help(PlainModal[None], inherit_bindings=False):
    """Lists keys; created once, because opening it again is then faster."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,space,ctrl+c,ctrl+q", "dismiss")
    ]

    def __init__(self) -> None:
        super().__init__()
        self._bound: Mapping[str, str] = {}
        self._groups: Groups = ()

    def list_keys(self, bound: Mapping[str, str], groups: Groups) -> None:
        """Show these keys from now on: ``bound`` has the text of each, ``groups`` their order."""
        self._bound, self._groups = bound, groups
        if self.is_mounted:
            self.query_one("#page").scroll_home(animate=False)
            self._fill()

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page") as page:
            page.border_title = "keys"
            page.border_subtitle = "escape: back"
            yield Lines(id="help")

    def on_mount(self) -> None:
        """Fill the page before it is first shown."""
        self._fill()

    def on_resize(self) -> None:
        """Wrap the text for the new size."""
        self._fill()

    def _fill(self) -> None:
        room = self.app.size.width
        width = min(room, max(PAGE_WIDTH, int(room * SHARE)))
        self.query_one("#page").styles.width = width
        lines = help_lines(self._bound, max(1, width - EDGES), self._groups)
        shown = self.query_one("#help", Lines)
        shown.styles.height = len(lines)
        shown.show(lines)
