"""The chart of a sweep, of the kind that the user chose."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from tui_meta.views.plots.heat import ramp
from tui_meta.views.plots.plot import Plot
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
        self._shown = Shown(SweepStatus(), ())
        self._chosen: SweepGroup | None = None

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
        self._content, self._chosen = content, chosen
        if chosen and not groups:
            self._show_plot(
                curves_plot(Shown(SweepStatus((chosen,)), (chosen,), choice.scale), None)
            )
            return
        shown = Shown(sweep, [sweep.by_name[name] for name in groups], choice.scale)
        if shown != self._shown:
            self._shown = shown
        kind, across, up = choice.shown(sweep), choice.across_of(sweep), choice.up_of(sweep)
        if kind == "heat" and across and up:
            self._show_map(HeatMap(sweep, self._shown.groups, across, up))
        elif kind == "setting" and across:
            self._show_plot(setting_plot(self._shown, across, chosen))
        elif kind == "parallel":
            self._show_plot(parallel_plot(self._shown, chosen))
        else:
            self._show_plot(curves_plot(self._shown, chosen))

    def _show_plot(self, plot: Plot) -> None:
        self._turn(None)
        self.query_one(Chart).show(plot)

    def _show_map(self, heat: HeatMap) -> None:
        self._turn(heat if self._map is None or heat != self._map else self._map)
        self._paint_map()

    def _turn(self, heat: HeatMap | None) -> None:
        """Show the map ``heat``, or a plot."""
        chart, panel = self.query_one(Chart), self.query_one(LinesPanel)
        self._map = heat
        chart.display = heat is None
        if heat and not panel.display:
            self.call_after_refresh(self._paint_map)  # it has no cells yet
        panel.display = heat is not None

    def on_resize(self, _: events.Resize) -> None:
        """Draw the map in the cells that it has now."""
        self.call_after_refresh(self._paint_map)

    def _paint_map(self) -> None:
        panel = self.query_one(LinesPanel)
        if self._map:
            scale = ramp(color=not self.app.no_color, ascii=getattr(self.app, "ascii_only", False))
            panel.show_titled(self._map.title, self._map.lines(*panel.size, scale, self._chosen))
