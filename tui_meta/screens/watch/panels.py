"""The panels of the Watch screen in a grid."""

from collections.abc import Mapping, Sequence

from textual.containers import Grid
from textual.widget import Widget

from tui_meta.screens.watch.loss_table import LossTablePanel
from tui_meta.upstream.repaint import LaidOutOnce
from tui_meta.views.watch import layout
from tui_meta.widgets.chart import Chart, TurningChart
from tui_meta.widgets.lines import LinesPanel


class PanelGrid(Grid, LaidOutOnce):
    """All panels for so many ``runs``; shows those of an arrangement.

    The panel ``first`` has the class ``-first``. Charts that share a place take turns in the first
    of them.
    """

    BLANK = True

    def __init__(self, runs: int, first: str, *, id: str) -> None:
        self._turning = TurningChart(id=layout.CHARTS[0], can_focus=True)
        self._charts: dict[str, Chart] = {
            panel: Chart(id=panel, can_focus=True)
            for panel in (*layout.CHARTS[1:], *layout.waves(runs))
        }
        self.facts = LinesPanel(id=layout.FACTS, can_focus=True)
        self.table = LossTablePanel(id=layout.TABLE)
        if first in layout.CHARTS:
            self._turning.turn_to(first)
        super().__init__(self.table, self.facts, *self.charts, id=id)
        self.panel(first).set_class(True, "-first")

    @property
    def charts(self) -> Sequence[Chart]:
        """All charts, whether they are shown or not."""
        return (self._turning, *self._charts.values())

    def chart(self, name: str) -> Chart:
        """Return the panel of a chart."""
        is_turning = name == self._turning.panel or name not in self._charts
        return self._turning if is_turning else self._charts[name]

    def name_of(self, panel: Widget | None) -> str:
        """Return the name of a panel, or of another widget."""
        return panel.panel if isinstance(panel, Chart) else (panel and panel.id) or ""

    def panel(self, name: str) -> Widget:
        """Return a panel; a query would search all widgets after each change of what is shown."""
        others: dict[str, Widget] = {layout.FACTS: self.facts, layout.TABLE: self.table}
        return others.get(name) or self.chart(name)

    def grow(self, runs: int) -> None:
        """Create the charts of runs that were added."""
        missing = [one for one in layout.waves(runs) if one not in self._charts]
        self._charts |= {panel: Chart(id=panel, can_focus=True) for panel in missing}
        self.mount(*(self._charts[panel] for panel in missing))

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
        charts = [panel for panel in now.panels if panel in layout.CHARTS]
        if charts:
            self._turning.turn_to(charts[0])
        places = {self.panel(name): place for place, name in enumerate(now.panels)}
        if [panel for panel in self.children if panel in places] != list(places):
            self._sort(places)
        spans = now.spans if now.rows else {}
        for panel in self.children:
            panel.display = panel in places
            panel.styles.column_span = spans[self.name_of(panel)] if panel.display else 1

    def _sort(self, places: Mapping[Widget, int]) -> None:
        """Bring the panels that are shown to their places, with those that take turns with them."""
        in_turns = {
            name: place
            for panel, place in places.items()
            for name in layout.in_turns(self.name_of(panel))
        }

        def place(panel: Widget) -> int:
            return places.get(panel, in_turns.get(self.name_of(panel), len(in_turns)))

        self.sort_children(key=place)
