"""The chart of a sweep, of the kind that the user chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from tui_meta.upstream.repaint import LaidOutOnce
from tui_meta.views.plots.heat import ramp
from tui_meta.views.plots.plot import empty_plot
from tui_meta.views.sweep.chart_choice import ChartChoice
from tui_meta.views.sweep.charts import Shown, curves_plot, looks, parallel_plot, setting_plot
from tui_meta.views.sweep.heat_map import HeatMap
from tui_meta.views.sweep.heat_svg import heat_svg
from tui_meta.views.sweep.status import SweepGroup, SweepStatus
from tui_meta.views.text import Span
from tui_meta.widgets.chart import Chart
from tui_meta.widgets.lines import LinesPanel


class MapPanel(LinesPanel):
    """Shows a heat map, which fills it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.map: HeatMap | None = None
        self._chosen: SweepGroup | None = None

    def show_map(self, heat: HeatMap, chosen: SweepGroup | None) -> None:
        """Show ``heat`` from now on, and which cell the ``chosen`` group is in."""
        self.map, self._chosen = heat, chosen
        self._draw()

    def on_resize(self, _: events.Resize) -> None:
        self._draw()

    def _draw(self) -> None:
        if self.map:
            scale = ramp(color=not self.app.no_color, ascii=getattr(self.app, "ascii_only", False))
            self.show_titled(self.map.title, self.map.lines(*self.size, scale, self._chosen))


class SweepChart(Container, LaidOutOnce):
    """Shows a plot or a heat map; the same content is drawn once."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._content: tuple[object, ...] = ()
        self._map: HeatMap | None = None
        self._next_map: HeatMap | None = None
        self._plot = empty_plot("", "")
        self._is_painted = False
        self.looks: Mapping[str, Span] = {}
        """Samples of the curves by the names of their groups; none where they do not differ."""
        self._shown = Shown(SweepStatus(), ())
        self._chosen: SweepGroup | None = None

    @property
    def svg(self) -> str:
        """The heat map as a picture; empty where a plot is shown, which has its own."""
        return heat_svg(self._map) if self._map and self.display else ""

    def compose(self) -> ComposeResult:
        yield Chart(id="chart")
        yield MapPanel(id="map")

    def prepare(
        self,
        sweep: SweepStatus,
        groups: Sequence[str],
        chosen: SweepGroup | None,
        choice: ChartChoice,
    ) -> None:
        """Make the chart of these ``groups``; without any, of the ``chosen`` one alone."""
        content = (sweep, groups, chosen, choice)
        if content == self._content:
            return
        self._content, self._chosen, self._is_painted = content, chosen, False
        self._next_map, self.looks = None, {}
        if chosen and not groups:
            self._plot = curves_plot(Shown(SweepStatus((chosen,)), (chosen,), choice.scale), None)
            return
        if sweep.groups and not groups:
            self._plot = empty_plot("validation", "no group is listed")
            return
        shown = Shown(sweep, [sweep.by_name[name] for name in groups], choice.scale)
        if shown != self._shown:
            self._shown = shown
        shown = self._shown
        kind, across, up = choice.shown(sweep), choice.across_of(sweep), choice.up_of(sweep)
        if kind == "heat" and across and up:
            self._next_map = HeatMap(sweep, shown.groups, across, up)
        elif kind == "setting" and across:
            self._plot = setting_plot(shown, across, chosen)
            self.looks = looks(self._plot, shown.line_names(across))
        elif kind == "parallel":
            self._plot = parallel_plot(shown, chosen)
        else:
            self._plot = curves_plot(shown, chosen)
            self.looks = looks(self._plot, shown.curve_names(chosen))

    def await_layout(self, *, draws: bool) -> None:
        """Prepare for another size, as the chart does."""
        self._is_painted = False
        self.query_one(Chart).await_plot(draws=draws)

    def paint(self) -> None:
        """Show the chart that was made last."""
        if self._is_painted:
            return
        self._is_painted = True
        chart, panel = self.query_one(Chart), self.query_one(MapPanel)
        heat = self._map = panel.map if self._next_map == panel.map else self._next_map
        chart.display, panel.display = heat is None, heat is not None
        if heat:
            panel.show_map(heat, self._chosen)
        else:
            chart.show(self._plot)
