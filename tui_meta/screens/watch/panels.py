"""The panels of the Watch screen in a grid."""

from textual.containers import Grid
from textual.widget import Widget

from tui_meta.screens.watch.loss_table import LossTablePanel
from tui_meta.upstream.repaint import LaidOutOnce
from tui_meta.views.watch import layout
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import LinesPanel


class PanelGrid(Grid, LaidOutOnce):
    """All panels for so many ``runs``; shows those of an arrangement.

    The panel ``first`` has the class ``-first``.
    """

    BLANK = True

    def __init__(self, runs: int, first: str, *, id: str) -> None:
        self.charts = {
            panel: Chart(id=panel, can_focus=True)
            for panel in layout.all_panels(runs)
            if panel not in (layout.TABLE, layout.FACTS)
        }
        self.facts = LinesPanel(id=layout.FACTS, can_focus=True)
        self.table = LossTablePanel(id=layout.TABLE)
        panels = (self.table, self.facts, *self.charts.values())
        for panel in panels:
            panel.set_class(panel.id == first, "-first")
        super().__init__(*panels, id=id)

    def panel(self, name: str) -> Widget:
        """Return a panel; a query would search all widgets after each change of what is shown."""
        others: dict[str, Widget] = {layout.FACTS: self.facts, layout.TABLE: self.table}
        return self.charts.get(name) or others[name]

    def grow(self, runs: int) -> None:
        """Create the charts of runs that were added."""
        missing = [one for one in map(layout.wave, range(runs)) if one not in self.charts]
        self.charts |= {panel: Chart(id=panel, can_focus=True) for panel in missing}
        self.mount(*(self.charts[panel] for panel in missing))

    def show_panels(self, now: layout.Arrangement) -> None:
        """Show the panels of ``now``, each in its place."""
        self.display = bool(now.rows)
        self.set_class(now.framed, "-framed")
        if now.rows:
            self.styles.grid_size_columns = now.columns
            self.styles.grid_size_rows = len(now.rows)
            aside = [str(now.side)] if now.side else []
            self.styles.grid_rows = f"{now.first_rows} 1fr" if now.first_rows else "1fr"
            self.styles.grid_columns = " ".join([*aside, *["1fr"] * (now.columns - len(aside))])
        places = {panel: place for place, panel in enumerate(now.panels)}
        if [panel.id for panel in self.children if panel.id in places] != list(places):
            order = {
                panel: places[one] for one in places for panel in layout.in_turns(one)
            } | places
            self.sort_children(key=lambda panel: order.get(panel.id or "", len(order)))
        for panel in self.children:
            panel.display = panel.id in places
            panel.styles.column_span = now.spans.get(panel.id or "", 1) if now.rows else 1
