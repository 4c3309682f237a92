"""The chart of a sweep, of the kind that the user chose."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from tui_meta.views.plots.heat import ramp
from tui_meta.views.sweep.chart_choice import ChartChoice
from tui_meta.views.sweep.charts import Shown, curves_plot, parallel_plot, setting_plot
from tui_meta.views.sweep.heat_map import HeatMap
from tui_meta.views.sweep.heat_svg import heat_svg
from tui_meta.views.sweep.status import SweepGroup, SweepStatus
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import LinesPanel


class SweepChart(Container):
    """Shows a plot or a heat map; the same content is drawn once."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._content: tuple[object, ...] = ()
        self._map: HeatMap | None = None

    @property
    def svg(self) -> str:
        """The heat map as a picture; empty where a plot is shown, which has its own."""
        return heat_svg(self._map) if self._map and self.display else ""

    def compose(self) -> ComposeResult:
        yield Chart(id="chart")
        yield LinesPanel(id="map")

    def show(
        self,
        sweep: SweepStatus,
        groups: Sequence[str],
        chosen: SweepGroup | None,
        choice: ChartChoice,
    ) -> None:
        """Show these ``groups``, one of them ``chosen``; without any, the chosen one alone."""
        content = (sweep, groups, chosen, choice)
        if content == self._content:
            return
        self._content = content
        alone = chosen is not None and not groups
        kind = "curves" if alone else choice.shown(sweep)
        chart = self.query_one(Chart)
        chart.display, self.query_one(LinesPanel).display = kind != "heat", kind == "heat"
        shown = Shown(sweep, [sweep.by_name[name] for name in groups], chosen, choice.scale)
        if alone and chosen:
            shown = Shown(SweepStatus((chosen,)), (chosen,), None, choice.scale)
        across, up = choice.across_of(sweep), choice.up_of(sweep)
        self._map = None
        if kind == "heat" and across and up:
            self._map = HeatMap(sweep, shown.groups, across, up, chosen)
            self._paint_map()
            self.call_after_refresh(self._paint_map)  # it may have no cells yet
        elif kind == "setting" and across:
            chart.show(setting_plot(shown, across))
        else:
            chart.show(parallel_plot(shown) if kind == "parallel" else curves_plot(shown))

    def on_resize(self, _: events.Resize) -> None:
        """Draw the map in the cells that it has now."""
        self.call_after_refresh(self._paint_map)

    def _paint_map(self) -> None:
        panel = self.query_one(LinesPanel)
        if self._map:
            scale = ramp(color=not self.app.no_color, ascii=getattr(self.app, "ascii_only", False))
            panel.show_titled(self._map.title, self._map.lines(*panel.size, scale))
