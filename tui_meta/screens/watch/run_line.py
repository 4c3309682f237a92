"""The line, or two, that say how one run stands; with the focus on it, keys act on this run."""

from tui_meta.views.run_status import Standing, run_lines
from tui_meta.widgets.lines import Lines


class RunLine(Lines):
    """Shows one run. The screen sets its height, one row or two."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, can_focus=True)

    def show_run(self, standing: Standing, name_cells: int) -> None:
        """Show how the run stands; ``name_cells`` aligns its title with those of others."""
        self.show(run_lines(standing, self.size.width, self.size.height, name_cells))
