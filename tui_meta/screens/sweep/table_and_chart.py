"""The table of a sweep, and its chart beside it, below it or in its place."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from tui_meta.screens.sweep.chart import SweepChart
from tui_meta.upstream.repaint import LaidOutOnce
from tui_meta.views.sweep.layout import SweepLayout, arrange
from tui_meta.views.sweep.table import Listing
from tui_meta.widgets.lines import Lines


class TableAndChart(Container, LaidOutOnce):
    """Gives each of the two as much room as it needs; ``parts`` says what is shown."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.parts = SweepLayout()
        self.table, self.chart = Lines(id="table"), SweepChart(id="charts")

    def compose(self) -> ComposeResult:
        yield self.table
        yield self.chart

    def arrange_parts(self, listing: Listing, *, turned: bool, draws: bool) -> bool:
        """Arrange the parts for the size; return True if they have changed.

        If it ``draws``, the next chart is drawn at the size that it gets with the layout.
        """
        needed = listing.width(listing.used, looks=bool(self.chart.looks))
        rows = len(listing.shown) + 1
        parts = arrange(self.size.width, self.size.height, needed, rows, turned=turned)
        if parts == self.parts:
            return False
        self.parts = parts
        self.set_class(parts.beside, "-beside")
        self.table.display, self.chart.display = parts.table, parts.chart
        if parts.beside:
            self.table.styles.width, self.table.styles.height = parts.table_width, "1fr"
        else:
            height = parts.table_rows if parts.chart else "1fr"
            self.table.styles.width, self.table.styles.height = "1fr", height
        self.chart.await_layout(draws=draws)
        return True
