"""The keys of the Runs screen that change how its charts are shown, as those of Watch do."""

from __future__ import annotations

from core.session.api import Session
from tui_meta.screens.filtered_page import FilteredPage
from tui_meta.views.dashboard_state import DashboardState
from tui_meta.views.runs.comparison import Curves
from tui_meta.views.watch.lens import LensPart
from tui_meta.widgets.chart import Chart


class CurveKeys(FilteredPage, inherit_bindings=False):
    """The actions of these keys, on the one chart that is shown."""

    def __init__(self, session: Session, dashboard: DashboardState) -> None:
        super().__init__(session, dashboard)
        self.curves = Curves()

    def action_other_curves(self) -> None:
        if self._has_chart():
            self.curves.turn()
            self.tick()

    def action_lens(self, part: LensPart) -> None:
        if self._has_chart():
            self.show_message(self.curves.change_lens(part))
            self.tick()

    def action_cursor(self) -> None:
        if self._has_chart():
            if not self.curves.toggle_cursor():
                self.show_message("no curve to read values from yet")
            self.tick()

    def action_steer(self, steps: int) -> None:
        """Move the cursor, or put one on the newest point."""
        if self._has_chart():
            if not self.curves.move_cursor(steps):
                self.show_message("no curve to read values from yet")
            self.tick()

    def _has_chart(self) -> bool:
        """Return True if a chart is shown; say what shows one if there is none."""
        if any(chart.plot and chart.region.area for chart in self.query(Chart)):
            return True
        self.show_message(f"no chart is shown; {self.dashboard.key('runs compare')}: compare")
        return False
