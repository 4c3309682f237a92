"""The keys of the Watch screen that change how its charts are shown."""

from tui_meta.screens.base import DashboardScreen
from tui_meta.screens.watch.loss_table import LossTablePanel
from tui_meta.screens.watch.panels import PanelGrid
from tui_meta.views.watch import layout
from tui_meta.views.watch.lens import LensPart
from tui_meta.views.watch.state import WatchState

_FAR = 9_999
"""More steps than there are rows or points."""


class ChartKeys(DashboardScreen, inherit_bindings=False):
    """The actions of these keys."""

    state: WatchState
    grid: PanelGrid

    def remember(self) -> None:
        """Store the view in the session, for the next client."""
        raise NotImplementedError

    def action_lens(self, part: LensPart) -> None:
        self.state.change_lens(part)
        self.remember()
        self.answer()

    def action_cursor(self) -> None:
        self.state.toggle_cursor()
        self.action_reveal(self.state.panel)
        self.answer()

    def action_freeze(self) -> None:
        self.state.freeze()
        self.answer()

    def action_go_to_end(self, direction: int) -> None:
        """Go to the first or newest row, or to that point if there is a cursor."""
        if not self.steer(direction * _FAR):
            self.action_scroll_table(direction * _FAR)

    def action_scroll_table(self, pages: int) -> None:
        table = self.query_one(LossTablePanel)
        table.scroll_rows(pages * table.page)

    def action_reveal(self, panel: str) -> None:
        """Show ``panel`` and focus it."""
        raise NotImplementedError

    def steer(self, steps: int) -> bool:
        """Move the cursor of the chart in focus; False if there is none."""
        if self.grid.name_of(self.focused) != self.state.panel or not self.state.cursor_on:
            return False
        self.state.move_cursor(steps)
        self.answer()
        return True

    def scrolled(self, direction: layout.Direction) -> bool:
        """Scroll a large table by a row; False if there is none."""
        if not self.state.enlarged or self.state.panel != layout.TABLE:
            return False
        self.query_one(LossTablePanel).scroll_rows({"up": -1, "down": 1}.get(direction, 0))
        return True
