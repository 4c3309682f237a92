"""Lines of text under a title."""

from collections.abc import Sequence

from textual.content import Content

from tui_meta.views.text import Line, printable
from tui_meta.widgets.lines import Lines


class LinesPanel(Lines):
    """A panel as the charts are, of lines."""

    def show_titled(self, title: str, lines: Sequence[Line]) -> None:
        """Show ``lines`` under ``title`` from now on."""
        title = printable(title)
        if str(self.border_title or "") != title:
            self.border_title = Content(title)  # repaints everything, equal or not
        self.show(lines)
