"""A page of text above a screen."""

from typing import ClassVar

from textual.app import ComposeResult

from tui_meta.upstream.repaint import PlainModal
from tui_meta.views.text import Line
from tui_meta.widgets.lines import ScrolledLines

PAGE_WIDTH = 92
"""Cells; in a wide terminal the page takes ``SHARE`` of the width, to show more at once."""

SHARE = 0.65
EDGES = 5
"""Cells of border, padding and scrollbar."""

CLOSE_KEYS = "escape,q,enter,space,ctrl+c,ctrl+q"
"""Keys that close a page, besides the one that opens it."""


class TextPage(PlainModal[None], inherit_bindings=False):
    """Shows lines that are made for its width, under ``NAME``."""

    NAME: ClassVar[str]

    def lines(self, width: int) -> list[Line]:
        """Return the text in lines of ``width`` cells."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        page = ScrolledLines(id="page")
        page.border_title = self.NAME
        page.border_subtitle = "esc: back"
        yield page

    def on_mount(self) -> None:
        """Fill the page before it is first shown."""
        self.fill()

    def on_resize(self) -> None:
        """Wrap the text for the new size."""
        self.fill()

    def fill(self) -> None:
        """Show the present text."""
        room = self.app.size.width
        width = min(room, max(PAGE_WIDTH, int(room * SHARE)))
        page = self.query_one(ScrolledLines)
        page.styles.width = width
        page.show(self.lines(max(1, width - EDGES)))
