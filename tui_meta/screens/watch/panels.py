"""The panels of the Watch screen in a grid."""

from textual.containers import Grid

from tui_meta.screens.watch.loss_table import LossTablePanel
from tui_meta.views.watch import layout
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import LinesPanel


class PanelGrid(Grid):
    """All panels for so many ``runs``; shows those of an arrangement.

    The panel ``first`` has the class ``-first``.
    """

    def __init__(self, runs: int, first: str, *, id: str) -> None:
        charts = [
            Chart(id=panel, can_focus=True)
            for panel in layout.all_panels(runs)
            if panel not in (layout.TABLE, layout.FACTS)
        ]
        facts = LinesPanel(id=layout.FACTS, can_focus=True)
        panels = (LossTablePanel(id=layout.TABLE), facts, *charts)
        for panel in panels:
            panel.set_class(panel.id == first, "-first")
        super().__init__(*panels, id=id)

    def show_panels(self, now: layout.Arrangement) -> None:
        """Show the panels of ``now``, each in its place."""
        self.display = bool(now.rows)
        self.set_class(now.framed, "-framed")
        if now.rows:
            self.styles.grid_size_columns = now.columns
            self.styles.grid_size_rows = len(now.rows)
            aside = [str(now.side)] if now.side else []
            self.styles.grid_columns = " ".join([*aside, *["1fr"] * (now.columns - len(aside))])
        places = {panel: place for place, panel in enumerate(now.panels)}
        if [panel.id for panel in self.children][: len(places)] != list(places):
            self.sort_children(key=lambda panel: places.get(panel.id or "", len(places)))
        for panel in self.children:
            panel.display = panel.id in places
            panel.styles.column_span = now.spans.get(panel.id or "", 1) if now.rows else 1
