"""A chart with lines of text below."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from tui_meta.upstream.repaint import LaidOutOnce
from tui_meta.views.plots.plot import Plot
from tui_meta.views.text import Line
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import Lines


class Picture(Vertical, LaidOutOnce):
    """A chart that leaves room for the lines below it."""

    def compose(self) -> ComposeResult:
        yield Chart()
        yield Lines()

    def show(self, plot: Plot, lines: Sequence[Line]) -> None:
        """Show ``plot``, and ``lines`` below it."""
        self.query_one(Chart).show(plot)
        below = self.query_one(Lines)
        below.display = bool(lines)
        below.styles.height = max(1, len(lines))
        below.show(lines)
