"""A panel of lines with a title."""

from collections.abc import Sequence

from tui_meta.upstream.repaint import set_border_title
from tui_meta.views.text import Line, printable
from tui_meta.widgets.lines import Lines


class LinesPanel(Lines):
    """A bordered panel of lines, like the panels of charts."""

    def show_titled(self, title: str, lines: Sequence[Line]) -> None:
        """Show ``lines`` under ``title`` from now on."""
        set_border_title(self, printable(title))
        self.show(lines)
